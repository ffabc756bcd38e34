"""A stored result as a notebook in plain TransformerLens: the same prompts, the same intervention, the same number.

The notebook needs this program for nothing: token ids stand in it, and the weights of hand-built models lie beside
it. It is written as nbformat JSON by hand. Covered are the experiments in `COVERED`: those that verdicts rest on, but for
the assay and the probes; which are not is said by `write_notebook`. Runs in the worker, because prompts are drawn with the model's own
tokenizer.
"""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from agent import notebook_cells as cells
from agent.model_files import PACKAGED
from agent.notebook_readings import COVERED as READINGS
from agent.notebook_readings import reading_cells
from agent.packaged import PACKAGED as PACKAGES
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, find_experiment
from tools.experiments.head_scores import HeadScores
from tools.measurement import draw
from tools.models import LoadedModel
from tools.prompts import Prompts
from tools.repeated_sequences import sequences_for
from tools.result import Result, canonical_json
from tools.task_spec import Draw, Task
from tools.tasks import find_task

COVERED = (*cells.COVERED, *READINGS)
TOLERANCE = 1e-3
SWEEP_TARGETS = 5


def write_notebook(result: Result, model: LoadedModel, folder: Path, *, models_dir: Path) -> Path:
    """Write `<result_id>.ipynb` (and `<result_id>.safetensors` for a hand-built model) into `folder`; return its path.

    Raises ExperimentError for an experiment without a notebook, another model than the result's, or prompts that
    are no longer those that were measured.
    """
    if result.experiment not in COVERED:
        raise ExperimentError(f"{result.experiment} has no notebook; these have: {', '.join(COVERED)}.")
    if model.sha256 != result.provenance.model_sha256:
        raise ExperimentError(f"{result.result_id} was measured on other weights than those of {model.spec} now.")
    prompts, means = _drawn(result, model)
    if prompts.sha256 != result.provenance.prompts_sha256:
        raise ExperimentError(f"The task {result.provenance.task} no longer draws the prompts of {result.result_id}.")
    measurement = _measurement(result, model, prompts)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    weights = _load(model, folder / f"{result.result_id}.safetensors", models_dir)
    code = [weights, _prompts(prompts, means), cells.RUNS, *measurement]
    path = folder / f"{result.result_id}.ipynb"
    path.write_text(json.dumps(_notebook(_words(result), code), indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def _drawn(result: Result, model: LoadedModel) -> tuple[Prompts, Prompts | None]:
    """The prompts of a result, and those that its mean ablation averages over."""
    params = find_experiment(result.experiment).params.model_validate(result.params)
    if isinstance(params, HeadScores):
        task = sequences_for(Lab(model), tuple(params.periods) if params.periods else None, params.split)
        return task.draw(None, Draw(params.n * len(task.periods), params.split, params.seed)), None
    assert isinstance(params, TaskParams), params
    task = find_task(result.provenance.task or "")
    return draw(Lab(model), task, params), _mean_prompts(model, task, params)


def _load(model: LoadedModel, weights: Path, models_dir: Path) -> str:
    if model.hf is not None:
        if model.spec not in PACKAGED:
            return cells.LOAD_HF.format(model=model.spec, extra={})
        gguf = PACKAGES[model.spec].weights
        return cells.LOAD_HF.format(model=str(models_dir / PACKAGED[model.spec]), extra={"gguf_file": gguf})
    state = {name: value.contiguous().clone() for name, value in model.bridge.state_dict().items()}
    save_file(state, weights)
    plain = (str, int, float, bool, list, type(None))
    config = {key: value for key, value in model.bridge.cfg.to_dict().items() if isinstance(value, plain)}
    return cells.LOAD_HOOKED.format(weights=weights.name, config=canonical_json(config))


def _mean_prompts(model: LoadedModel, task: Task, params: TaskParams) -> Prompts | None:
    """The corrupted prompts that mean ablation averages over, None for other methods."""
    if getattr(params, "method", "") != "mean":
        return None
    templates = len(params.templates) if params.templates is not None else len(task.info.templates)
    per_template: int = getattr(params, "mean_prompts", 0)
    return draw(Lab(model), task, params, n=per_template * max(1, templates))


def _prompts(prompts: Prompts, means: Prompts | None) -> str:
    r = prompts.readouts
    columns = (r.row.tolist(), r.position.tolist(), r.answer.tolist(), r.foil.tolist(), r.weight.tolist())
    data: dict[str, Any] = {
        "clean": [tokens.tolist() for tokens in prompts.clean_tokens],
        "corrupted": [tokens.tolist() for tokens in prompts.corrupted_tokens],
        "readouts": [list(row) for row in zip(*columns, strict=True)],
        "positions": {label: where.tolist() for label, where in prompts.positions.items()},
        "template": list(prompts.template),
    }
    if means is not None:
        data["mean_prompts"] = [tokens.tolist() for tokens in means.corrupted_tokens]
        data["mean_template"] = list(means.template)
    return cells.PROMPTS.format(data=canonical_json(data))


def _measurement(result: Result, model: LoadedModel, prompts: Prompts) -> list[str]:
    """The cells that measure the result's numbers again and compare. Raises ExperimentError where hooks cannot."""
    stored = {estimate.name: estimate.value for estimate in result.estimates}
    patching = cells.PATCHING.format(position=result.params.get("position") or "")
    match result.experiment:
        case "behaviour":
            wanted = ["accuracy", "gap", "clean_metric", "corrupted_metric"]
            source = [cells.BEHAVIOUR.format(kept=result.labels["kept_templates"])]
        case "head-ablation" | "head-patching":
            quantity = "harm" if result.experiment == "head-ablation" else "restore"
            targets = _targets(result, quantity)
            wanted = ["gap", *targets]
            measured = (cells.HARM if quantity == "harm" else cells.RESTORE).format(targets=targets)
            source = [patching, _values(result), measured]
        case _:
            wanted, found = reading_cells(result, model, prompts)
            source = [patching, *found]
    compared = {name: stored[name] for name in wanted}
    return [*source, cells.COMPARE.format(stored=compared, tolerance=TOLERANCE)]


def _values(result: Result) -> str:
    if result.experiment == "head-patching":
        return cells.FROM_RUN.format(source="CLEAN")
    match result.params["method"]:
        case "mean":
            return cells.FROM_MEAN
        case "zero":
            return cells.FROM_ZERO
        case _:
            return cells.FROM_RUN.format(source="CORRUPTED")


def _targets(result: Result, quantity: str) -> dict[str, list[str]]:
    """Estimate name -> components set together; the strongest few of a sweep."""
    names = result.labels["components"]
    if len(names) == 1:
        return {quantity: names[0].split("+")}
    strongest = sorted(names, key=lambda name: -abs(result.estimate(f"{quantity}:{name}").value))[:SWEEP_TARGETS]
    return {f"{quantity}:{name}": name.split("+") for name in strongest}


def _words(result: Result) -> str:
    p = result.provenance
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(p.libraries.items()))
    return (
        f"# {result.experiment} on {p.model_name}\n\n{result.summary}\n\n"
        f"Task {p.task} (version {p.task_version}), {result.params.get('split')} prompts, seed {p.seed}, "
        f"n = {result.params.get('n')}. Result `{result.result_id}`, weights sha256 `{p.model_sha256}`.\n\n"
        f"This notebook measures the number again in plain TransformerLens; it needs nothing of Circuit Court. "
        f"Measured with {libraries}.\n"
    )


def _notebook(words: str, code: list[str]) -> dict[str, Any]:
    made = [{"cell_type": "markdown", "id": "about", "metadata": {}, "source": words.splitlines(keepends=True)}]
    made += [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(code, start=1)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
