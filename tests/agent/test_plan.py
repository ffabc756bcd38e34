from typing import Any

import numpy as np
import pytest

from agent.plan import Budget, Cost, MeteredLaboratory, Plan, PlannedStep, spoken_seconds, work
from agent.situation import ModelFacts, TaskFacts
from tests.agent.made import result
from tools.result import Result

MODEL = ModelFacts(spec="toy", name="toy", sha256="ab" * 32, n_layers=30, n_heads=9)


class OneResult:
    """A laboratory in which every call took ten seconds."""

    model = MODEL

    def task(self, name: str) -> TaskFacts:
        return TaskFacts(name=name, version="1")

    def run(
        self, experiment: str, params: dict[str, Any], *, prediction_id: str | None = None, look: int = 1
    ) -> tuple[str, Result]:
        made = result(experiment, arrays={"x": np.ones(2)})
        provenance = made.provenance.model_copy(update={"seconds": 10.0, "forward_passes": 100})
        made = made.model_copy(update={"params": params, "provenance": provenance})
        return made.result_id, made


def step(key: str, passes: int) -> PlannedStep:
    return PlannedStep(kind="claim", key=key, what=key, cost=Cost(experiments=1, forward_passes=passes, seconds=1))


def plan(*passes: int, limit: int) -> Plan:
    steps = tuple(step(f"c{k}", n) for k, n in enumerate(passes))
    return Plan(steps=steps, budget=Budget(seconds=1e6, forward_passes=limit), spent=Cost(), basis="")


def test_a_plan_that_costs_more_than_the_budget_is_over_it():
    assert plan(60, 60, limit=100).over_budget
    assert not plan(40, 60, limit=100).over_budget


def test_within_the_budget_the_urgent_come_first_and_cheaper_ones_may_follow():
    assert [one.key for one in plan(60, 60, 30, limit=100).within_budget()] == ["c0", "c2"]


def test_the_same_result_is_paid_for_once():
    lab = MeteredLaboratory(OneResult())
    lab.run("head-ablation", {"n": 32, "components": ["a1.h0"]})
    lab.run("head-ablation", {"n": 32, "components": ["a1.h0"]})
    assert lab.spent == Cost(experiments=1, forward_passes=100, seconds=10.0)


def test_seconds_are_estimated_at_the_measured_rate():
    lab = MeteredLaboratory(OneResult())
    lab.run("head-ablation", {"n": 32, "components": ["a1.h0"]})
    twice = lab.estimate([("head-ablation", {"n": 64, "components": ["a1.h0"]})])
    assert twice.seconds == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("experiment", "params", "passes"),
    [
        ("head-ablation", {"n": 10, "components": ["a1.h0"], "controls": ["a2.h0"] * 7}, 100),
        ("head-ablation", {"n": 10, "components": ["a1.h0"] * 50, "joint": True}, 30),
        ("head-ablation", {"n": 10}, 2720),
        ("assay", {"n": 10}, 260),
        ("attention-pattern", {"n": 10, "component": "a1.h0"}, 30),
        ("circuit-evaluation", {"n": 10, "components": ["a1.h0"] * 50, "n_random": 99, "n_random_any": 0,
                                "n_subsets": 0, "minimal": False}, 80 + 99 * 28),
    ],
)  # fmt: skip
def test_what_a_call_asks_for_is_counted(experiment: str, params: dict[str, Any], passes: int):
    assert work(experiment, params, MODEL) == passes


def test_times_are_spoken():
    assert [spoken_seconds(s) for s in (45, 600, 9000)] == ["45 s", "10 min", "2.5 h"]
