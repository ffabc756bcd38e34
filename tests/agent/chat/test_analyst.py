"""The built-in analyst answers from its tools, cites what it says, and says what it cannot do."""

from agent.chat.router import language_of
from tests.agent.chat.conftest import Chat


def test_a_paper_is_summarised_from_its_own_note_and_nothing_else(chat: Chat):
    answer = chat.ask("summarise the IOI paper")
    assert {citation.document_id for citation in answer.citations} == {"ioi-wang-2022"}
    assert "**Findings**" in answer.text
    assert answer.struck == []


def test_every_citation_is_verbatim_in_its_passage(chat: Chat):
    answer = chat.ask("what is an induction head?")
    assert answer.citations
    for citation in answer.citations:
        passage = chat.toolbox.library.passage(citation.passage_id)
        assert passage.text[citation.start : citation.end] == citation.quote


def test_a_korean_question_gets_a_korean_answer(chat: Chat):
    answer = chat.ask("귀납 헤드가 뭐야?")
    assert language_of(answer.text) == "ko"
    assert {c.document_id for c in answer.citations} == {"induction-head"}


def test_a_term_without_a_note_falls_back_to_a_search_or_declines(chat: Chat):
    answer = chat.ask("what is the capital gains tax in Norway?")
    assert chat.tools()[-1] in ("define", "search_library")
    assert "does not say" in answer.text


def test_an_unclear_claim_is_asked_back_without_losing_anything(chat: Chat):
    answer = chat.ask("is head 20.0 blue?")
    assert chat.tools() == ["verify_claim"]
    assert "Nothing was lost" in answer.text


def test_an_empty_ledger_says_how_to_fill_it(chat: Chat):
    assert "The ledger holds no claims yet" in chat.ask("list the claims").text


def test_help_names_what_it_cannot_do(chat: Chat):
    answer = chat.ask("what can you do?")
    assert "I cannot" in answer.text
    assert chat.tools() == []


def test_a_follow_up_does_not_repeat_the_earlier_tool_call(chat: Chat):
    history = [
        {"role": "user", "content": {"text": "what is an induction head?"}},
        {"role": "assistant", "content": {"text": "It copies."}},
    ]
    answer = chat.ask("what is activation patching?", history=history)
    assert {c.document_id for c in answer.citations} == {"activation-patching"}


def test_events_come_in_the_order_a_reader_needs(chat: Chat):
    chat.ask("what is self-repair?")
    kinds = [kind for kind, _ in chat.events]
    assert kinds.index("tool") < kinds.index("tool-result") < kinds.index("delta") < kinds.index("answer")
    assert kinds[-1] == "answer"


def test_papers_are_compared_in_a_table_of_cited_sentences(chat: Chat):
    answer = chat.ask("compare the IOI paper with activation patching")
    assert chat.tools() == ["compare_papers"]
    assert {c.document_id for c in answer.citations} == {"ioi-wang-2022", "activation-patching"}
    assert answer.struck == []
    assert answer.text.startswith("| |")


def test_a_comparison_with_something_unknown_says_so_or_searches(chat: Chat):
    answer = chat.ask("compare the IOI paper with the Norwegian capital gains tax")
    assert chat.tools() == ["compare_papers", "search_library"]
    assert answer.struck == []


def test_disagreements_are_pairs_of_verbatim_cited_sentences(chat: Chat):
    answer = chat.ask("where do papers disagree about faithfulness of circuits?")
    assert chat.tools() == ["find_disagreements"]
    for citation in answer.citations:
        passage = chat.toolbox.library.passage(citation.passage_id)
        assert passage.text[citation.start : citation.end] == citation.quote
    assert answer.struck == []


def test_how_something_works_in_general_is_answered_by_the_library(chat: Chat):
    answer = chat.ask("how do induction heads work?")
    assert chat.tools()[0] in ("define", "search_library")
    assert "induction-head" in {c.document_id for c in answer.citations}
