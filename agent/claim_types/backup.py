"""T1b's hidden half: a component is a backup, silent alone and missed only once another one is gone.

Critical: removing both costs more than removing the main one alone (C1, paired by prompt), and removing the backup
alone costs nothing (C2), so that a second contributor is no backup. Zero ablation: resampling leaves the signals in
place that keep a backup asleep. One intervention reaches rung 2. METHOD sections 2 (T1, T1b, T11) and 6.1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.cards import VerdictWord
from agent.claim_types.necessity import ablation, assay, floors, interval_words, task_params
from agent.claims import Claim, ClaimType, register_type, spoken, task_word
from agent.findings import Finding
from agent.predictions import Look, Prediction
from agent.rules import DifferenceRule, ReportRule, WithinRule
from agent.situation import Situation

LOOKS = (Look(n=64, alpha=0.01),)


def _names(claim: Claim) -> tuple[str, str]:
    """The backup and what it backs up."""
    backup, main = claim.components
    return backup, main


def _wording(claim: Claim) -> str:
    backup, main = _names(claim)
    return f"{spoken(backup)} steps in for {spoken(main)} on {task_word(claim.task)} when that is removed"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    backup, main = _names(claim)
    base: dict[str, Any] = {**task_params(claim, situation), "method": "zero"}
    delta0, delta1 = floors(claim, situation)
    alone = ReportRule(array="harm_per_prompt", quantity=f"harm of {main} alone", delta0=delta0, delta1=delta1)
    extra = DifferenceRule(
        array="harm_per_prompt",
        quantity=f"extra harm of {backup} beside {main}",
        minus_key="K1",
        delta0=delta0,
        delta1=delta1,
    )
    silent = WithinRule(array="harm_per_prompt", quantity=f"harm of {backup} alone", delta1=delta1)
    single = {**base, "components": [main]}
    return [
        assay(claim, situation),
        Prediction(
            key="K1", role="corroborating", experiment="head-ablation", params=single, rule=alone, looks=LOOKS, rung=2
        ),
        ablation("C1", {**base, "components": [main, backup], "joint": True}, extra, looks=LOOKS, rung=2),
        ablation("C2", {**base, "components": [backup]}, silent, looks=LOOKS, rung=2),
    ]


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del claim, predictions
    return {"idle_component": ["C1"], "second_contributor": ["C2"], "wrong_main": ["C1"]}


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    backup, main = (spoken(name) for name in _names(claim))
    task, shown = task_word(claim.task), interval_words(findings.get("C1"))
    if verdict == "supported":
        return (
            f"with {main} zeroed, zeroing {backup} too lowers {task} by another {shown} of the gap; alone it does not"
        )
    if verdict == "refuted":
        return f"{backup} does not step in for {main} on {task} (extra harm {shown} of the gap)"
    return f"whether {backup} steps in for {main} stays open" + (f" (extra harm {shown})" if shown else "")


BACKUP = register_type(
    ClaimType(
        name="backup",
        code="T1b",
        rung=lambda claim: 2,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        narrower="Test the two together (joint necessity), or the component alone.",
    )
)
