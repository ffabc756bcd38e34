"""T9: the logit lens reads the answer from the stream at a layer; "knows" also needs the stream there to carry it.

Critical: the lens reads more than a quarter of the final metric (C1), more than for random pairs of tokens (C3), and for
"from layer L on" not yet two layers earlier (C2). "Knows" and "decided" add a patch: the clean stream at that layer
restores half of the behaviour (C4). METHOD section 2, T9. Absent from the lens is not absent from the stream: a
refutation says so.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from agent.cards import VerdictWord
from agent.claim_types.localisation import SITE_FLOORS
from agent.claim_types.necessity import assay, interval_words, task_params
from agent.claims import Claim, ClaimType, Details, register_type, task_word
from agent.errors import ClaimError
from agent.findings import Finding, failures
from agent.predictions import Look, Prediction
from agent.rules import BelowRule, EffectRule, RankRule, Rule
from agent.situation import Situation
from tools.component import parse_component

LOOKS = (Look(n=64, alpha=0.01),)
SHARE = 0.25
BEFORE = 2


class ReadableDetails(Details):
    """What the sentence says beyond being readable there."""

    onset: bool = Field(default=False, description="the sentence says from this layer on, or first at this layer")
    knows: bool = Field(default=False, description="the sentence says that the model knows or has decided")


def _detail(claim: Claim) -> ReadableDetails:
    detail = claim.detail()
    assert isinstance(detail, ReadableDetails), detail
    return detail


def _layer(claim: Claim) -> int:
    return parse_component(claim.components[0]).layer


def _wording(claim: Claim) -> str:
    detail, where = _detail(claim), claim.components[0]
    if detail.knows:
        return (
            f"the answer of {task_word(claim.task)} is known at {where}: readable by the lens and carried by the stream"
        )
    when = " and not yet two layers earlier" if detail.onset else ""
    return f"the logit lens reads the answer of {task_word(claim.task)} at {where}{when}"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    detail, site = _detail(claim), parse_component(claim.components[0])
    if site.kind != "resid" or site.position not in (None, "END"):
        raise ClaimError(
            f"The lens reads the stream at the last position; name it as resid{site.layer}@END, not {site}."
        )
    if site.layer < BEFORE:
        raise ClaimError(f"The lens test compares with two layers earlier, so the layer must be at least {BEFORE}.")
    params = {**task_params(claim, situation), "layer": site.layer, "before": BEFORE}
    reads = EffectRule(array="lens_per_prompt", quantity="share read by the lens", delta0=SHARE, delta1=SHARE)
    ranks = RankRule(array="lens_per_prompt", controls="random_pairs", quantity="share read by the lens")
    rules: dict[str, Rule] = {"C1": reads, "C3": ranks}
    if detail.onset:
        rules["C2"] = BelowRule(array="lens_before_per_prompt", quantity="share read two layers earlier", most=SHARE)
    found = [assay(claim, situation)]
    for key, rule in rules.items():
        found.append(
            Prediction(key=key, role="critical", experiment="logit-lens", params=params, rule=rule, looks=LOOKS, rung=1)
        )
    return found + ([_carried(claim, situation)] if detail.knows else [])


def _carried(claim: Claim, situation: Situation) -> Prediction:
    restore = EffectRule(array="restore_per_prompt", quantity="restore", delta0=SITE_FLOORS[0], delta1=SITE_FLOORS[1])
    params = {**task_params(claim, situation), "components": [f"resid{_layer(claim)}@END"]}
    return Prediction(
        key="C4", role="critical", experiment="head-patching", params=params, rule=restore, looks=LOOKS, rung=3
    )


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del predictions
    table = {"earlier_layer": ["C1"], "any_pair_of_tokens": ["C1", "C3"]}
    if _detail(claim).onset:
        table["readable_before"] = ["C2"]
    if _detail(claim).knows:
        table["readable_but_not_carried"] = ["C4"]
    return table


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    detail, where, shown = _detail(claim), claim.components[0], interval_words(findings.get("C1"))
    if verdict == "supported":
        when = ", and not two layers earlier" if detail.onset else ""
        carried = f"; patching it restores {interval_words(findings.get('C4'))} of the gap" if detail.knows else ""
        return f"the lens reads {shown} of the final metric at {where}{when}{carried}"
    if verdict == "refuted":
        return f"the lens does not show at {where} what is claimed ({failures(findings)}); absent from the lens is not absent"
    return f"whether the lens reads the answer at {where} stays open" + (f" (share {shown})" if shown else "")


READABLE = register_type(
    ClaimType(
        name="readable",
        code="T9",
        rung=lambda claim: 3 if _detail(claim).knows else 1,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=ReadableDetails,
        narrower="Test whether it is decodable there by a probe, or whether patching the site restores the task.",
    )
)
