"""What does not resolve is struck out, visibly; what does stays as it was written."""

import pytest

from agent.answer import Citation
from agent.answer_check import check_answer
from agent.chat.found import Found

PASSAGE = Citation(
    passage_id="p1",
    document_id="ioi-wang-2022",
    title="IOI",
    start=0,
    end=60,
    quote="The circuit has 26 heads in seven groups and recovers 87% of the behaviour.",
)
FOUND = [
    Found(kind="passages", text=PASSAGE.quote, citations=[PASSAGE]),
    Found(kind="claim", text="harm 0.3581 [0.312, 0.404], n 32; direct -0.0142", results=["r1"], claims=["c1"]),
]


def checked(text: str, question: str = "is head 20.0 necessary?"):
    return check_answer(text, FOUND, question=question, llm="test")


@pytest.mark.parametrize(
    "text",
    [
        "It has 26 heads [^p:p1].",
        "Removing it costs 0.36 of the gap (36%), or 0.358.",
        "The interval is [0.31, 0.40] with n 32.",
        "The direct effect is -0.014; that is 1.4 % the other way.",
        "Head 20.0 and `a17.h4` and L23H0 are names.",
        "1. first\n2. second",
        'They say "The circuit has 26 heads in seven groups" [^p:p1].',
        'A "true" circuit of seven groups and many heads is not the "only" one [^p:p1].',
    ],
)
def test_what_resolves_stays(text: str):
    answer = checked(text)
    assert answer.struck == []
    assert answer.text == text


@pytest.mark.parametrize(
    ("text", "struck"),
    [
        ("Removing it costs 0.42 of the gap.", "0.42"),
        ("Removing it costs 37% of the gap.", "37%"),
        ("The direct effect is +0.014.", "+0.014"),
        ("It has 27 heads.", "27"),
        ("The interval is 0.359.", "0.359"),
    ],
)
def test_an_invented_number_is_struck(text: str, struck: str):
    answer = checked(text)
    assert answer.struck == [struck]
    assert f"~~{struck}~~" in answer.text


def test_an_invented_quotation_is_struck_whole():
    answer = checked('They say "the circuit has only three heads in it".')
    assert answer.text == 'They say ~~"the circuit has only three heads in it"~~.'


def test_an_unknown_marker_is_taken_out_and_listed():
    answer = checked("So it is [^p:p9] and [^r:r1] and [^c:c7].")
    assert answer.text == "So it is  and [^r:r1] and ."
    assert answer.struck == ["[^p:p9]", "[^c:c7]"]


def test_citations_results_and_claims_come_in_order_of_mention():
    answer = checked("See [^r:r1], [^p:p1], [^c:c1], [^r:r1].")
    assert [c.passage_id for c in answer.citations] == ["p1"]
    assert (answer.results, answer.claims) == (["r1"], ["c1"])


def test_numbers_of_the_question_may_be_repeated():
    assert checked("You asked about 512 prompts.", question="with 512 prompts?").struck == []
