"""Guards in code against the ways such evidence goes wrong (METHOD 3.2): what they trigger on, and what they do.

Before registration: gradient scores are no evidence (G13), explore prompts are no evidence (G11). At judgement: results
of other prompts, another model or another task version than registered make the run invalid (G11, G18); remarks for
real-but-small effects (G6), single ablations (G8), self-repair (G9) and words above the evidence's rung (G17) are noted
by id. The rest lives where it bites: neurons, features, scope and universality in the parser (G1, G4, G5, G16), probes in
their own claim type (G2), absence in its own (G7), faithfulness never alone (G10), revisions in the ledger (G12), scores
with two periods and a control (G14), never one prompt (G15: a look has at least two).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agent.errors import ClaimError
from agent.findings import Finding
from tools.result import Result

if TYPE_CHECKING:
    from agent.predictions import Prediction, Registration

NOMINATORS = frozenset({"screen", "attribution-patching", "edge-attribution", "circuit-discovery"})


def check_predictions(predictions: "Sequence[Prediction]") -> None:
    """Raise ClaimError when a set of predictions could not be evidence."""
    for one in predictions:
        if one.experiment in NOMINATORS:
            raise ClaimError(
                f"G13: {one.experiment} gives gradient scores, which nominate and never decide ({one.key})."
            )
        if one.params.get("split") == "explore":
            raise ClaimError(f"G11: {one.key} would be tested on the prompts it was found on; leave the split out.")
    critical = [one for one in predictions if one.role == "critical"]
    causal = any(one.rung >= 3 for one in critical)
    if not causal and any(one.rung > 2 for one in predictions):
        raise ClaimError("G3: patterns and scores alone cannot carry a causal wording; add an intervention.")


def wrong_data(registration: "Registration", evidence: Mapping[str, Sequence[Result]]) -> str:
    """Why some result is no evidence for this registration (G11, G18); empty when all fit."""
    model, task = registration.situation.model, registration.situation.task
    versions = {task.name: task.version} | {one.task: one.version for one in registration.situation.controls}
    for one in registration.predictions:
        for result in evidence.get(one.key, []):
            if result.params.get("split", "confirm") != "confirm":
                return f"G11: {one.key} rests on explore prompts"
            if result.params.get("seed", registration.confirm_seed) != registration.confirm_seed:
                return f"G11: {one.key} rests on prompts of another seed than the registration's"
            if result.provenance.model_sha256 != model.sha256:
                return f"G18: {one.key} was measured on another model than registered"
            if result.provenance.task_version not in (None, versions.get(one.params.get("task", task.name))):
                return f"G18: {one.key} was measured on another version of the task than registered"
    return ""


def noted(registration: "Registration", findings: Mapping[str, Finding]) -> list[str]:
    """Ids of the guards that this claim's card must show."""
    hits: list[str] = []
    critical = registration.critical()
    tested = [findings[one.key] for one in critical if one.key in findings]
    if any(f.sub == "smaller" and f.p_plus is not None and f.p_plus <= registration.alpha for f in tested):
        hits.append("G6")
    methods = {one.params.get("method") for one in critical if one.experiment == "head-ablation"}
    if registration.claim.type in ("necessity", "absence") and len(methods) == 1:
        hits.append("G8")
    direct, total = findings.get("K1"), findings.get("C1")
    repaired = direct and total and direct.outcome == "pass" and total.outcome == "fail"
    if repaired and registration.claim.type == "necessity":
        hits.append("G9")
    return hits
