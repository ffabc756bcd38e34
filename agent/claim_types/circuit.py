"""T5: a set of components is a faithful circuit for the behaviour; complete and minimal where the sentence says so.

Critical: faithfulness near 1 under resample (C1) and mean ablation (C1m), small deviation per prompt (C2d) and agreement
with the model's top token (C2a), better than random circuits of the same layer profile (C3); for "complete" the rest
without the circuit (C4c) and random halves (C4h); for "minimal" every member's part (C5); for "specific" two control
behaviours (S1, S2, C6 in METHOD). METHOD section 2, T5, with its
thresholds; guard G10: mean faithfulness alone is never enough. "The circuit" is displayed as "a faithful circuit" (G16).
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from agent.cards import VerdictWord
from agent.claim_types.necessity import ablation, assay, task_params
from agent.claim_types.specificity import control_predictions, find_controls, lacks_control, near_miss_rows
from agent.claims import Claim, ClaimType, Details, listed, register_type, task_word
from agent.findings import Finding, failures
from agent.predictions import Look, Prediction
from agent.rules import EffectRule, RangeRule
from agent.situation import Situation

LOOKS = (Look(n=64, alpha=0.01),)


class CircuitDetails(Details):
    """What is claimed beyond faithfulness."""

    complete: bool = Field(default=False, description="nothing outside it does the work too")
    minimal: bool = Field(default=False, description="every member contributes")


def _detail(claim: Claim) -> CircuitDetails:
    detail = claim.detail()
    assert isinstance(detail, CircuitDetails), detail
    return detail


def _kind_of(claim: Claim) -> str:
    detail = _detail(claim)
    more = ["specific"] * claim.specific + ["complete"] * detail.complete + ["minimal"] * detail.minimal
    return listed(["faithful", *more])


def _members(claim: Claim) -> str:
    names = claim.components
    return listed(list(names)) if len(names) <= 8 else f"{listed(list(names[:3]))} and {len(names) - 3} more"


def _wording(claim: Claim) -> str:
    return f"{_members(claim)} form a {_kind_of(claim)} circuit for {task_word(claim.task)}"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    detail = _detail(claim)
    faithful = RangeRule(quantity="faithfulness", estimate="faithfulness", least=0.80, most=1.20, slack=0.10)
    rules = {
        "C1": faithful,
        "C1m": faithful.model_copy(update={"quantity": "faithfulness (mean)", "estimate": "faithfulness_mean"}),
        "C2d": RangeRule(quantity="deviation per prompt", estimate="deviation", most=0.35),
        "C2a": RangeRule(quantity="agreement with the model", estimate="agreement", least=0.60),
        "C3": RangeRule(quantity="share of random circuits beaten", estimate="random_beaten", least=0.95),
    }
    if detail.complete:
        rules["C4c"] = RangeRule(quantity="the rest without it", estimate="complement", most=0.20, slack=0.30)
        rules["C4h"] = RangeRule(quantity="incompleteness", estimate="incompleteness", most=0.15)
    if detail.minimal:
        rules["C5"] = RangeRule(quantity="smallest member's part", estimate="smallest_part", least=0.01)
    params = {
        **task_params(claim, situation),
        "components": sorted(claim.components),
        "n_random_any": 0,
        "n_subsets": 20 if detail.complete else 0,
        "minimal": detail.minimal,
    }
    found = [assay(claim, situation)]
    for key, rule in rules.items():
        found.append(
            Prediction(
                key=key,
                role="critical",
                experiment="circuit-evaluation",
                params=params,
                rule=rule,
                looks=LOOKS,
                rung=5 if key == "C1" else 3,
            )
        )
    return found + (_specific(claim, situation) if claim.specific else [])


def _specific(claim: Claim, situation: Situation) -> list[Prediction]:
    """Removing the whole circuit costs the task (B1), and each of two control behaviours at most half as much (S1, S2)."""
    params = {**task_params(claim, situation), "components": sorted(claim.components), "joint": True}
    costs = EffectRule(array="harm_per_prompt", quantity="harm of removing the circuit", delta0=0.05, delta1=0.25)
    removed = ablation("B1", {**params, "method": "resample"}, costs, looks=LOOKS)
    return [removed, *control_predictions(claim, situation, "B1")]


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    table = near_miss_rows(predictions) | {
        "member_missing": ["C1", "C2d"],
        "only_positive_members": ["C2d", "C2a"],
        "random_circuit": ["C1", "C3"],
        "one_ablation_only": ["C1m"],
    }
    if _detail(claim).complete:
        table["another_circuit_beside_it"] = ["C4c", "C4h"]
    if _detail(claim).minimal:
        table["idle_member"] = ["C5"]
    return table


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    task = task_word(claim.task)
    if verdict == "supported":
        return f"{_members(claim)} are a {_kind_of(claim)} circuit for {task} under resample and mean ablation"
    if verdict == "refuted":
        return f"{_members(claim)} do not carry {task} as claimed ({failures(findings)})"
    return f"whether {_members(claim)} carry {task} stays open"


CIRCUIT = register_type(
    ClaimType(
        name="circuit",
        code="T5",
        rung=lambda claim: 5,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=CircuitDetails,
        explore=lambda claim, situation, run: find_controls(claim, situation, run, 2),
        untested=lambda claim, predictions: lacks_control(claim, predictions, 2),
        narrower="Test the members one at a time, or their joint necessity.",
    )
)
