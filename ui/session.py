"""A command's hold on the court: the ledger opened, and a worker for as long as the command needs one.

A worker that runs already is used; otherwise one is started for the length of the command and ended with it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agent.court import Court
from agent.errors import WorkerError
from agent.supervisor import WorkerSupervisor
from ui.cli_output import ProgressLine
from ui.settings import load

PUBLISHES_WITHIN_SECONDS = 120.0


def open_court() -> Court:
    """The court of the configured data folder; reading needs no worker."""
    return Court(load())


@contextmanager
def court_with_worker(line: ProgressLine, court: Court | None = None) -> Iterator[Court]:
    """The court with a living worker. Raises WorkerError with its last words when workers do not stay alive."""
    own = court or open_court()
    if not own.worker_alive():
        line.show("starting a worker")
    with WorkerSupervisor(own.config) as supervisor:
        try:
            yield own
        except WorkerError:
            supervisor.check()
            raise
        finally:
            line.clear()


def catalogue(kind: str, line: ProgressLine) -> list[dict[str, Any]]:
    """What workers offer of a kind; when none has ever published, one is started to do so.

    Raises WorkerError when nothing is published within two minutes.
    """
    court = open_court()
    if entries := court.ledger.catalogue.entries(kind):
        return entries
    with court_with_worker(line, court):
        until = time.monotonic() + PUBLISHES_WITHIN_SECONDS
        while time.monotonic() < until:
            if entries := court.ledger.catalogue.entries(kind):
                return entries
            line.show(f"waiting for the worker to publish its {kind}s")
            time.sleep(0.2)
        return court.catalogue(kind)
