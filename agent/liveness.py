"""Who is alive: workers that beat lately, and processes by id. Knows nothing of what they do."""

import socket
from datetime import UTC, datetime

import psutil

from agent.ledger.schema import WorkerRow
from agent.ledger.store import Ledger

SILENCE_HERE = 120.0
SILENCE_ELSEWHERE = 60.0


def living_workers(ledger: Ledger) -> list[WorkerRow]:
    """Workers with a recent sign of life; those of this machine must have their process."""
    return [row for row in ledger.catalogue.workers() if _lives(row)]


def _lives(row: WorkerRow) -> bool:
    """A worker of this machine may be silent for long (a busy machine), because its process can be looked at."""
    if row.state == "stopped":
        return False
    silent = (datetime.now(UTC) - datetime.fromisoformat(row.beat_at)).total_seconds()
    if row.host == socket.gethostname():
        return silent < SILENCE_HERE and process_lives(row.pid)
    return silent < SILENCE_ELSEWHERE


def process_lives(pid: int) -> bool:
    """Whether a process of this machine runs (a zombie does not)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
