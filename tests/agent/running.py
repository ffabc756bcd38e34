"""A court with a real worker process on a planted model, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.config import Config
from agent.court import Court
from agent.events import Event
from agent.supervisor import WorkerSupervisor

MODEL, TASK = "planted:induction", "planted:induction"
TRUE_CLAIM = "head 1.0 is necessary for the task"


def planted_config(home: Path, **changes: object) -> Config:
    return Config.at(home, model=MODEL, task=TASK, **changes)


@contextmanager
def running_court(home: Path, *, patience: float = 60.0, **changes: object) -> Iterator[tuple[Court, WorkerSupervisor]]:
    court = Court(planted_config(home, **changes), patience=patience)
    with WorkerSupervisor(court.config) as supervisor:
        yield court, supervisor
    court.close()


def ended(court: Court, run_id: str) -> list[Event]:
    """All events of a run, once it has ended."""
    return list(court.follow(run_id))
