"""How an experiment joins the laboratory: one file in `tools/experiments/`, one decorated function.

    class DirectLogitAttribution(TaskParams):
        component: str | None = Field(default=None, description="one head or MLP; all when absent")

    @experiment("direct-logit-attribution", version=1, kind="observational")
    def direct_logit_attribution(lab: Lab, params: DirectLogitAttribution) -> Result:
        '''What each head and MLP writes toward the answer, in shares of the gap. ...'''

The function's docstring is what the agent, the forms and the manual show. This module knows the contract and the
registry; it does not know models (`tools/models.py`), tasks (`tools/tasks.py`) or queues (`agent/`).
"""

import functools
import importlib
import inspect
import pkgutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.costs import Cost, whole
from tools.errors import CancelledError, ExperimentError
from tools.result import Result

if TYPE_CHECKING:
    from tools.models import LoadedModel

ExperimentKind = Literal["observational", "causal", "nominator", "assay"]
Split = Literal["explore", "confirm"]


class Params(BaseModel):
    """Parameters of an experiment: JSON values only, each field with a description and a range."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskParams(Params):
    """Parameters of every experiment that runs on a task's prompts."""

    task: str = Field(default="ioi", description="the task whose prompts are used, e.g. ioi")
    n: int = Field(default=32, ge=2, le=4096, description="number of clean/corrupted prompt pairs")
    split: Split = Field(default="explore", description="explore and confirm prompts never overlap")
    seed: int = Field(default=0, ge=0, description="seed the prompts are drawn with")
    templates: list[str] | None = Field(default=None, description="template ids to keep; all when absent")
    corruption: str | None = Field(
        default=None, description="how prompts are corrupted; the task's first way when absent"
    )


def _quiet(done: float, text: str) -> None:
    """Progress nobody listens to."""


@dataclass
class Lab:
    """What an experiment is given to work with: the model, where to report progress, how to notice a stop.

    `progress(done, text)`: `done` in [0, 1]. `cancelled()` is asked between batches.
    """

    model: "LoadedModel"
    progress: Callable[[float, str], None] = _quiet
    cancelled: Callable[[], bool] = lambda: False
    memory_budget: int = 2_000_000_000

    def step(self, done: float, text: str) -> None:
        """Report progress and stop here if asked to. Raises CancelledError."""
        if self.cancelled():
            raise CancelledError("stopped on request")
        self.progress(done, text)


@dataclass(frozen=True)
class Experiment:
    """A registered experiment and how to call it."""

    name: str
    version: int
    kind: ExperimentKind
    params: type[Params]
    run: Callable[[Lab, Any], Result]
    cost: Callable[[Any, "LoadedModel"], Cost]

    @property
    def doc(self) -> str:
        """The function's docstring: shown to people and to the llm."""
        return inspect.getdoc(self.run) or ""

    def card(self) -> dict[str, Any]:
        """Plain JSON for the catalogue: what UI, CLI, MCP and the llm build their forms from."""
        return {
            "name": self.name,
            "version": self.version,
            "kind": self.kind,
            "doc": self.doc,
            "params": self.params.model_json_schema(),
        }


_REGISTRY: dict[str, Experiment] = {}


Function = Callable[..., Result]


def _plain_runs(params: Any, model: "LoadedModel") -> Cost:
    """Both runs of the prompts: the least that an experiment on a task costs."""
    return whole(2.0 * getattr(params, "n", 0))


def experiment(
    name: str,
    *,
    version: int,
    kind: ExperimentKind,
    cost: Callable[[Any, "LoadedModel"], Cost] = _plain_runs,
) -> Callable[[Function], Function]:
    """Register the decorated `(lab, params) -> Result` function under `name`.

    `cost(params, model)` says beforehand what a run takes; registered runs report it as their first progress. Raises
    ValueError if the name is taken, the docstring is missing or `params` is not annotated with a `Params`.
    """

    def register(function: Function) -> Function:
        annotation = inspect.get_annotations(function, eval_str=True).get("params")
        if not (isinstance(annotation, type) and issubclass(annotation, Params)):
            raise ValueError(f"{name}: annotate `params` with a subclass of Params, got {annotation!r}")
        if name in _REGISTRY and inspect.unwrap(_REGISTRY[name].run) is not function:
            raise ValueError(f"an experiment named {name!r} exists already")
        if not inspect.getdoc(function):
            raise ValueError(f"{name}: an experiment's docstring is what people read; write one")
        _REGISTRY[name] = Experiment(name, version, kind, annotation, _announced(function, cost), cost)
        return function

    return register


def _announced(function: Function, cost: Callable[[Any, "LoadedModel"], Cost]) -> Function:
    """The experiment, telling first what it will cost, and remembering what it took."""

    @functools.wraps(function)
    def run(lab: Lab, params: Params) -> Result:
        expected = cost(params, lab.model)
        lab.step(0.0, expected.says(expected.work * lab.model.seconds_per_pass))
        began = time.monotonic()
        result = function(lab, params)
        lab.model.note_pace(expected.work, time.monotonic() - began)
        return result

    return run


def experiments() -> dict[str, Experiment]:
    """Every experiment by name; imports the modules of `tools/experiments` on first use."""
    package = importlib.import_module("tools.experiments")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"tools.experiments.{module.name}")
    return dict(sorted(_REGISTRY.items()))


def find_experiment(name: str) -> Experiment:
    """The experiment of that name. Raises ExperimentError listing what exists."""
    known = experiments()
    if name not in known:
        raise ExperimentError(f"no experiment is called {name!r}; there are: {', '.join(known)}.")
    return known[name]
