"""Parts of papers are asked for, and short questions rest on the one before."""

import pytest

from agent.chat.follow_up import in_context
from agent.chat.router import route
from tests.agent.chat.conftest import Chat

SUMMARISE = "summarise the Hydra effect paper"


@pytest.mark.parametrize(
    ("question", "subject", "part"),
    [
        ("Who wrote the induction heads paper?", "induction heads", "source"),
        ("유도 헤드 논문은 누가 썼어?", "유도 헤드", "source"),
        ("when was ACDC published and by whom?", "ACDC", "source"),
        ("what are the limits of the logit lens?", "logit lens", "limits"),
        ("SAE 시드 논문의 한계는?", "SAE 시드", "limits"),
        ("what are the main findings of the MIB paper?", "MIB", "findings"),
        ("거부 방향 논문의 결과는?", "거부 방향", "findings"),
        ("how can I test self-repair?", "self-repair", "tests"),
    ],
)
def test_one_part_of_a_paper_is_asked_for(question: str, subject: str, part: str):
    found = route(question, [])
    assert (found.intent, found.subject, found.arguments["part"]) == ("summarise", subject, part)


@pytest.mark.parametrize("question", ["what results are published on steering?", "what problems do SAEs have?"])
def test_a_question_about_a_field_is_searched(question: str):
    assert route(question, []).intent in ("search", "define")


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("and its limits?", "limits"),
        ("who wrote it?", "source"),
        ("what could I test from it here?", "tests"),
        ("그 논문의 한계는?", "limits"),
        ("누가 썼어?", "source"),
    ],
)
def test_a_pronoun_is_the_subject_before(question: str, part: str):
    found = in_context(question, [SUMMARISE], [])
    assert (found.subject, found.arguments["part"], found.arguments["kind"]) == ("Hydra effect", part, "paper")


def test_a_new_subject_repeats_what_was_asked():
    found = in_context("what about ACDC?", [SUMMARISE, "and its limits?"], [])
    assert (found.subject, found.arguments["part"]) == ("ACDC", "limits")


def test_a_question_of_its_own_rests_on_nothing():
    assert in_context("what is superposition?", [SUMMARISE], []).subject == "superposition"
    assert in_context("is head 20.0 necessary for IOI?", [SUMMARISE], []).intent == "verify"


def test_the_limits_of_the_paper_before_are_told(chat: Chat):
    history = [
        {"role": "user", "content": {"text": "IOI 논문 요약해 줘"}},
        {"role": "assistant", "content": {"text": "..."}},
    ]
    answer = chat.ask("그 논문의 한계는?", history=history)
    assert {citation.document_id for citation in answer.citations} == {"ioi-wang-2022"}
    assert "15 templates" in answer.text
    assert "26 heads" not in answer.text


def test_authors_and_year_are_told_from_the_source(chat: Chat):
    answer = chat.ask("who wrote the IOI paper?")
    assert "Kevin Wang" in answer.text
    assert "2022" in answer.text
    assert answer.struck == []
