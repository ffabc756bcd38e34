from pathlib import Path

import pytest

from agent.answer import Citation
from agent.cards import ClaimCard, PredictionCard
from agent.claim_notes import Judgement, keep_finding, note_id, note_text, standing_of
from agent.errors import AgentError
from kb.library import Library

DAY1, DAY2, DAY3 = "2026-01-01T10:00:00", "2026-02-01T10:00:00", "2026-03-01T10:00:00"


def card(verdict: str | None = "supported") -> ClaimCard:
    prediction = PredictionCard(
        prediction_id="p1",
        key="C1",
        role="critical",
        experiment="head-ablation",
        params={},
        expects="resample harm at least 0.05",
        quantity="resample harm",
        estimate=0.361,
        interval=(0.32, 0.4),
        n=32,
        outcome="pass",
        result_ids=["r123"],
    )
    return ClaimCard.model_validate(
        {
            "claim_id": "c77",
            "type": "necessity",
            "text": "head a20.h0 is necessary for IOI",
            "model": "smollm2",
            "task": "ioi",
            "components": ["a20.h0"],
            "verdict": verdict,
            "reason": "C1: resample harm 0.361 is at least 0.05",
            "rung": 3,
            "scope": "SmolLM2; 32 confirm prompts",
            "created_at": DAY1,
            "judged_at": DAY1,
            "displayed": "head a20.h0 contributes to IOI (removing it costs 0.36 of the gap)",
            "predictions": [prediction],
            "prereg_hash": "ab" * 32,
            "confirm_seed": 1,
            "registered_at": DAY1,
            "method_version": "1",
        }
    )


def source(trust: str) -> Citation:
    return Citation(passage_id="p", document_id="ioi-wang-2022", title="IOI", start=0, end=3, quote="abc", trust=trust)


def judged(*verdicts: str) -> list[Judgement]:
    days = (DAY1, DAY2, DAY3)
    return [
        Judgement.model_validate({"at": at, "verdict": v, "prereg": "ab"})
        for at, v in zip(days, verdicts, strict=False)
    ]


@pytest.fixture
def library(tmp_path: Path):
    with Library.open(tmp_path / "library") as opened:
        yield opened


def test_the_same_verdict_again_reinforces():
    once, twice = standing_of(judged("supported")), standing_of(judged("supported", "supported"))
    assert twice.verification == once.verification == "verified"
    assert twice.confidence > once.confidence


def test_the_opposite_verdict_retracts():
    standing = standing_of(judged("supported", "refuted"))
    assert standing.verification == "retracted"
    assert standing.confidence == 0.1


def test_an_inconclusive_verdict_after_a_decided_one_disputes():
    assert standing_of(judged("supported", "inconclusive")).verification == "disputed"


def test_confidence_has_a_ceiling():
    history = [Judgement(at=f"2026-01-{day:02}", verdict="supported", prereg="ab") for day in range(1, 20)]
    assert standing_of(history).confidence == 0.8


def test_a_note_never_has_more_trust_than_its_sources():
    text = note_text(card(), judged("supported"), [source("high"), source("low")])
    assert "source_trust_level: low" in text


def test_a_note_never_has_more_confidence_than_its_sources():
    assert "confidence_score: 0.4" in note_text(card(), judged("supported"), [source("high")], confidences=[0.4])


def test_the_note_stands_in_the_library_with_its_evidence(library: Library):
    keep_finding(card(), library, at=DAY1)
    document = library.document(note_id(card()))
    assert document.verification == "verified"
    assert "result:r123" in document.front["raw_sources"]
    assert "0.361 [0.320, 0.400]" in document.text


def test_judging_again_moves_last_reinforced_and_confidence(library: Library):
    keep_finding(card(), library, at=DAY1)
    keep_finding(card(), library, at=DAY2)
    document = library.document(note_id(card()))
    assert document.front["last_reinforced"] == DAY2[:10]
    assert document.confidence == 0.65


def test_the_same_judgement_twice_changes_nothing(library: Library):
    keep_finding(card(), library, at=DAY1)
    keep_finding(card(), library, at=DAY1)
    assert library.document(note_id(card())).confidence == 0.6


def test_a_later_refutation_retracts_the_note_and_keeps_its_day(library: Library):
    keep_finding(card(), library, at=DAY1)
    keep_finding(card("refuted"), library, at=DAY2)
    document = library.document(note_id(card()))
    assert document.verification == "retracted"
    assert document.front["last_reinforced"] == DAY1[:10]


def test_a_claim_without_verdict_is_no_finding(library: Library):
    with pytest.raises(AgentError, match="no verdict yet"):
        keep_finding(card(None), library, at=DAY1)
