"""T4: one component feeds another directly (into its queries, keys, values or input, or into the logits), and it matters.

Critical: exact direct path patching costs something (C1), and on large models more than other senders into the same
receiver (C2). On models small enough to be surveyed exactly zeroing may show it too, because a sender may be constant
there; on large models zeroing leaves the distribution, is shown and decides nothing (METHOD 1.7). Refuted only while corrupting the receiver's whole input costs
something (W1): an unread input says nothing about one edge. METHOD section 2, T4; the mediated fraction is descriptive.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from agent.cards import VerdictWord
from agent.claim_types.necessity import assay, interval_words, task_params
from agent.claims import Claim, ClaimType, Details, register_type, spoken, task_word
from agent.findings import Finding
from agent.predictions import ONE_LOOK, Look, Prediction
from agent.rules import EffectRule, EitherRule, EverRule, RankRule, ReportRule, Rule
from agent.situation import Situation

LOOKS = (Look(n=64, alpha=0.01),)
DELTA0, DELTA1 = 0.003, 0.01
WHOLE = 0.02
SENDERS = 99
Channel = Literal["q", "k", "v", "in", "out"]
CHANNEL_WORDS: dict[str, str] = {"q": "the queries of ", "k": "the keys of ", "v": "the values of "}


class EdgeDetails(Details):
    """Which input of the receiver."""

    channel: Channel | None = Field(
        default=None, description="q, k, v of a head, in of an MLP; every input when absent"
    )


def _channel(claim: Claim) -> Channel | None:
    detail = claim.detail()
    assert isinstance(detail, EdgeDetails), detail
    return detail.channel


def receiver_name(claim: Claim) -> str:
    """The receiver as the path-patching experiment names it: a23.h0<q>, m5, logits."""
    channel = _channel(claim)
    return claim.components[1] + (f"<{channel}>" if channel in ("q", "k", "v") else "")


def edge_name(claim: Claim) -> str:
    """The edge as `tools.component` prints it."""
    return f"{claim.components[0]}->{receiver_name(claim)}"


def _wording(claim: Claim) -> str:
    source, target = claim.components
    channel = _channel(claim)
    where = "the output" if target == "logits" else CHANNEL_WORDS.get(channel or "", "") + spoken(target)
    effect = "depends on it" if claim.direction == "helps" else "is held back by it"
    return f"{spoken(source)} feeds {where} directly, and {task_word(claim.task)} {effect}"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    sign: Literal[1, -1] = 1 if claim.direction == "helps" else -1
    base = task_params(claim, situation)
    params = {**base, "receiver": receiver_name(claim), "senders": [claim.components[0]]}
    effect: dict[str, Any] = {"array": "effect_per_prompt", "sign": sign, "delta0": DELTA0, "delta1": DELTA1}
    zeroed = ReportRule(quantity="edge effect by zeroing", **effect)
    exact = situation.screen is not None and situation.screen.exact
    costs = EffectRule(quantity="edge effect", **effect)
    either = EitherRule(quantity="edge effect", or_key="K1", **effect)
    found = [
        assay(claim, situation),
        _path("K1", "corroborating", {**params, "method": "zero"}, zeroed),
        _path("C1", "critical", {**params, "method": "resample"}, either if exact else costs).model_copy(
            update={"needs": "W1"}
        ),
        _path("W1", "corroborating", {**params, "method": "resample"}, _read_at_all()),
    ]
    if exact:
        return found
    drawn = {"n_controls": SENDERS, "control_seed": int(claim.claim_id[1:9], 16)}
    rank = RankRule(array="effect_per_prompt", controls="control_effect", quantity="edge effect", sign=sign, p_max=0.02)
    return [*found, _path("C2", "critical", {**params, "method": "resample", **drawn}, rank, looks=ONE_LOOK)]


def _read_at_all() -> EverRule:
    """The receiver's whole input matters to some prompts, in either direction."""
    return EverRule(array="whole_input_per_prompt", quantity="effect of the receiver's whole input", least=WHOLE)


def _path(
    key: str,
    role: Literal["critical", "corroborating"],
    params: dict[str, Any],
    rule: Rule,
    looks: tuple[Look, ...] = LOOKS,
) -> Prediction:
    return Prediction(key=key, role=role, experiment="path-patching", params=params, rule=rule, looks=looks, rung=4)


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del claim, predictions
    return {
        "both_matter_but_unconnected": ["C1"],
        "only_indirectly": ["C1"],
        "other_channel": ["C1"],
        "wrong_sender": ["C1"],
    }


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    shown, task = interval_words(findings.get("C1")), task_word(claim.task)
    if verdict == "supported":
        return f"{edge_name(claim)} carries {shown} of {task}'s gap directly"
    if verdict == "refuted":
        return f"{edge_name(claim)} carries nothing that {task} depends on directly (effect {shown} of the gap)"
    whole = findings.get("W1")
    if whole is not None and whole.outcome != "pass":
        return f"whether {edge_name(claim)} matters stays open: even the receiver's whole input costs {interval_words(whole)}"
    return f"whether {edge_name(claim)} matters stays open"


EDGE = register_type(
    ClaimType(
        name="edge",
        code="T4",
        rung=lambda claim: 4,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=EdgeDetails,
        narrower="Test whether each end matters by itself.",
    )
)
