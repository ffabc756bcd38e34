"""An answer in the terminal."""

from agent.answer import Answer, Citation
from ui.answer_text import plain_answer


def test_links_to_notes_are_words_in_the_terminal():
    quote = "see [[self-repair]] and [[ioi-wang-2022|the IOI paper]]"
    cited = Citation(passage_id="p1", document_id="a", title="A", start=0, end=len(quote), quote=quote)
    shown = plain_answer(Answer(text=f"{quote} [^p:p1]", citations=[cited]))
    assert shown.splitlines()[0] == "see self-repair and the IOI paper [1]"
    assert "[[" not in shown
