"""T1: a component is needed for the behaviour (or, in the other direction, holds it back).

Critical: resample harm against a floor (C1), mean-ablation agreement (C2), rank among matched controls (C3).
Corroborating: the direct effect (K1), from which the card tells self-repair. METHOD section 2, T1. A sentence that
names its own intervention ("zeroing its output changes some answers") is a claim about that intervention: it is tested
with it alone, against the smallest floor, and reaches rung 2 (guard G8).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from agent.cards import VerdictWord
from agent.claim_types.specificity import control_predictions, find_controls, lacks_control, near_miss_rows
from agent.claims import FLOORS, Claim, ClaimType, Details, register_type, spoken, task_word
from agent.findings import Finding
from agent.predictions import ONE_LOOK, TWO_LOOKS, Look, Prediction
from agent.rules import AgreementRule, ControlsRule, EffectRule, RankRule, ReportRule
from agent.situation import CONTROLS, Situation, matched_controls
from tools.component import parse_component

Intervention = Literal["resample", "mean", "zero"]
INTERVENTION_WORDS: dict[str, str] = {
    "resample": "replacing {} by its value on the paired corrupted prompt",
    "mean": "replacing {} by its mean",
    "zero": "zeroing {}",
}


class NecessityDetails(Details):
    """`intervention`: the one that the sentence names, when it names one."""

    intervention: Intervention | None = Field(
        default=None, description="resample, mean or zero; both METHOD's when absent"
    )


def _intervention(claim: Claim) -> Intervention | None:
    detail = claim.detail()
    assert isinstance(detail, NecessityDetails), detail
    return detail.intervention


def floors(claim: Claim, situation: Situation) -> tuple[float, float]:
    """delta0 and delta1: the wording's, raised to the model's own floor where its screen found one (METHOD 5.8)."""
    delta0, delta1 = claim.floors
    if claim.strength == "minor" or situation.screen is None:
        return delta0, delta1
    return delta0, max(delta1, situation.screen.delta1)


def task_params(claim: Claim, situation: Situation) -> dict[str, Any]:
    """Parameters shared by everything that runs on the task's prompts."""
    return {"task": claim.task, **situation.template_params()}


def assay(claim: Claim, situation: Situation) -> Prediction:
    """The assay controls that every verdict rests on (METHOD 1.5)."""
    banned = {*situation.excluded(), *claim.components}
    return Prediction(
        key="A1",
        role="assay",
        experiment="assay",
        params={**task_params(claim, situation), "exclude": sorted(banned)},
        rule=ControlsRule(),
        looks=ONE_LOOK,
        rung=0,
    )


def ablation(key: str, params: dict[str, Any], rule: Any, **fields: Any) -> Prediction:
    """A critical prediction of the head-ablation experiment."""
    return Prediction(key=key, role="critical", experiment="head-ablation", params=params, rule=rule, **fields)


def _wording(claim: Claim) -> str:
    what, task = spoken(claim.components[0]), task_word(claim.task)
    if intervention := _intervention(claim):
        return f"{INTERVENTION_WORDS[intervention].format(what)} changes {task}"
    aim = f" specifically for {task}" if claim.specific else f" for {task}"
    if claim.direction == "hurts":
        return f"removing {what} improves {task}"
    words = {"key": f"{what} is important", "plain": f"{what} is necessary", "minor": f"{what} contributes slightly"}
    return words[claim.strength] + (aim if claim.strength != "minor" else f" to {task}")


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    base = {**task_params(claim, situation), "components": list(claim.components)}
    if intervention := _intervention(claim):
        delta0, delta1 = FLOORS["minor"]
        rule = EffectRule(array="harm_per_prompt", quantity=f"{intervention} harm", delta0=delta0, delta1=delta1)
        return [assay(claim, situation), ablation("C1", {**base, "method": intervention}, rule, rung=2)]
    delta0, delta1 = floors(claim, situation)
    sign: Literal[1, -1] = 1 if claim.direction == "helps" else -1
    harm = EffectRule(array="harm_per_prompt", quantity="resample harm", sign=sign, delta0=delta0, delta1=delta1)
    agrees = AgreementRule(array="harm_per_prompt", quantity="mean-ablation harm", sign=sign, least=delta0)
    found = [
        assay(claim, situation),
        ablation("C1", {**base, "method": "resample"}, harm),
        ablation("C2", {**base, "method": "mean"}, agrees),
        direct_effect(base, sign, (delta0, delta1)),
    ]
    found += control_predictions(claim, situation, "C1", sign)
    if parse_component(claim.components[0]).kind == "neuron":
        drawn = {
            "n_controls": CONTROLS,
            "control_seed": int(claim.claim_id[1:9], 16),
        }  # other neurons, four layers around
        return [*found, _rank({**base, **drawn}, sign)]
    controls = matched_controls(claim.components[0], situation)
    return [*found, _rank({**base, "controls": controls}, sign)] if controls else found


def direct_effect(base: dict[str, Any], sign: Literal[1, -1], floor: tuple[float, float]) -> Prediction:
    """The component's own write, final norm frozen: beside a small total effect it means self-repair."""
    return Prediction(
        key="K1",
        role="corroborating",
        experiment="head-ablation",
        params={**base, "method": "resample"},
        rule=ReportRule(
            array="direct_per_prompt", quantity="direct effect", sign=sign, delta0=floor[0], delta1=floor[1]
        ),
        looks=(Look(n=TWO_LOOKS[0].n, alpha=0.01),),
        rung=1,
    )


def _rank(params: dict[str, Any], sign: Literal[1, -1]) -> Prediction:
    """Resample harm ranked among matched controls on the first look's prompts."""
    rule = RankRule(array="harm_per_prompt", controls="control_harm", quantity="resample harm", sign=sign)
    return ablation("C3", {**params, "method": "resample"}, rule, looks=ONE_LOOK)


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    table = {
        "wrong_component": ["C1"],
        "wrong_layer": ["C1"],
        "wrong_direction": ["C1"],
        "right_pattern_without_effect": ["C1"],
    }
    table |= near_miss_rows(predictions)
    if _intervention(claim) is None:
        table |= {"effect_of_one_ablation_only": ["C2"], "no_more_than_any_component": ["C1", "C3"]}
    return table


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    what, task = spoken(claim.components[0]), task_word(claim.task)
    shown = interval_words(findings.get("C1"))
    if verdict == "inconclusive":
        return f"whether {what} is needed for {task} stays open" + (f" (harm {shown})" if shown else "")
    if intervention := _intervention(claim):
        done = INTERVENTION_WORDS[intervention].format(what)
        change = "changes" if verdict == "supported" else "does not change"
        return f"{done} {change} {task} (harm {shown} of the gap)"
    if verdict == "refuted" and any(key.startswith("S") and one.outcome == "fail" for key, one in findings.items()):
        return f"{what} matters to another behaviour more than half as much as to {task} (harm {shown} of the gap)"
    if verdict == "refuted":
        wanted = "improve" if claim.direction == "hurts" else "cost"
        return f"removing {what} does not {wanted} {task} as much as claimed (harm {shown} of the gap)"
    if claim.direction == "hurts":
        return f"{what} holds {task} back (harm of removing it: {shown} of the gap)"
    elsewhere = ", and other behaviours at most half as much" if claim.specific else ""
    return f"{what} contributes to {task} (removing it costs {shown} of the gap{elsewhere})"


def interval_words(finding: Finding | None) -> str:
    """`0.36 [0.31, 0.41]`; empty before there is a number."""
    if finding is None or finding.estimate is None:
        return ""
    if finding.low is None or finding.high is None:
        return f"{finding.estimate:.2f}"
    return f"{finding.estimate:.2f} [{finding.low:.2f}, {finding.high:.2f}]"


NECESSITY = register_type(
    ClaimType(
        name="necessity",
        code="T1",
        rung=lambda claim: 3 if _intervention(claim) is None else 2,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=NecessityDetails,
        narrower="Test the group it belongs to (joint necessity) or what patching it in restores (localisation).",
        explore=lambda claim, situation, run: find_controls(claim, situation, run, 1),
        untested=lacks_control,
    )
)
