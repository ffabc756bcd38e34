"""What an investigation may cost, what it will cost, and what it has cost: forward passes and seconds.

Estimates are counts of interventions times prompts, turned into seconds by rates measured on this machine by the
investigation's own earlier experiments. What was spent is summed from the provenance of stored results, so a resumed
run arrives at the same account. Tokens and money are the llm's, which an investigation does not use. This module
decides nothing about claims.
"""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.laboratory import Laboratory
from agent.predictions import Registration
from agent.situation import ModelFacts, TaskFacts
from tools.result import Result

StepKind = Literal["explore", "claim"]
DEFAULT_RATE = 0.05


class PlanModel(BaseModel):
    """Strict and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Cost(PlanModel):
    """Forward passes (one prompt through the model once, or its remainder after an intervention) and seconds."""

    experiments: int = 0
    forward_passes: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            experiments=self.experiments + other.experiments,
            forward_passes=self.forward_passes + other.forward_passes,
            seconds=round(self.seconds + other.seconds, 3),
        )

    def says(self) -> str:
        """The cost in words."""
        return f"{self.forward_passes:,} forward passes, about {spoken_seconds(self.seconds)}"


class Budget(PlanModel):
    """What may be spent without asking."""

    seconds: float = Field(default=1200.0, gt=0)
    forward_passes: int = Field(default=200_000, gt=0)

    def holds(self, cost: Cost) -> bool:
        """Whether a cost is within both limits."""
        return cost.seconds <= self.seconds and cost.forward_passes <= self.forward_passes

    def says(self) -> str:
        """The budget in words."""
        return f"{self.forward_passes:,} forward passes and {spoken_seconds(self.seconds)}"


class PlannedStep(PlanModel):
    """One claim that would be tested, or one group of explore runs, with its estimated cost."""

    kind: StepKind
    key: str
    what: str
    cost: Cost


class Plan(PlanModel):
    """What is to be tested, in order of importance, and what it is estimated to cost."""

    steps: tuple[PlannedStep, ...]
    budget: Budget
    spent: Cost = Field(description="what exploring has cost already")
    basis: str

    @property
    def total(self) -> Cost:
        """Spent and estimated together."""
        return sum((step.cost for step in self.steps), self.spent)

    @property
    def over_budget(self) -> bool:
        """Whether a yes is needed."""
        return not self.budget.holds(self.total)

    def within_budget(self) -> tuple[PlannedStep, ...]:
        """The steps that fit, most important first; a step that does not fit is left out, cheaper ones may follow."""
        kept: list[PlannedStep] = []
        total = self.spent
        for step in self.steps:
            if self.budget.holds(total + step.cost):
                kept.append(step)
                total = total + step.cost
        return tuple(kept)

    def says(self) -> str:
        """The plan in one sentence."""
        words = f"{len(self.steps)} claims to test: {self.total.says()} in all, exploring included"
        if not self.over_budget:
            return f"{words}; the budget of {self.budget.says()} holds it."
        fitting = len(self.within_budget())
        return f"{words}. The budget is {self.budget.says()}; without a yes, {fitting} of them are tested."

    def told(self) -> dict[str, Any]:
        """The plan as the event that a page shows."""
        claims = [
            {"text": step.what, "seconds": step.cost.seconds, "forward_passes": step.cost.forward_passes}
            for step in self.steps
        ]
        return {"text": self.says(), "basis": self.basis, "claims": claims, "over_budget": self.over_budget}


class MeteredLaboratory:
    """A laboratory that keeps account of what every result cost, and so knows the rates of this machine."""

    def __init__(self, lab: Laboratory) -> None:
        self._lab = lab
        self._costs: dict[str, Cost] = {}
        self._units: dict[str, tuple[float, float]] = {}

    @property
    def model(self) -> ModelFacts:
        """The model under study."""
        return self._lab.model

    def task(self, name: str) -> TaskFacts:
        """The task of that name. Raises ExperimentError when there is none."""
        return self._lab.task(name)

    def run(
        self, experiment: str, params: dict[str, Any], *, prediction_id: str | None = None, look: int = 1
    ) -> tuple[str, Result]:
        """Run it, and note what it cost; the same result counts once."""
        result_id, result = self._lab.run(experiment, params, prediction_id=prediction_id, look=look)
        if result_id not in self._costs:
            made = result.provenance
            self._costs[result_id] = Cost(
                experiments=1, forward_passes=made.forward_passes, seconds=round(made.seconds, 3)
            )
            units, seconds = self._units.get(experiment, (0.0, 0.0))
            self._units[experiment] = (units + work(experiment, result.params, self.model), seconds + made.seconds)
        return result_id, result

    @property
    def spent(self) -> Cost:
        """What the results so far have cost."""
        return sum(self._costs.values(), Cost())

    def results(self) -> list[str]:
        """Ids of every result, in the order they came."""
        return list(self._costs)

    def estimate(self, calls: Iterable[tuple[str, dict[str, Any]]]) -> Cost:
        """What these calls would cost, at the rates measured so far."""
        total = Cost()
        for experiment, params in calls:
            passes = work(experiment, params, self.model)
            seconds = round(passes * self._rate(experiment), 3)
            total = total + Cost(experiments=1, forward_passes=int(passes), seconds=seconds)
        return total

    def _rate(self, experiment: str) -> float:
        """Seconds per unit of work: of the same experiment, else of all together, else a guess."""
        units, seconds = self._units.get(experiment, (0.0, 0.0))
        if not units:
            units = sum(u for u, _ in self._units.values())
            seconds = sum(s for _, s in self._units.values())
        return seconds / units if units else DEFAULT_RATE


def work(experiment: str, params: dict[str, Any], model: ModelFacts) -> float:
    """Forward passes that a call asks for: interventions (targets, controls, random sets) and plain runs, times prompts."""
    n = int(params.get("n") or 32)
    if experiment == "circuit-evaluation":
        sets = int(params.get("n_subsets", 20)) * 2 + (len(params["components"]) if params.get("minimal", True) else 0)
        random = int(params.get("n_random", 99)) + int(params.get("n_random_any", 30))
        return float(n * (sets + 8) + random * int(params.get("random_prompts", 28)))
    drawn = len(params.get("controls") or []) + int(params.get("n_controls") or 0)
    return float(n * (_targets(experiment, params, model) + drawn + 2))


def _targets(experiment: str, params: dict[str, Any], model: ModelFacts) -> int:
    """How many interventions are measured by themselves."""
    if experiment == "assay":
        return int(params.get("n_null", 20)) + 4
    named = params.get("components") or params.get("senders")
    if params.get("joint"):
        return 1
    if named:
        return len(named)
    sweeps = ("head-ablation", "head-patching", "path-patching", "screen")
    return len(model.heads()) + (len(model.mlps()) if params.get("mlps") else 0) if experiment in sweeps else 1


def registration_calls(registration: Registration) -> list[tuple[str, dict[str, Any]]]:
    """The calls of a registration's first looks; second looks are asked for by few claims and not counted."""
    return [(one.experiment, one.call(1, registration.confirm_seed)) for one in registration.predictions]


def spoken_seconds(seconds: float) -> str:
    """`45 s`, `12 min`, `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
