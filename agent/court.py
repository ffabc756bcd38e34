"""The door that the app, the command line and MCP use: ask, verify, run, cancel, read. It needs no torch.

A `Court` writes jobs into the queue and reads everything else from the ledger; a worker does the work.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.cards import ClaimCard, ClaimSummary, RunCard
from agent.config import Config
from agent.events import Event
from tools.result import Result


class Court:
    """One data folder's court. Every method raises only errors of `agent.errors.USER_ERRORS`."""

    def __init__(self, config: Config) -> None:
        """Open (and migrate, when needed) the ledger of `config`."""
        raise NotImplementedError

    # jobs: each returns the run id at once; the worker writes events
    def ask(self, question: str, *, conversation_id: str | None = None, model: str | None = None) -> str:
        """Queue one chat turn; the question is stored as a message first, so nothing is lost."""
        raise NotImplementedError

    def verify(self, text: str, *, model: str | None = None, task: str | None = None) -> str:
        """Parse and queue the verification of one claim. Raises ClaimError before anything is queued."""
        raise NotImplementedError

    def stored_verdict(self, text: str, *, model: str | None = None, task: str | None = None) -> ClaimCard | None:
        """The judged claim for this sentence when the ledger already holds it for the same model, task and method."""
        raise NotImplementedError

    def run_experiment(self, name: str, params: dict[str, Any], *, model: str | None = None) -> str:
        """Queue one experiment; outcome of the run is {"result_id"}."""
        raise NotImplementedError

    def add_to_library(self, sources: list[str]) -> str:
        """Queue an ingest of files or folders; outcome is the report."""
        raise NotImplementedError

    def check_model(self, model: str) -> str:
        """Queue loading and self-testing a model; outcome is its self-test report."""
        raise NotImplementedError

    def cancel(self, run_id: str) -> None:
        """Ask a queued or running job to stop."""
        raise NotImplementedError

    # reading
    def run(self, run_id: str) -> RunCard:
        raise NotImplementedError

    def runs(self, *, active: bool = False) -> list[RunCard]:
        raise NotImplementedError

    def events(self, run_id: str, *, after: int = 0) -> list[Event]:
        raise NotImplementedError

    def follow(self, run_id: str, *, after: int = 0) -> Iterator[Event]:
        """Yield events as they come until `ended`; raises WorkerError when no worker lives for 30 s."""
        raise NotImplementedError

    def claims(self, *, model: str | None = None, task: str | None = None) -> list[ClaimSummary]:
        raise NotImplementedError

    def claim(self, claim_id: str) -> ClaimCard:
        """By id or unique prefix. Raises LedgerError naming the nearest ids."""
        raise NotImplementedError

    def result(self, result_id: str) -> Result:
        """With arrays."""
        raise NotImplementedError

    def conversations(self) -> list[dict[str, str]]:
        """Newest first: {"conversation_id", "title", "created_at"}."""
        raise NotImplementedError

    def messages(self, conversation_id: str) -> list[dict[str, Any]]:
        """Oldest first: {"role", "content", "run_id", "created_at"}; content is {"text"} or an Answer's JSON."""
        raise NotImplementedError

    def catalogue(self, kind: str) -> list[dict[str, Any]]:
        """Published experiments, tasks or models. Raises WorkerError with a remedy when no worker ever published."""
        raise NotImplementedError

    def worker_alive(self) -> bool:
        raise NotImplementedError

    # the library, read-only and without torch
    def library_home(self) -> Path:
        raise NotImplementedError
