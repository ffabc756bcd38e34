"""T2: patching a component from the clean into the corrupted run restores the behaviour; or the behaviour is localised
there, which also needs the component to be necessary (rung 4).

Critical: denoising restore against a floor (C1), rank among matched controls (C2), for sites with a position the same
patch at neighbouring positions (C3), for the word "localised" resample harm (N1) and mean-ablation agreement (N2).
METHOD section 2, T2.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from agent.cards import VerdictWord
from agent.claim_types.necessity import assay, floors, interval_words, task_params
from agent.claims import Claim, ClaimType, Details, listed, register_type, spoken, task_word
from agent.findings import Finding
from agent.predictions import ONE_LOOK, Prediction
from agent.rules import AgreementRule, EffectRule, RankRule
from agent.situation import Situation, matched_controls
from tools.component import parse_component

SITE_FLOORS = (0.25, 0.50)


class LocalisationDetails(Details):
    """`localised`: the sentence claims more than sufficiency."""

    localised: bool = Field(default=False, description="the wording says localised, so necessity is tested too")


def _details(claim: Claim) -> LocalisationDetails:
    detail = claim.detail()
    assert isinstance(detail, LocalisationDetails), detail
    return detail


def _is_site(claim: Claim) -> bool:
    kinds = [parse_component(name).kind for name in claim.components]
    return len(kinds) > 1 or "resid" in kinds


def _wording(claim: Claim) -> str:
    what, task = listed([spoken(name) for name in claim.components]), task_word(claim.task)
    if _details(claim).localised:
        return f"{task} is localised in {what}"
    return f"patching {what} from clean restores {task}"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    delta0, delta1 = SITE_FLOORS if _is_site(claim) else floors(claim, situation)
    base: dict[str, Any] = {**task_params(claim, situation), "components": list(claim.components)}
    if len(claim.components) > 1:
        base["joint"] = True
    restore = EffectRule(array="restore_per_prompt", quantity="restore", delta0=delta0, delta1=delta1)
    found = [
        assay(claim, situation),
        Prediction(key="C1", role="critical", experiment="head-patching", params=base, rule=restore),
    ]
    controls = _controls(claim, situation)
    if controls:
        found.append(
            Prediction(
                key="C2",
                role="critical",
                experiment="head-patching",
                params={**base, "controls": controls},
                rule=RankRule(array="restore_per_prompt", controls="control_restore", quantity="restore"),
                looks=ONE_LOOK,
            )
        )
    return found + (_necessity_part(claim, situation) if _details(claim).localised else [])


def _controls(claim: Claim, situation: Situation) -> list[str]:
    """Matched controls of a single head or MLP; sites and groups are judged by their larger floors."""
    if _is_site(claim) or parse_component(claim.components[0]).kind not in ("head", "mlp"):
        return []
    writers = situation.screen.direct_writers() if situation.screen else ()
    return matched_controls(claim.components[0], situation, also_exclude=writers)


def _necessity_part(claim: Claim, situation: Situation) -> list[Prediction]:
    delta0, delta1 = floors(claim, situation)
    base: dict[str, Any] = {**task_params(claim, situation), "components": list(claim.components)}
    if len(claim.components) > 1:
        base["joint"] = True
    return [
        Prediction(
            key="N1",
            role="critical",
            experiment="head-ablation",
            params={**base, "method": "resample"},
            rule=EffectRule(array="harm_per_prompt", quantity="resample harm", delta0=delta0, delta1=delta1),
        ),
        Prediction(
            key="N2",
            role="critical",
            experiment="head-ablation",
            params={**base, "method": "mean"},
            rule=AgreementRule(array="harm_per_prompt", quantity="mean-ablation harm", least=delta0),
        ),
    ]


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del predictions
    table = {
        "wrong_component": ["C1"],
        "necessary_but_not_sufficient": ["C1"],
        "wrong_direction": ["C1"],
        "no_more_than_any_component": ["C1", "C2"],
    }
    if _details(claim).localised:
        table["sufficient_but_not_necessary"] = ["N1"]
    return table


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    what, task = listed([spoken(name) for name in claim.components]), task_word(claim.task)
    shown = interval_words(findings.get("C1"))
    if verdict == "supported" and _details(claim).localised:
        cost = interval_words(findings.get("N1"))
        return f"{what} carries {task}: patching it in restores {shown}, removing it costs {cost} of the gap"
    if verdict == "supported":
        return f"patching {what} from clean restores {shown} of {task}'s gap"
    if verdict == "refuted":
        harm = findings.get("N1")
        if harm is not None and harm.outcome == "fail":
            return f"{what} restores {shown} of {task}'s gap, but removing it costs only {interval_words(harm)}"
        return f"patching {what} from clean does not restore {task} as claimed (restore {shown} of the gap)"
    return f"whether patching {what} restores {task} stays open" + (f" (restore {shown})" if shown else "")


LOCALISATION = register_type(
    ClaimType(
        name="localisation",
        code="T2",
        rung=lambda claim: 4 if _details(claim).localised else 3,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=LocalisationDetails,
        narrower="Test whether removing it costs something (necessity): serial stages never restore alone.",
    )
)
