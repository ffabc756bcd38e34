"""T5 in its strictest form: exactly these components take part, none is missing and none is idle. Small models only.

Critical: each listed component changes the behaviour when removed, for better or worse (M1, M2, ..., by the intervention
that showed most on explore prompts), and removing everything else at once, by each of three interventions, changes nothing (X1 to X3).
METHOD section 2, T5-C4 and C5, with every element and the whole complement in place of samples of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.cards import VerdictWord
from agent.claim_types.necessity import ablation, assay, task_params
from agent.claims import FLOORS, Claim, ClaimType, listed, register_type, spoken, task_word
from agent.errors import ClaimError
from agent.findings import Finding, failures
from agent.predictions import Look, Prediction
from agent.rules import ChangeRule, WithinRule
from agent.situation import ScreenFacts, Situation

LOOKS = (Look(n=64, alpha=0.01),)
REST = 0.05


def _wording(claim: Claim) -> str:
    what = listed([spoken(name) for name in claim.components])
    return f"exactly {what} take part in {task_word(claim.task)}"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    screen = situation.screen
    if screen is None or not screen.exact:
        raise ClaimError(
            "That exactly these components take part can be tested on small models only (at most 64 heads and MLPs), "
            "where everything else can be removed at once. Claim that the circuit is faithful instead."
        )
    params = task_params(claim, situation)
    found = [assay(claim, situation)]
    for k, name in enumerate(claim.components, start=1):
        found.append(_member(f"M{k}", name, params, screen))
    rest = [n for n in situation.model.heads() + situation.model.mlps() if n not in claim.components]
    return found + (_complement(rest, params) if rest else [])


def _member(key: str, name: str, params: dict[str, Any], screen: ScreenFacts) -> Prediction:
    method = screen.strongest_method(name)
    delta0, delta1 = FLOORS["minor"]
    rule = ChangeRule(array="harm_per_prompt", quantity=f"{method} harm of {name}", delta0=delta0, delta1=delta1)
    return ablation(key, {**params, "components": [name], "method": method}, rule, looks=LOOKS)


def _complement(rest: list[str], params: dict[str, Any]) -> list[Prediction]:
    found: list[Prediction] = []
    for k, method in enumerate(("resample", "mean", "zero"), start=1):
        rule = WithinRule(array="harm_per_prompt", quantity=f"{method} harm of everything else", delta1=REST)
        call = {**params, "components": rest, "joint": True, "method": method}
        found.append(ablation(f"X{k}", call, rule, looks=LOOKS, rung=4))
    return found


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del claim
    keys = [one.key for one in predictions if one.role == "critical"]
    table = {"idle_member": [key for key in keys if key.startswith("M")]}
    if rest := [key for key in keys if key.startswith("X")]:
        table["missing_member"] = rest
    return table


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    what, task = listed([spoken(name) for name in claim.components]), task_word(claim.task)
    if verdict == "supported":
        return f"{what} form a complete and minimal circuit for {task}: each matters, and nothing else does"
    if verdict == "refuted":
        return f"{what} are not exactly the components of {task} ({failures(findings)})"
    return f"whether exactly {what} take part in {task} stays open"


EXACT_CIRCUIT = register_type(
    ClaimType(
        name="exact-circuit",
        code="T5",
        rung=lambda claim: 5,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        narrower="Test the members one at a time.",
    )
)
