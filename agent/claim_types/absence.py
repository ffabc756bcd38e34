"""T11: a component is not involved: harm, restore and direct effect are all negligible, intervals included.

Removing one component misses backups, so on small models the component is also removed on top of each of the strongest
others and must change nothing there either (B1, B2, ...). "Leaves every answer unchanged" is tested on each prompt.
A sentence that names its own intervention is tested with that one alone. METHOD section 2, T11; guard G7.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from agent.cards import VerdictWord
from agent.claim_types.necessity import (
    INTERVENTION_WORDS,
    Intervention,
    ablation,
    assay,
    floors,
    interval_words,
    task_params,
)
from agent.claims import Claim, ClaimType, Details, register_type, spoken, task_word
from agent.findings import Finding, failures
from agent.predictions import Look, Prediction
from agent.rules import EverywhereRule, NoGainRule, ReportRule, Rule, WithinRule
from agent.situation import Situation

LOOKS = (Look(n=64, alpha=0.01),)
BOUND = 0.02
BACKED_UP = 3


class AbsenceDetails(Details):
    """How absolute the sentence is, and which interventions it names."""

    everywhere: bool = Field(default=False, description="the sentence says that every single answer stays unchanged")
    interventions: tuple[Intervention, ...] = Field(default=(), description="named ones; METHOD's when empty")


def _detail(claim: Claim) -> AbsenceDetails:
    detail = claim.detail()
    assert isinstance(detail, AbsenceDetails), detail
    return detail


def _wording(claim: Claim) -> str:
    what, task, detail = spoken(claim.components[0]), task_word(claim.task), _detail(claim)
    if detail.interventions:
        done = " or ".join(INTERVENTION_WORDS[name].format(what) for name in detail.interventions)
        return f"{done} leaves {task} unchanged" + (" on every prompt" if detail.everywhere else "")
    return f"{what} is not needed for {task}" + (" on any prompt" if detail.everywhere else "")


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    detail, base = _detail(claim), {**task_params(claim, situation), "components": list(claim.components)}
    delta1 = floors(claim, situation)[1]
    small = situation.screen is not None and situation.screen.exact
    named = detail.interventions or (("resample", "mean", "zero") if small else ("resample", "mean"))
    found = [assay(claim, situation)]
    for k, method in enumerate(named, start=1):
        rule = _rule(f"{method} harm", "harm_per_prompt", delta1, detail.everywhere)
        found.append(ablation(f"C{k}", {**base, "method": method}, rule, looks=LOOKS))
    if detail.interventions:
        return found
    found.append(ablation("D1", {**base, "method": "resample"}, _direct(delta1), looks=LOOKS, rung=1))
    restore = WithinRule(array="restore_per_prompt", quantity="restore", delta1=delta1)
    found.append(
        Prediction(
            key="R1", role="critical", experiment="head-patching", params=base, rule=restore, looks=LOOKS, rung=3
        )
    )
    return found + (backups(claim.components, claim, situation, delta1) if small else [])


def _rule(quantity: str, array: str, delta1: float, everywhere: bool) -> Rule:
    if everywhere:
        return EverywhereRule(array=array, quantity=quantity, bound=BOUND, delta1=delta1)
    return WithinRule(array=array, quantity=quantity, delta1=delta1)


def _direct(delta1: float) -> WithinRule:
    return WithinRule(array="direct_per_prompt", quantity="direct effect", delta1=delta1)


def backups(parts: Sequence[str], claim: Claim, situation: Situation, delta1: float) -> list[Prediction]:
    """Zeroing the parts on top of each of the strongest others changes nothing more than zeroing that other."""
    assert situation.screen is not None
    strongest = situation.screen.partners(parts, BACKED_UP)
    base: dict[str, Any] = {**task_params(claim, situation), "method": "zero"}
    found: list[Prediction] = []
    for k, other in enumerate(strongest, start=1):
        alone = ReportRule(array="harm_per_prompt", quantity=f"harm of {other} alone", delta0=0.0, delta1=delta1)
        found.append(
            Prediction(
                key=f"K{k}",
                role="corroborating",
                experiment="head-ablation",
                params={**base, "components": [other]},
                rule=alone,
                looks=LOOKS,
            )
        )
        gain = NoGainRule(
            array="harm_per_prompt", quantity=f"extra harm beside {other}", minus_key=f"K{k}", delta1=delta1
        )
        both = {**base, "components": sorted([other, *parts]), "joint": True}
        found.append(ablation(f"B{k}", both, gain, looks=LOOKS))
    return found


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    keys = [one.key for one in predictions if one.role == "critical"]
    table = {"component_that_matters": ["C1"], "holds_the_behaviour_back": ["C1"]}
    if not _detail(claim).interventions:
        table |= {"self_repaired_component": ["D1", "R1"], "sufficient_but_not_necessary": ["R1"]}
    if backups := [key for key in keys if key.startswith("B")]:
        table["backup"] = backups
    return table


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    what, task = spoken(claim.components[0]), task_word(claim.task)
    shown = interval_words(findings.get("C1"))
    if verdict == "supported" and _detail(claim).interventions:
        return f"{_wording(claim)} (harm {shown} of the gap)"
    if verdict == "supported":
        return f"{what} has no effect on {task} beyond the floor (harm {shown} of the gap)"
    if verdict == "refuted":
        return f"{what} is involved in {task} ({failures(findings)})"
    return f"whether {what} is involved in {task} stays open" + (f" (harm {shown})" if shown else "")


ABSENCE = register_type(
    ClaimType(
        name="absence",
        code="T11",
        rung=lambda claim: 2 if _detail(claim).interventions else 3,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=AbsenceDetails,
        narrower="Test what it does: its necessity, or what patching it in restores.",
    )
)
