"""T3: a head has one of the roles of the literature, on this task. Pattern, write and effect are all critical.

METHOD section 2, T3, with its thresholds. The copy score reads the direct way to the logits, so an induction head is
refuted by it only where the head's effect is direct (K1); one that copies through later components stays open. An attention pattern alone never supports a role (guard G3); scores on
repeated tokens come with two periods and the non-repeated control (guard G14).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, assert_never

from pydantic import Field, field_validator

from agent.cards import VerdictWord
from agent.claim_types.necessity import ablation, assay, direct_effect, floors, interval_words, task_params
from agent.claim_types.readers import find_reader, reader_predictions
from agent.claim_types.upstream import find_upstream, upstream_predictions
from agent.claims import Claim, ClaimType, Details, Explore, register_type, spoken, task_word
from agent.findings import Finding, failures
from agent.predictions import Look, Prediction
from agent.rules import EffectRule, Rule, WithinRule
from agent.situation import Situation
from tools.component import parse_component

Role = Literal["previous-token", "induction", "duplicate-token", "name-mover", "negative-name-mover", "s-inhibition"]
ROLE_WORDS: dict[Role, str] = {
    "previous-token": "a previous-token head",
    "induction": "an induction head",
    "duplicate-token": "a duplicate-token head",
    "name-mover": "a name-mover head",
    "negative-name-mover": "a negative name-mover head",
    "s-inhibition": "an S-inhibition head",
}
PATTERN_LOOK = (Look(n=64, alpha=0.01),)
SEQUENCES = 24


class RoleDetails(Details):
    """Which role."""

    role: Role = Field(description="one of the roles of METHOD T3")
    arm: Literal["removal", "patching"] = Field(
        default="removal", description="the causal arm of an induction or duplicate-token role (METHOD 3.1: either)"
    )
    reader: str | None = Field(default=None, description="the later head that an S-inhibition head is said to feed")

    @field_validator("reader")
    @classmethod
    def _printed(cls, reader: str | None) -> str | None:
        return None if reader is None else str(parse_component(reader))


def _detail(claim: Claim) -> RoleDetails:
    detail = claim.detail()
    assert isinstance(detail, RoleDetails), detail
    return detail


def _role(claim: Claim) -> Role:
    return _detail(claim).role


def _arm(claim: Claim) -> str:
    return "patching" if _role(claim) == "name-mover" else _detail(claim).arm


def _wording(claim: Claim) -> str:
    reader = _detail(claim).reader
    feeds = f" that feeds the query of {spoken(reader)}" if reader else ""
    return f"{spoken(claim.components[0])} is {ROLE_WORDS[_role(claim)]}{feeds} for {task_word(claim.task)}"


def _explore(claim: Claim, situation: Situation, run: Explore) -> Situation:
    """What the role still needs from explore prompts: the reader of an S-inhibition head, what a negative one suppresses."""
    match _role(claim):
        case "s-inhibition":
            return find_reader(claim, situation, run, _detail(claim).reader)
        case "negative-name-mover":
            return find_upstream(claim, situation, run)
        case _:
            return situation


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    base = task_params(claim, situation)
    head = claim.components[0]
    role = _role(claim)
    found = [assay(claim, situation)]
    match role:
        case "previous-token":
            found += [_score("C1", head, "previous", 0.40), _harm("C3", claim, situation)]
        case "induction" | "duplicate-token":
            name = "induction" if role == "induction" else "duplicate"
            found += [
                _score("C1", head, name, 0.40 if role == "induction" else 0.30),
                _silent_control("C1b", head, name),
                _restore(head, base) if _arm(claim) == "patching" else _harm("C3", claim, situation),
            ]
            if role == "induction":
                copies = _copy("C2", head, base, "copy_score", 0.50)
                found += [
                    copies.model_copy(update={"needs": "K1"}),
                    direct_effect({**base, "components": [head]}, 1, (0.02, 0.05)),
                ]
        case "name-mover":
            found += [*_looks(head, base, "IO", "S1"), _copy("C2", head, base, "copy_score", 0.80)]
            found += [_restore(head, base)]
        case "negative-name-mover":
            found += [*_looks(head, base, "IO", None), _copy("C2", head, base, "negative_copy_score", 0.80)]
            found.append(_harm("C3", claim, situation, sign=-1).model_copy(update={"looks": PATTERN_LOOK}))
            found += upstream_predictions(claim, situation, base, effect_key="C3")
        case "s-inhibition":
            small = WithinRule(array="direct_per_prompt", quantity="direct effect", delta1=0.05)
            params = {**base, "components": [head], "method": "resample"}
            found += [*_looks(head, base, "S2", None), ablation("C2", params, small, looks=PATTERN_LOOK, rung=1)]
            found += [_harm("C3", claim, situation)]
            found += reader_predictions(claim, situation, base, named=_detail(claim).reader is not None)
        case _:
            assert_never(role)
    return found


def _score(key: str, head: str, name: str, least: float) -> Prediction:
    rule = EffectRule(array=f"{name}_per_prompt", quantity=f"{name} score", delta0=least / 2, delta1=least)
    return _repeated(key, head, rule)


def _silent_control(key: str, head: str, name: str) -> Prediction:
    rule = WithinRule(array=f"{name}_control_per_prompt", quantity=f"{name} score where nothing repeats", delta1=0.05)
    return _repeated(key, head, rule)


def _repeated(key: str, head: str, rule: Rule) -> Prediction:
    return Prediction(
        key=key,
        role="critical",
        experiment="head-scores",
        params={"component": head, "n": SEQUENCES},
        rule=rule,
        looks=(Look(n=SEQUENCES, alpha=0.01),),
        rung=1,
        task_prompts=False,
    )


def _looks(head: str, base: dict[str, Any], key: str, rival: str | None) -> list[Prediction]:
    params = {**base, "component": head, "query": "END", "key": key}
    pattern = EffectRule(array="attention_per_prompt", quantity=f"attention END to {key}", delta0=0.15, delta1=0.30)
    found = [_pattern("C1", params, pattern)]
    if rival is not None:
        margin = EffectRule(
            array="margin_per_prompt", quantity=f"attention to {key} over {rival}", delta0=0.05, delta1=0.15
        )
        found = [
            _pattern("C1", {**params, "rival": rival}, pattern),
            _pattern("C1b", {**params, "rival": rival}, margin),
        ]
    return found


def _pattern(key: str, params: dict[str, Any], rule: Rule) -> Prediction:
    return Prediction(
        key=key,
        role="critical",
        experiment="attention-pattern",
        params=params,
        rule=rule,
        looks=PATTERN_LOOK,
        rung=1,
    )


def _copy(key: str, head: str, base: dict[str, Any], name: str, least: float) -> Prediction:
    rule = EffectRule(array=f"{name}_per_prompt", quantity=name.replace("_", " "), delta0=least / 2, delta1=least)
    return Prediction(
        key=key,
        role="critical",
        experiment="copy-score",
        params={**base, "component": head},
        rule=rule,
        looks=PATTERN_LOOK,
        rung=1,
    )


def _harm(key: str, claim: Claim, situation: Situation, *, sign: Literal[1, -1] = 1) -> Prediction:
    delta0, delta1 = floors(claim, situation)
    rule = EffectRule(array="harm_per_prompt", quantity="resample harm", sign=sign, delta0=delta0, delta1=delta1)
    params = {**task_params(claim, situation), "components": list(claim.components), "method": "resample"}
    return ablation(key, params, rule)


def _restore(head: str, base: dict[str, Any]) -> Prediction:
    rule = EffectRule(array="restore_per_prompt", quantity="restore", delta0=0.02, delta1=0.05)
    return Prediction(
        key="C3", role="critical", experiment="head-patching", params={**base, "components": [head]}, rule=rule
    )


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    keys = [one.key for one in predictions if one.role == "critical"]
    pattern = [key for key in keys if key.startswith("C1")]
    table = {"other_pattern": pattern, "pattern_without_effect": ["C3"], "wrong_head": [*pattern, "C3"]}
    role = _role(claim)
    if role in ("induction", "duplicate-token"):
        table["fixed_offset_head"] = ["C1", "C1b"]
    if role in ("name-mover", "negative-name-mover"):
        table |= {"opposite_write": ["C2"], "writes_something_else": ["C2"]}
    if role == "s-inhibition":
        table["writes_the_answer_itself"] = ["C2"]
    if "E1" in keys:
        table["matters_without_a_reader"] = ["E1", "E3"]
    if "U1" in keys:
        table["works_against_any_answer"] = ["U1"]
    return table


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    what, role, task = spoken(claim.components[0]), ROLE_WORDS[_role(claim)], task_word(claim.task)
    if verdict == "supported":
        arm = "what patching it in restores" if _arm(claim) == "patching" else "what its removal does"
        size = f"{interval_words(findings.get('C3'))} of the gap"
        edge = findings.get("E1")
        reader = f", feeding a later query ({edge.reason})" if edge is not None else ""
        return f"{what} is {role} for {task}, by pattern, write and {arm} ({size}){reader}"
    if verdict == "refuted":
        return f"{what} does not show all that {role} must for {task} ({failures(findings)})"
    return f"whether {what} is {role} for {task} stays open"


def _untested(claim: Claim, predictions: Sequence[Prediction]) -> str:
    """What METHOD T3 asks of a role, where explore prompts showed nothing to test it on."""
    keys = {one.key for one in predictions}
    if _role(claim) == "s-inhibition" and "E1" not in keys:
        return (
            "an S-inhibition head must also feed a later head's query, and explore prompts showed no such reader; "
            "name one, for example 'head 20.0 is an S-inhibition head that feeds head 23.0'"
        )
    if _role(claim) == "negative-name-mover" and "U1" not in keys:
        return (
            "a negative name mover must also lose its effect when the prediction upstream of it is removed, "
            "and no earlier component writes the answer here"
        )
    return ""


HEAD_ROLE = register_type(
    ClaimType(
        name="head-role",
        code="T3",
        rung=lambda claim: 4,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=RoleDetails,
        narrower="What it does show can be claimed by itself: its necessity, or what patching it in restores.",
        explore=_explore,
        untested=_untested,
    )
)
