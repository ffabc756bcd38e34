"""What the built-in analyst shows of the library: sentences, not passages; the right quotation behind each number."""

from pathlib import Path

import pytest

from agent.chat.found import Found
from agent.chat.router import route
from agent.chat.wording_library import bare, nearest_sentences
from tests.agent.chat.conftest import Chat


def test_the_sentences_nearest_to_the_question_are_shown():
    text = "- Heads copy names.\n- Sinks take attention (2023). *They* idle.\n- Nothing else."
    assert nearest_sentences(text, "what do sinks do with attention") == "Sinks take attention (2023). *They* idle."


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("> [!summary] 한국어\n> 요약이다.", "요약이다."),
        ("- *Emphasis* stays.", "*Emphasis* stays."),
        ("| safety | [[steering-vector]] | a lever |", "safety · [[steering-vector]] · a lever"),
    ],
)
def test_marks_around_a_sentence_are_left_off(sentence: str, shown: str):
    assert bare(sentence) == shown


def test_a_citation_spans_all_that_is_cited_from_its_passage(chat: Chat):
    answer = chat.ask("summarise the IOI paper")
    cited = {citation.passage_id: citation.quote for citation in answer.citations}
    for line in answer.text.splitlines():
        for name, quote in cited.items():
            if line.startswith("- ") and line.endswith(f"[^p:{name}]") and not line.endswith(f"… [^p:{name}]"):
                assert line[2:].partition(" [^p:")[0] in " ".join(quote.split())


def test_a_summary_says_how_its_claims_would_be_tested(chat: Chat):
    answer = chat.ask("summarise the IOI paper")
    assert "refuted if: near-zero or negative direct effect" in answer.text


def test_a_korean_search_is_answered_in_korean_where_the_note_is(chat: Chat):
    answer = chat.ask("어텐션 헤드를 절제해도 성능이 유지되는 까닭은?")
    assert "[^p:" in answer.text
    first = answer.text.splitlines()[1]
    assert any("가" <= letter <= "힣" for letter in first)
    assert answer.struck == []


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("the attention map shows it, so it is the circuit, right?", "search"),
        ("what does head 9.9 do in GPT-2 small?", "search"),
        ("find the circuit for IOI", "investigate"),
        ("can you map the circuit of IOI?", "investigate"),
    ],
)
def test_only_a_request_starts_an_investigation(question: str, intent: str):
    assert route(question, []).intent == intent


def test_claims_of_the_literature_are_listed_on_the_topic(chat: Chat):
    answer = chat.ask("claims of the literature about IOI")
    assert "Name movers copy the IO name" in answer.text
    assert route("claims of the literature about self-repair", []).arguments == {"about": "self-repair"}


def test_a_claim_that_cannot_be_tested_here_says_why(chat: Chat):
    answer = chat.ask("Can this be tested in this model? Necessity is hidden by nothing (nobody-2020#1)")
    assert "claims of the literature are called" in answer.text
    assert chat.tools() == ["test_paper_claim"]


def test_a_claim_about_a_task_here_becomes_an_investigation_of_it(chat: Chat, monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[str, str]] = []

    def investigate(question: str, task: str = "") -> Found:
        asked.append((question, task))
        return Found(kind="nothing", text="")

    monkeypatch.setattr(chat.toolbox, "investigate", investigate)
    found = chat.toolbox.test_paper_claim("ioi-wang-2022#3")
    assert asked == [("investigate how this model does ioi", "ioi")]
    assert "10.7" in found.text
    assert "do not carry over" in found.data["carried"]["en"]


def test_an_anti_pattern_is_told_by_what_is_held_against_it(chat: Chat):
    folder = Path(__file__).resolve().parents[3] / "kb" / "starter" / "guides"
    chat.toolbox.library.add(folder / "anti-pattern-single-neuron-is-concept.md")
    try:
        answer = chat.ask("we found a neuron for it, so one neuron is one concept, right?")
    finally:
        chat.toolbox.library.remove("anti-pattern-single-neuron-is-concept")
    first = answer.text.splitlines()[1]
    assert "Anti-pattern: one neuron is one concept" in first
    assert "Speak from then on" not in answer.text
    assert answer.struck == []


def test_two_names_of_one_note_are_not_compared_with_themselves(chat: Chat):
    chat.ask("compare self-repair and the Hydra effect")
    assert chat.tools() == ["compare_papers", "search_library"]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("what does the wiki say about kubernetes ingress timeouts in Zanzibar?", "`kubernetes`"),
        ("쿠버네티스 인그레스 타임아웃은 어떻게 설정해?", "라이브러리에 없는 말"),
    ],
)
def test_a_declined_question_is_told_what_is_missing_and_what_came_nearest(chat: Chat, question: str, says: str):
    answer = chat.ask(question)
    assert says in answer.text
    assert len(answer.citations) <= 3
    assert answer.struck == []
