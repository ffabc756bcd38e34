"""T1b: a set of components, removed together, is needed for the behaviour.

Critical: joint resample harm against the floor of groups (C1), joint mean-ablation agreement (C2), rank among random
sets of the same size and layer profile (C3, in models that have enough other components). METHOD section 2, T1b.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from agent.cards import VerdictWord
from agent.claim_types.necessity import ablation, assay, interval_words, task_params
from agent.claim_types.specificity import control_predictions, find_controls, lacks_control, near_miss_rows
from agent.claims import Claim, ClaimType, listed, register_type, spoken, task_word
from agent.findings import Finding
from agent.predictions import ONE_LOOK, Prediction
from agent.rules import AgreementRule, EffectRule, RankRule
from agent.situation import CONTROLS, Situation
from tools.component import parse_component

DELTA0, DELTA1 = 0.05, 0.25


def _wording(claim: Claim) -> str:
    what, task = listed([spoken(name) for name in claim.components]), task_word(claim.task)
    if claim.direction == "hurts":
        return f"removing {what} together improves {task}"
    return f"{what} are together necessary {'specifically ' if claim.specific else ''}for {task}"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    sign: Literal[1, -1] = 1 if claim.direction == "helps" else -1
    base = {**task_params(claim, situation), "components": list(claim.components), "joint": True}
    harm = EffectRule(array="harm_per_prompt", quantity="joint resample harm", sign=sign, delta0=DELTA0, delta1=DELTA1)
    agrees = AgreementRule(array="harm_per_prompt", quantity="joint mean-ablation harm", sign=sign, least=DELTA0)
    found = [
        assay(claim, situation),
        ablation("C1", {**base, "method": "resample"}, harm),
        ablation("C2", {**base, "method": "mean"}, agrees),
        *control_predictions(claim, situation, "C1", sign),
    ]
    if not _enough_random_sets(claim, situation):
        return found
    rank = RankRule(array="harm_per_prompt", controls="control_harm", quantity="joint resample harm", sign=sign)
    drawn = {"n_controls": CONTROLS, "exclude": situation.excluded(), "control_seed": int(claim.claim_id[1:9], 16)}
    return [*found, ablation("C3", {**base, "method": "resample", **drawn}, rank, looks=ONE_LOOK)]


def _enough_random_sets(claim: Claim, situation: Situation) -> bool:
    """Whether each member has at least four un-nominated others in its layer, so that 39 random sets differ."""
    free = set(situation.model.heads() + situation.model.mlps()) - set(situation.excluded()) - set(claim.components)
    layers = [parse_component(name).layer for name in claim.components]
    return all(sum(parse_component(name).layer == layer for name in free) >= 4 for layer in layers)


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del claim
    return near_miss_rows(predictions) | {
        "wrong_set": ["C1"],
        "wrong_direction": ["C1"],
        "effect_of_one_ablation_only": ["C2"],
        "no_more_than_any_set": ["C1", "C3"],
    }


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    what, task = listed([spoken(name) for name in claim.components]), task_word(claim.task)
    shown = interval_words(findings.get("C1"))
    if verdict == "supported":
        return f"{what} together contribute to {task} (removing them costs {shown} of the gap)"
    if verdict == "refuted":
        return f"removing {what} together does not cost {task} as much as claimed (harm {shown} of the gap)"
    return f"whether {what} are together needed for {task} stays open" + (f" (harm {shown})" if shown else "")


GROUP_NECESSITY = register_type(
    ClaimType(
        name="group-necessity",
        code="T1b",
        rung=lambda claim: 3,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        narrower="Test each member alone, or a larger group.",
        explore=lambda claim, situation, run: find_controls(claim, situation, run, 1),
        untested=lacks_control,
    )
)
