"""What a trial needs of the laboratory: facts about the model and the task, and experiments that are run once.

`Laboratory` is the seam between the procedure (`agent/verification.py`) and whoever runs experiments: the durable
worker, or a plain loop in tests and in calibration. Nothing heavy is imported here.
"""

from typing import Any, Protocol

from agent.situation import ModelFacts, TaskFacts
from tools.result import Result


class Laboratory(Protocol):
    """Runs experiments on one loaded model and stores every attempt and result in the ledger."""

    @property
    def model(self) -> ModelFacts:
        """The model under study."""
        ...

    def task(self, name: str) -> TaskFacts:
        """The task of that name. Raises ExperimentError when there is none."""
        ...

    def run(
        self, experiment: str, params: dict[str, Any], *, prediction_id: str | None = None, look: int = 1
    ) -> tuple[str, Result]:
        """Run an experiment, or fetch what the same call gave before; returns its result id and the result.

        For a prediction only a run that started after its registration counts.
        """
        ...


def model_facts(card: dict[str, Any]) -> ModelFacts:
    """The facts a claim needs from a loaded model's card (`LoadedModel.card()`)."""
    return ModelFacts(
        spec=card["spec"],
        name=card["name"],
        sha256=card["sha256"],
        revision=card.get("revision") or "",
        dtype=card["dtype"],
        n_layers=card["n_layers"],
        n_heads=card["n_heads"],
        has_mlps=bool(card.get("d_mlp")),
    )


def task_facts(name: str) -> TaskFacts:
    """The facts a claim needs from a task. Raises ExperimentError when no task has that name."""
    from tools.tasks import find_task  # reads task files; only where experiments run

    info = find_task(name).info
    return TaskFacts(
        name=name,
        version=info.version,
        title=info.title,
        templates=list(info.templates),
        corruption=info.corruptions[0] if info.corruptions else "",
        positions=list(info.positions),
        metric=info.metric,
    )
