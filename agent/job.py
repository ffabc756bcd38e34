"""One durable job while it runs: its request, its events, its stop flag, its steps, and how it ends.

A step's outcome is kept by DBOS, so a job that is taken up again after its worker died goes on at the step it was on.
Errors that a person may see travel through the kept outcomes as data and are raised again as what they were.
Whatever goes wrong ends the job, never the worker.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from dbos import DBOS

from agent.emitter import Emitter, StopFlag
from agent.errors import USER_ERRORS, AgentError
from agent.ledger.store import Ledger
from tools.errors import CancelledError

log = logging.getLogger(__name__)
Step = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Job:
    """What a workflow's body works with."""

    run_id: str
    request: dict[str, Any]
    conversation_id: str | None
    ledger: Ledger
    emit: Emitter
    cancelled: StopFlag

    @classmethod
    def of(cls, run_id: str, ledger: Ledger) -> "Job":
        """The job of a run in the ledger."""
        row = ledger.runs.get(run_id)
        emit, flag = Emitter(ledger.runs, run_id), StopFlag(ledger.runs, run_id)
        return cls(run_id, row.request, row.conversation_id, ledger, emit, flag)

    def status(self, text: str) -> None:
        """Tell what is being done now."""
        self.emit("status", {"text": text})

    def step(self, name: str, work: Step) -> dict[str, Any]:
        """Do `work` once, durably: after a crash its kept outcome is returned instead.

        Raises CancelledError when the job is to stop, and what `work` raised if a person may see it.
        """
        if self.cancelled():
            raise CancelledError("stopped on request")
        outcome = DBOS.run_step({"name": name}, _guarded, work)
        if "raised" in outcome:
            raise _error_class(outcome["raised"])(outcome["message"])
        return outcome["value"]


def _guarded(work: Step) -> dict[str, Any]:
    try:
        return {"value": work()}
    except USER_ERRORS as error:
        return {"raised": type(error).__name__, "message": str(error)}


def _error_class(name: str) -> type[Exception]:
    waiting = list(USER_ERRORS)
    while waiting:
        kind = waiting.pop()
        if kind.__name__ == name:
            return kind
        waiting += kind.__subclasses__()
    return AgentError


class JobEnd:
    """Writes how a job ended, whatever happened inside: done, failed with one sentence, or cancelled."""

    def __init__(self, job: Job, log_path: str) -> None:
        self._job, self._log_path = job, log_path
        self.outcome: dict[str, Any] | None = None

    def __enter__(self) -> "JobEnd":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        job = self._job
        job.emit.flush()
        if error is None:
            job.ledger.runs.end(job.run_id, "done", outcome=self.outcome)
            return False
        if isinstance(error, CancelledError):
            job.ledger.runs.end(job.run_id, "cancelled")
        elif isinstance(error, USER_ERRORS):
            job.ledger.runs.end(job.run_id, "failed", error=str(error))
        elif isinstance(error, Exception):
            log.error("run %s failed unexpectedly", job.run_id, exc_info=error)
            job.ledger.runs.end(job.run_id, "failed", error=f"{_sentence(error)} Details: {self._log_path}")
        return isinstance(error, Exception)


def _sentence(error: Exception) -> str:
    if type(error).__name__ == "DBOSUnexpectedStepError":  # DBOS does not export it
        return (
            "The run was begun by another version of the program, whose steps were others, so it cannot go on. "
            "Start it again: what it measured is kept and not measured twice."
        )
    first = str(error).splitlines()[0] if str(error) else "no message"
    return f"The run failed unexpectedly ({type(error).__name__}: {first})."
