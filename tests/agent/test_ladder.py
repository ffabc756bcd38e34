"""Words and rungs: no sentence of the court overreaches, others' sentences are capped."""

import pytest

from agent.judge import judge
from agent.ladder import capped, overreach
from tests.agent.made import necessity_evidence, registration


@pytest.mark.parametrize(
    ("sentence", "rung", "words"),
    [
        ("a20.h0 attends to S2", 1, []),
        ("a20.h0 causes the answer", 2, ["causes"]),
        ("a20.h0 implements IOI", 3, ["implements"]),
        ("a23.h0 is a name mover and feeds the output", 3, ["is a name mover", "feeds"]),
        ("a20.h0 contributes to IOI", 3, []),
        ("it generalises to all models", 5, ["generalises", "all models"]),
    ],
)
def test_words_beyond_a_rung(sentence: str, rung: int, words: list[str]):
    assert [one.word for one in overreach(sentence, rung)] == words


def test_an_overreaching_sentence_is_replaced_and_says_why():
    shown = capped("a20.h0 implements IOI", 3, "head a20.h0 contributes to IOI")
    assert shown.startswith("head a20.h0 contributes to IOI (rung 3")
    assert "'implements' would need rung 5" in shown


@pytest.mark.parametrize("harm", [0.36, 0.0, 0.06, -0.2])
def test_the_courts_own_sentences_never_overreach(harm: float):
    verdict = judge(registration(), necessity_evidence(harm))
    assert overreach(verdict.displayed, 3) == []
