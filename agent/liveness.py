"""Who is alive: workers that beat lately, and processes by id. Knows nothing of what they do."""

import socket
from datetime import UTC, datetime

import psutil

from agent.ledger.schema import WorkerRow
from agent.ledger.store import Ledger

SILENCE_SECONDS = 20.0


def living_workers(ledger: Ledger) -> list[WorkerRow]:
    """Workers with a recent sign of life; those of this machine must have their process too."""
    return [row for row in ledger.catalogue.workers() if _lives(row)]


def _lives(row: WorkerRow) -> bool:
    silent = (datetime.now(UTC) - datetime.fromisoformat(row.beat_at)).total_seconds()
    if row.state == "stopped" or silent > SILENCE_SECONDS:
        return False
    return row.host != socket.gethostname() or process_lives(row.pid)


def process_lives(pid: int) -> bool:
    """Whether a process of this machine runs (a zombie does not)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
