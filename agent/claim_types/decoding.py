"""T6: a property of the prompt is linearly decodable from the residual stream at one place. Correlational, rung 2.

Critical, all on confirm prompts whose fillers the probe never saw: accuracy above chance (C1), more than a control task
with random labels per word reaches (C2), above label shuffles (C3), above the same model with shuffled weights (C4) and
above the embedding at that position (C5). METHOD section 2, T6, with its floors. Decodable is not used: a sentence that
says the model uses it is another claim (patching the site restores the task).
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from agent.cards import VerdictWord
from agent.claim_types.necessity import interval_words
from agent.claims import Claim, ClaimType, Details, register_type, task_word
from agent.errors import ClaimError
from agent.findings import Finding, failures
from agent.predictions import Look, Prediction
from agent.rules import EffectRule
from agent.situation import Situation
from tools.component import parse_component

LOOKS = (Look(n=128, alpha=0.01),)
TRAINED_ON = 256
ABOVE_CHANCE = 0.15
SELECTIVE = (0.05, 0.15)
ABOVE_BASELINE = 0.10


class DecodingDetails(Details):
    """What is said to be decodable."""

    target: str = Field(description="order, template, or token:LABEL, as the linear-probe experiment names them")


def _target(claim: Claim) -> str:
    detail = claim.detail()
    assert isinstance(detail, DecodingDetails), detail
    return detail.target


def target_words(target: str) -> str:
    """What a probe decodes, in words."""
    kind, _, label = target.partition(":")
    return {"order": "the order of the two names", "template": "the template"}.get(kind, f"the token at {label}")


def _wording(claim: Claim) -> str:
    return f"{target_words(_target(claim))} is linearly decodable at {claim.components[0]} on {task_word(claim.task)} prompts"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    site = parse_component(claim.components[0])
    if site.kind != "resid" or site.position is None:
        raise ClaimError(
            f"A probe reads the residual stream at one position; name the place as resid{site.layer}@END, not {site}."
        )
    params = {
        "task": claim.task,
        **situation.template_params(),
        "layer": site.layer,
        "position": site.position,
        "target": _target(claim),
        "n_train": TRAINED_ON,
    }
    rules = {
        "C1": EffectRule(
            array="accuracy_per_prompt",
            minus="chance",
            quantity="accuracy above chance",
            delta0=ABOVE_CHANCE,
            delta1=ABOVE_CHANCE,
        ),
        "C2": EffectRule(
            array="selectivity_per_prompt",
            quantity="accuracy above the control task",
            delta0=SELECTIVE[0],
            delta1=SELECTIVE[1],
            refutes=False,
        ),
        "C3": EffectRule(
            array="over_shuffles_per_prompt",
            quantity="accuracy above label shuffles",
            delta0=0,
            delta1=0,
            refutes=False,
        ),
        "C4": EffectRule(
            array="over_random_weights_per_prompt",
            quantity="accuracy above shuffled weights",
            delta0=0,
            delta1=ABOVE_BASELINE,
        ),
        "C5": EffectRule(
            array="over_embedding_per_prompt", quantity="accuracy above the embedding", delta0=0, delta1=ABOVE_BASELINE
        ),
    }
    return [
        Prediction(key=key, role="critical", experiment="linear-probe", params=params, rule=rule, looks=LOOKS, rung=2)
        for key, rule in rules.items()
    ]


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del claim, predictions
    return {
        "another_layer": ["C1"],
        "a_probe_that_decodes_any_labels": ["C2", "C3"],
        "untrained_weights_do_it_too": ["C4"],
        "surface_cue": ["C5"],
    }


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    what, where = target_words(_target(claim)), claim.components[0]
    shown = interval_words(findings.get("C1"))
    if verdict == "supported":
        return f"{what} is decodable at {where} (accuracy {shown} above chance), which is all that a probe shows"
    if verdict == "refuted":
        return f"{what} is not decodable at {where} beyond what chance and surface cues give ({failures(findings)})"
    return f"whether {what} is decodable at {where} stays open"


DECODING = register_type(
    ClaimType(
        name="decoding",
        code="T6",
        rung=lambda claim: 2,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=DecodingDetails,
        narrower="Test whether patching the site restores the task: that is about use, not about a probe.",
    )
)
