"""T12: one component matters more than another: a paired per-prompt difference of their resample harms.

METHOD section 2, T12. The larger one must also matter by itself (C2), so that two irrelevant heads cannot be ranked.
"""

from collections.abc import Mapping, Sequence

from agent.cards import VerdictWord
from agent.claim_types.necessity import ablation, assay, floors, interval_words, task_params
from agent.claims import Claim, ClaimType, register_type, spoken, task_word
from agent.findings import Finding
from agent.predictions import Prediction
from agent.rules import DifferenceRule, EffectRule
from agent.situation import Situation

DELTA0, DELTA1 = 0.01, 0.03


def _wording(claim: Claim) -> str:
    first, second = (spoken(name) for name in claim.components)
    return f"{first} matters more than {second} for {task_word(claim.task)}"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    first, second = claim.components
    both = {**task_params(claim, situation), "components": [first, second], "method": "resample"}
    more = DifferenceRule(
        array="harm_per_prompt",
        quantity="difference of resample harms",
        row=first,
        minus_row=second,
        delta0=DELTA0,
        delta1=DELTA1,
    )
    delta0, delta1 = floors(claim, situation)
    matters = EffectRule(
        array="harm_per_prompt", quantity="resample harm", row=first, delta0=delta0, delta1=delta1, refutes=False
    )
    return [assay(claim, situation), ablation("C1", both, more), ablation("C2", both, matters)]


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del claim, predictions
    return {"the_other_way_round": ["C1"], "equally_important": ["C1"], "neither_matters": ["C1", "C2"]}


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    first, second = (spoken(name) for name in claim.components)
    task, shown = task_word(claim.task), interval_words(findings.get("C1"))
    if verdict == "supported":
        return f"removing {first} costs {task} more than removing {second} (by {shown} of the gap)"
    if verdict == "refuted":
        return f"removing {first} does not cost {task} more than removing {second} (difference {shown} of the gap)"
    return f"whether {first} matters more than {second} stays open" + (f" (difference {shown})" if shown else "")


COMPARISON = register_type(
    ClaimType(
        name="comparison",
        code="T12",
        rung=lambda claim: 3,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
    )
)
