"""Writes a run's events as a reader can bear them: progress four times a second, words in pieces of a tenth.

Order is kept: whatever waits is written before the next event of another kind. Also the flag that asks a running
step to stop, read from the ledger at most five times a second.
"""

import threading
import time
from typing import Any

from agent.ledger.runs import Runs

PROGRESS_SECONDS = 0.25
DELTA_SECONDS = 0.1
FLAG_SECONDS = 0.2
ONCE: frozenset[str] = frozenset({"registered", "evidence", "verdict", "plan", "approval", "approved", "read"})


class Emitter:
    """The events of one run; call it with a kind and a payload, from any thread."""

    def __init__(self, runs: Runs, run_id: str) -> None:
        self._runs, self._run_id = runs, run_id
        self._lock = threading.Lock()
        self._words: list[str] = []
        self._progress: dict[str, Any] = {}
        self._words_at = self._progress_at = float("-inf")

    def __call__(self, kind: str, payload: dict[str, Any]) -> None:
        """Write an event, now or with the next piece of its kind."""
        with self._lock:
            at = time.monotonic()
            if kind == "delta":
                self._words.append(str(payload["text"]))
                if at - self._words_at >= DELTA_SECONDS:
                    self._flush(at)
                return
            if kind == "progress":
                early = at - self._progress_at < PROGRESS_SECONDS and payload["done"] < 1.0
                if early or payload == self._progress:
                    return
                self._progress, self._progress_at = payload, at
            self._flush(at)
            self._runs.emit(self._run_id, kind, payload, once=kind in ONCE)

    def flush(self) -> None:
        """Write the words that still wait."""
        with self._lock:
            self._flush(time.monotonic())

    def _flush(self, at: float) -> None:
        if self._words:
            words, self._words, self._words_at = "".join(self._words), [], at
            self._runs.emit(self._run_id, "delta", {"text": words})


class StopFlag:
    """Whether somebody asked this run to stop; cheap enough to ask between batches."""

    def __init__(self, runs: Runs, run_id: str) -> None:
        self._runs, self._run_id = runs, run_id
        self._asked_at, self._raised = float("-inf"), False

    def __call__(self) -> bool:
        """True from the moment that the ledger says so, or up to `FLAG_SECONDS` later."""
        at = time.monotonic()
        if not self._raised and at - self._asked_at >= FLAG_SECONDS:
            self._asked_at = at
            return self.afresh()
        return self._raised

    def afresh(self) -> bool:
        """The same, read from the ledger now: for a run that was just woken, perhaps by the one who asked it to stop."""
        self._raised = self._raised or self._runs.cancel_requested(self._run_id)
        return self._raised
