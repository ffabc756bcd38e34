"""What exactly a verdict is about: model, prompts, metric, intervention (METHOD 0.10). Printed beside every verdict."""

from collections.abc import Mapping, Sequence

from agent.predictions import Registration
from tools.result import Result

_METHODS = {"resample": "resample ablation", "mean": "mean ablation", "zero": "zero ablation"}
_INTERVENTIONS = {"head-patching": "denoising patching", "path-patching": "exact path patching"}


def scope_of(registration: Registration, evidence: Mapping[str, Sequence[Result]]) -> str:
    """One line: the tuple that the verdict holds for."""
    situation = registration.situation
    model, task, gate = situation.model, situation.task, situation.gate
    templates = len(gate.kept_templates) or len(task.templates)
    prompts = max((int(r.params.get("n", 0)) for results in evidence.values() for r in results), default=0)
    parts = [
        f"{model.name} ({model.dtype}, sha256 {model.sha256[:8]})",
        f"{task.name}@{task.version[:12]}, {templates} of {max(len(task.templates), templates)} templates"
        if task.templates
        else f"{task.name}@{task.version[:12]}",
        f"{prompts} confirm prompts" if prompts else "no confirm prompts yet",
        f"corruption {task.corruption}" if task.corruption else "",
        f"{task.metric.replace('_', ' ')} in shares of the gap",
        " and ".join(interventions(registration)),
        _controls(registration),
    ]
    return "; ".join(part for part in parts if part)


def _controls(registration: Registration) -> str:
    names = [one.task for one in registration.situation.controls]
    return f"control behaviour{'s' if len(names) > 1 else ''} {' and '.join(names)}" if names else ""


def interventions(registration: Registration) -> list[str]:
    """The interventions that the critical predictions use, in words."""
    words = [
        _METHODS.get(str(one.params.get("method")), "") or _INTERVENTIONS.get(one.experiment, one.experiment)
        for one in registration.critical()
    ]
    return list(dict.fromkeys(words))
