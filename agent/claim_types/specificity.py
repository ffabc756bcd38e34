"""Another behaviour to compare with, for claims that say "specifically" (METHOD N3, T1-C4 and T5-C6).

Control behaviours are the program's own text tasks in a fixed order, those that this model performs: found on explore
prompts by the same gate as the task itself and frozen in the registration. Critical: removing the same components costs
the control behaviour at most half of what it costs the task, each in shares of its own gap. Models without a tokenizer
have no second behaviour here. This module claims nothing by itself.
"""

from collections.abc import Sequence
from typing import Any, Literal

from agent.claims import Claim, Explore
from agent.predictions import Look, Prediction
from agent.rules import ShareRule
from agent.situation import ControlFacts, Situation
from tools.errors import ExperimentError

LOOKS = (Look(n=64, alpha=0.01),)
CANDIDATES = ("gendered-pronoun", "ioi", "subject-verb-agreement", "docstring", "capitals", "successor")
GATE_PROMPTS = 64


def find_controls(claim: Claim, situation: Situation, run: Explore, wanted: int) -> Situation:
    """The situation with up to `wanted` other behaviours that this model shows; none unless the claim says specific."""
    if not claim.specific or not _reads_text(claim.task):
        return situation
    found: list[ControlFacts] = []
    for name in CANDIDATES:
        if name != claim.task and len(found) < wanted and (control := _performs(name, run)) is not None:
            found.append(control)
    seen = [f"explore: behaviour gate of {one.task} ({one.result_id})" for one in found]
    return situation.model_copy(update={"controls": tuple(found), "seen": (*situation.seen, *seen)})


def _reads_text(task: str) -> bool:
    from tools.tasks import find_task  # reads task files; only where a claim says "specifically"

    return find_task(task).info.needs_tokenizer


def _performs(name: str, run: Explore) -> ControlFacts | None:
    """The task as a control behaviour, if the model passes its gate; None where it cannot even be drawn."""
    try:
        result_id, result = run("behaviour", {"task": name, "n": GATE_PROMPTS})
    except ExperimentError:
        return None
    if any(control.passed is False for control in result.controls):
        return None
    return ControlFacts(
        task=name,
        version=result.provenance.task_version or "",
        kept_templates=list(result.labels["kept_templates"]),
        all_templates=list(dict.fromkeys(result.labels["prompts"])),
        result_id=result_id,
    )


def control_predictions(claim: Claim, situation: Situation, of_key: str, sign: Literal[1, -1] = 1) -> list[Prediction]:
    """S1, S2, ...: resample harm on each control behaviour at most half of that in `of_key`."""
    components: dict[str, Any] = {"components": list(claim.components), "method": "resample"}
    if len(claim.components) > 1:
        components["joint"] = True
    return [
        Prediction(
            key=f"S{k}",
            role="critical",
            experiment="head-ablation",
            params={**control.params(), **components},
            rule=ShareRule(
                array="harm_per_prompt", quantity=f"resample harm on {control.task}", of_key=of_key, sign=sign
            ),
            looks=LOOKS,
        )
        for k, control in enumerate(situation.controls, start=1)
    ]


def lacks_control(claim: Claim, predictions: Sequence[Prediction], wanted: int = 1) -> str:
    """Why "specifically" stays untested; empty when it is tested or not said."""
    tested = sum(one.key.startswith("S") and one.key[1:].isdigit() for one in predictions)
    if not claim.specific or tested >= wanted:
        return ""
    return (
        f"'specifically' needs {wanted} other behaviour{'s' if wanted > 1 else ''} that this model performs, and {tested} "
        "of the program's own passed the gate; make the claim without that word"
    )


def near_miss_rows(predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    """The row of the near-miss table that the control behaviours exclude."""
    keys = [one.key for one in predictions if one.key.startswith("S") and one.key[1:].isdigit()]
    return {"matters_as_much_elsewhere": keys} if keys else {}
