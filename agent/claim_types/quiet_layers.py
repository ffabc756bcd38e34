"""T11 for a range: no head in these layers matters. Every single head's harm is inside the floor, interval included.

Critical: each head alone, by resample (C1), by mean ablation (C2) and patched in (R1): where either of two is enough,
removal shows neither. One head beyond the floor refutes it (corrected for how many there are). On small models all of
them together must add nothing on top of the strongest others either (B1, B2, ...), which finds backups. METHOD section 2, T11.
"""

from collections.abc import Mapping, Sequence

from agent.cards import VerdictWord
from agent.claim_types.absence import backups
from agent.claim_types.necessity import ablation, assay, floors, task_params
from agent.claims import Claim, ClaimType, listed, register_type, task_word
from agent.errors import ClaimError
from agent.findings import Finding, failures
from agent.predictions import Look, Prediction
from agent.rules import EachWithinRule
from agent.situation import Situation
from tools.component import parse_component

LOOKS = (Look(n=64, alpha=0.01),)


def _layers(claim: Claim) -> list[int]:
    return [parse_component(name).layer for name in claim.components]


def _where(claim: Claim) -> str:
    layers = [str(layer) for layer in _layers(claim)]
    return f"layer {layers[0]}" if len(layers) == 1 else f"layers {listed(layers)}"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    if any(parse_component(name).kind != "attn" for name in claim.components):
        raise ClaimError(
            "This claim is about the heads of whole layers; name the layers, as in 'no head in layer 3 matters'."
        )
    layers = _layers(claim)
    heads = [name for name in situation.model.heads() if parse_component(name).layer in layers]
    delta1 = floors(claim, situation)[1]
    found = [assay(claim, situation)]
    for key, method in (("C1", "resample"), ("C2", "mean")):
        rule = EachWithinRule(array="harm_per_prompt", quantity=f"{method} harm of each head", delta1=delta1)
        params = {**task_params(claim, situation), "components": heads, "method": method}
        found.append(ablation(key, params, rule, looks=LOOKS))
    restore = EachWithinRule(array="restore_per_prompt", quantity="restore of each head", delta1=delta1)
    patched = {**task_params(claim, situation), "components": heads}
    found.append(
        Prediction(
            key="R1", role="critical", experiment="head-patching", params=patched, rule=restore, looks=LOOKS, rung=3
        )
    )
    small = situation.screen is not None and situation.screen.exact
    return found + (backups(heads, claim, situation, delta1) if small else [])


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    task = task_word(claim.task)
    if verdict == "supported":
        return f"no single head in {_where(claim)} has an effect on {task} beyond the floor"
    if verdict == "refuted":
        return f"a head in {_where(claim)} has an effect on {task} ({failures(findings)})"
    return f"whether a head in {_where(claim)} has an effect on {task} stays open"


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del claim
    keys = [one.key for one in predictions if one.key.startswith("B")]
    table = {"one_head_matters": ["C1"], "one_head_holds_back": ["C1"], "either_of_two_is_enough": ["R1"]}
    return table | {"effect_of_one_ablation_only": ["C2"]} | ({"backup": keys} if keys else {})


QUIET_LAYERS = register_type(
    ClaimType(
        name="quiet-layers",
        code="T11",
        rung=lambda claim: 3,
        wording=lambda claim: f"no head in {_where(claim)} matters for {task_word(claim.task)}",
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        narrower="Test single heads, or what the heads do together (joint necessity).",
    )
)
