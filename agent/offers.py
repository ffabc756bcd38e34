"""What this installation offers: cards of its experiments, tasks and models, for forms, help and tool schemas.

A model that was loaded before keeps its published self-test; one that was not says so. Needs torch, through the
experiments.
"""

from typing import Any

from agent.config import Config
from agent.model_files import PACKAGED, model_folder
from tools.experiment import experiments
from tools.planted import planted_models
from tools.tasks import packaged_tasks

Entries = dict[str, dict[str, Any]]


def offers(config: Config) -> dict[str, Entries]:
    """Entries of the catalogue by kind and name."""
    return {
        "experiment": {name: found.card() for name, found in experiments().items()},
        "task": {name: _task_card(task.info) for name, task in packaged_tasks().items()},
        "model": _models(config),
    }


def _task_card(info: Any) -> dict[str, Any]:
    return {
        "name": info.name,
        "version": info.version,
        "title": info.title,
        "description": info.description,
        "templates": list(info.templates),
        "corruptions": list(info.corruptions),
        "metric": info.metric,
        "positions": list(info.positions),
        "literature": list(info.literature),
        "literature_says": info.literature_says,
        "needs_tokenizer": info.needs_tokenizer,
    }


def _models(config: Config) -> Entries:
    specs = [spec for spec in PACKAGED if (model_folder(spec, config.models_dir) or config.home).is_dir()]
    specs += [f"planted:{name}" for name in planted_models()]
    return {spec: {"name": PACKAGED.get(spec, spec), "spec": spec, "sha256": None, "selftest": None} for spec in specs}
