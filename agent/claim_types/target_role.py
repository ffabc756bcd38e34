"""T3 for any head: it attends to a stated target, carries a stated thing from there, and the answers depend on it.

Critical: attention matches an even spread over the target (C1) better than every rival description that the language
of targets has (C2), the stated thing is read from the head's output on other prompts (C3), and removing the head
changes the behaviour (C4). METHOD section 2, T3: pattern, write and effect, none of them alone.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from agent.cards import VerdictWord
from agent.claim_types.necessity import ablation, assay, task_params
from agent.claims import FLOORS, Claim, ClaimType, Details, register_type, spoken, task_word
from agent.findings import Finding, failures
from agent.predictions import Look, Prediction
from agent.rules import EffectRule
from agent.situation import Situation
from tools.attention_targets import TARGETS

LOOKS = (Look(n=64, alpha=0.01),)
Carries = Literal["nothing", "token", "count", "average"]
CARRIES_WORDS: dict[Carries, str] = {
    "nothing": "attends evenly to {}",
    "token": "copies the token from {}",
    "count": "counts {}",
    "average": "averages one number over {}",
}


class TargetDetails(Details):
    """Where the head looks and what it carries (`tools/attention_targets.py`)."""

    target: str = Field(description="previous, first, smaller, offset:-2, ...; +bos when BOS belongs to it")
    carries: Carries = "nothing"


def _detail(claim: Claim) -> TargetDetails:
    detail = claim.detail()
    assert isinstance(detail, TargetDetails), detail
    return detail


def _does(claim: Claim) -> str:
    detail = _detail(claim)
    plain = detail.target.removesuffix("+bos")
    where = TARGETS.get(plain, f"the position at {plain}") + (" and BOS" if detail.target.endswith("+bos") else "")
    return CARRIES_WORDS[detail.carries].format(where)


def _wording(claim: Claim) -> str:
    return f"{spoken(claim.components[0])} {_does(claim)}, and {task_word(claim.task)} depends on it"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    detail, head = _detail(claim), claim.components[0]
    base = task_params(claim, situation)
    params = {**base, "component": head, **detail.model_dump(mode="json")}
    rules = {
        "C1": EffectRule(
            array="match_per_prompt", quantity="match of its attention", delta0=0.80, delta1=0.90, fail_below=0.70
        ),
        "C2": EffectRule(
            array="margin_per_prompt", quantity="margin over the best rival", delta0=0.005, delta1=0.02, fail_below=0.0
        ),
    }
    if detail.carries != "nothing":
        rules["C3"] = EffectRule(
            array="decoded_per_prompt", quantity="share read", delta0=0.80, delta1=0.95, fail_below=0.60
        )
    found = [assay(claim, situation)]
    for key, rule in rules.items():
        found.append(
            Prediction(
                key=key,
                role="critical",
                experiment="attention-targets",
                params=params,
                rule=rule,
                looks=LOOKS,
                rung=1,
            )
        )
    delta0, delta1 = FLOORS["minor"]
    method = situation.screen.strongest_method(head) if situation.screen else "resample"
    effect = EffectRule(array="harm_per_prompt", quantity=f"{method} harm", delta0=delta0, delta1=delta1)
    return [*found, ablation("C4", {**base, "components": [head], "method": method}, effect)]


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    table = {
        "another_target": ["C1", "C2"],
        "a_target_that_often_coincides": ["C2"],
        "right_pattern_without_effect": ["C4"],
        "wrong_head": ["C1", "C4"],
    }
    if any(one.key == "C3" for one in predictions):
        table["carries_something_else"] = ["C3"]
    return table


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    what, task = spoken(claim.components[0]), task_word(claim.task)
    if verdict == "supported":
        return f"{what} {_does(claim)}, and {task} depends on it"
    if verdict == "refuted":
        return f"{what} does not do what is said of it ({failures(findings)})"
    return f"what {what} does stays open"


TARGET_ROLE = register_type(
    ClaimType(
        name="target-role",
        code="T3",
        rung=lambda claim: 4,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=TargetDetails,
        narrower="Its necessity can be claimed by itself.",
    )
)
