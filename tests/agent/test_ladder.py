"""Words and rungs: no sentence of the court overreaches, others' sentences are capped."""

from dataclasses import replace

import pytest

import agent.claims as claims_module
from agent.claims import Claim, claim_types
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


DETAILS: dict[str, dict[str, object]] = {
    "head-role": {"role": "s-inhibition"},
    "target-role": {"target": "previous", "carries": "token"},
    "decoding": {"target": "order"},
    "value-role": {"value": "odd-index"},
}
PARTS = {
    "edge": ("a1.h0", "a2.h0"),
    "comparison": ("a1.h0", "a2.h0"),
    "backup": ("a1.h0", "a2.h0"),
    "decoding": ("resid20@END",),
    "value-role": ("m3",),
    "quiet-layers": ("a3", "a4"),
    "readable": ("resid20@END",),
}


@pytest.mark.parametrize("kind", list(claim_types()))
def test_no_type_says_more_than_its_rung_when_it_is_supported(kind: str):
    parts = PARTS.get(kind, ("a1.h0", "a2.h0") if "group" in kind or "circuit" in kind else ("a1.h0",))
    claim = Claim(type=kind, model="smollm2", task="ioi", components=parts, details=DETAILS.get(kind, {}))
    assert overreach(claim.kind.displayed(claim, "supported", {}), claim.kind.rung(claim)) == []


def test_a_sentence_above_its_rung_is_replaced_in_the_verdict(monkeypatch: pytest.MonkeyPatch):
    record = registration()
    too_much = replace(record.claim.kind, displayed=lambda claim, word, findings: "a20.h0 implements IOI")
    monkeypatch.setitem(claims_module._TYPES, "necessity", too_much)
    shown = judge(record, necessity_evidence(0.36)).displayed
    assert shown.startswith("what was registered for a20.h0 holds (rung 3")
