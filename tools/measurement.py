"""What every causal experiment does around its own idea: draw prompts, run, turn readings into intervals, sign.

A `Measurement` belongs to one call of one experiment. It draws the task's prompts for the model, holds the engine, and
builds estimates, controls and provenance in one way. Harm and restore are shares of the mean gap (METHOD 1.1). It
does not judge.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from tools.engine import Engine
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams
from tools.hook_engine import HookEngine
from tools.means import MeanBank
from tools.prompts import Floats, Prompts
from tools.result import Control, Estimate, Provenance, Result
from tools.runner import Base, Runner
from tools.statistics import LEVEL, bootstrap
from tools.task_spec import Draw, Task
from tools.tasks import find_task
from tools.vocab import TokenizerVocab

LIBRARIES = ("torch", "transformer-lens", "transformers", "numpy")


def determinism() -> dict[str, bool]:
    """The settings of torch that decide whether the same run gives the same bits; on the CPU all but threads are moot."""
    return {
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_deterministic": bool(torch.backends.cudnn.deterministic),
        "cudnn_benchmark": bool(torch.backends.cudnn.benchmark),
        "tf32": bool(torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32),
    }


@dataclass
class Measurement:
    """One call: the lab, the parameters, the prompts, the engine, and when it began."""

    lab: Lab
    params: TaskParams
    task: Task
    prompts: Prompts
    runner: Runner
    began: float = field(default_factory=time.monotonic)
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def engine(self) -> Engine:
        """The engine, for experiments that need the model's weights and not only its hooks.

        Raises ExperimentError for a model family that the engine has no reader for.
        """
        if not isinstance(self.runner, Engine):
            raise ExperimentError(
                f"this experiment reads the weights of {self.lab.model.name}, whose family it does not know; "
                "head-ablation and head-patching run on it through hooks."
            )
        return self.runner

    @property
    def clean(self) -> Floats:
        """Per-prompt metric of the clean run [n]."""
        return self.runner.baseline("clean").metric[0]

    @property
    def corrupted(self) -> Floats:
        """Per-prompt metric of the corrupted run [n]."""
        return self.runner.baseline("corrupted").metric[0]

    @property
    def gap(self) -> float:
        """Mean clean minus mean corrupted metric. Raises ExperimentError when it is not finite or too small."""
        gap = float(self.clean.mean() - self.corrupted.mean())
        if not np.isfinite(gap):
            raise ExperimentError(
                f"{self.lab.model.name}'s own logits are not finite on task {self.params.task!r}: nothing can be "
                f"measured on it in {self.lab.model.dtype}; load it in float32."
            )
        if not abs(gap) > 1e-6:
            raise ExperimentError(
                f"clean and corrupted prompts of task {self.params.task!r} score the same (gap {gap:.2g}): "
                "there is no behaviour to explain in this model."
            )
        return gap

    def harm(self, metric: Floats) -> Floats:
        """Shares of the gap lost, [V, n], from the metric under interventions in the clean run."""
        return (self.clean - metric) / self.gap

    def restored(self, metric: Floats) -> Floats:
        """Shares of the gap regained, [V, n], from the metric under patches into the corrupted run."""
        return (metric - self.corrupted) / self.gap

    def estimate(self, name: str, values: Floats, unit: str = "share of gap") -> Estimate:
        """The mean over prompts with its interval."""
        return self.estimates([name], values[None], unit)[0]

    def estimates(self, names: Sequence[str], values: Floats, unit: str = "share of gap") -> list[Estimate]:
        """One estimate per row of `values` [k, n]."""
        mean, low, high = bootstrap(values, self.prompts.template)
        if unit in ("share of prompts", "probability"):
            low, high = low.clip(0, 1), high.clip(0, 1)
        n = values.shape[1]
        return [
            Estimate(name=name, value=float(m), low=float(lo), high=float(hi), level=LEVEL, n=n, unit=unit)
            for name, m, lo, hi in zip(names, mean, low, high, strict=True)
        ]

    def behaviour_estimates(self) -> list[Estimate]:
        """`gap` and `accuracy`, which every result carries."""
        self.gap  # noqa: B018  # refuses a task without a gap
        return [
            self.estimate("gap", self.clean - self.corrupted, self.task.info.unit),
            self.estimate("accuracy", (self.clean > 0).astype(np.float64), "share of prompts"),
        ]

    def provenance(self) -> Provenance:
        """Where the numbers come from."""
        model = self.lab.model
        return Provenance(
            model_name=model.name,
            model_sha256=model.sha256,
            model_dtype=model.dtype,
            task=self.params.task,
            task_version=self.task.info.version,
            prompts_sha256=self.prompts.sha256,
            seed=self.params.seed,
            device=model.device,
            threads=torch.get_num_threads(),
            determinism=determinism(),
            code_version=f"{version('circuit-court')}; {self.runner.how}",
            libraries={name: version(name) for name in LIBRARIES},
            started_at=self.started_at,
            seconds=round(time.monotonic() - self.began, 3),
            forward_passes=self.runner.forward_passes,
        )

    def result(
        self,
        name: str,
        version: int,
        summary: str,
        estimates: list[Estimate],
        **rest: Any,
    ) -> Result:
        """The finished result. `rest`: controls, tables, labels, arrays."""
        labels = {"prompts": list(self.prompts.template), **rest.pop("labels", {})}
        result = Result(
            experiment=name,
            version=version,
            params=self.params.model_dump(mode="json"),
            summary=summary,
            estimates=estimates,
            labels=labels,
            provenance=self.provenance(),
            **rest,
        )
        result.check_finite()
        return result


def control_row(name: str, observed: float, array: str) -> Control:
    """A control distribution and where the component falls in it."""
    return Control(name=name, observed=observed, expected="rank p against matched controls", array=array)


def measure(lab: Lab, params: TaskParams, *, mean_prompts: int | None = None) -> Measurement:
    """Draw the prompts of `params` for the lab's model and set up the engine.

    `mean_prompts`: corrupted prompts per template to average over, for interventions with value `mean`.
    """
    task = find_task(params.task)
    prompts = draw(lab, task, params)
    engine = runner_for(lab, prompts)
    if mean_prompts is not None:
        engine.means = _means(lab, engine, task, params, mean_prompts)
    return Measurement(lab, params, task, prompts, engine)


def runner_for(lab: Lab, prompts: Prompts) -> Runner:
    """The engine where the model's family has a reader, else TransformerLens hooks; the provenance says which."""
    model = lab.model

    def step(done: float, text: str) -> None:
        lab.step(done, text or "working")

    if model.decoder is None:
        return HookEngine(prompts=prompts, device=model.device, bridge=model.bridge, step=step)
    return Engine(
        prompts=prompts, device=model.device, decoder=model.decoder, memory_budget=lab.memory_budget, step=step
    )


def draw(lab: Lab, task: Task, params: TaskParams, *, n: int | None = None, seed: int | None = None) -> Prompts:
    """The task's prompts for this model. Raises ExperimentError when the task needs a tokenizer it has not got."""
    tokenizer = lab.model.tokenizer
    if task.info.needs_tokenizer and tokenizer is None:
        raise ExperimentError(
            f"task {params.task!r} is in text, but {lab.model.name} has no tokenizer; use a task in token ids."
        )
    vocab = None if tokenizer is None else TokenizerVocab(tokenizer)
    templates = tuple(params.templates) if params.templates is not None else None
    wanted = Draw(n or params.n, params.split, params.seed if seed is None else seed, templates, params.corruption)
    return task.draw(vocab, wanted)


def _means(lab: Lab, engine: Runner, task: Task, params: TaskParams, per_template: int) -> MeanBank:
    """The bank of means for these templates; kept with the model, because averaging is the costly part."""
    templates = len(params.templates) if params.templates is not None else len(task.info.templates)
    prompts = draw(lab, task, params, n=per_template * max(1, templates))
    key = f"means:{prompts.sha256}"
    if key not in lab.model.cache:
        lab.model.cache[key] = MeanBank(engine.record, prompts, lab.model.device)
    return lab.model.cache[key]


def base_metric(measurement: Measurement, base: Base) -> Floats:
    """The metric of the plain run that an intervention starts from [n]."""
    return measurement.clean if base == "clean" else measurement.corrupted
