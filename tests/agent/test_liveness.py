import os
import socket
import subprocess
import sys

import pytest
from sqlalchemy import update

from agent.config import Config
from agent.ledger.schema import WorkerRow
from agent.ledger.store import Ledger
from agent.liveness import living_workers


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger.open(Config.at(tmp_path / "home"))
    yield opened
    opened.close()


def beat(ledger, *, pid=None, host=None, state="ready", at=None):
    ledger.catalogue.beat("w", pid=pid or os.getpid(), host=host or socket.gethostname(), state=state)
    if at is not None:
        with ledger.database.writing() as session:
            session.execute(update(WorkerRow).values(beat_at=at))


def test_a_worker_that_beats_lives(ledger):
    beat(ledger)
    assert [row.worker_id for row in living_workers(ledger)] == ["w"]


def test_a_worker_that_stopped_is_gone(ledger):
    beat(ledger, state="stopped")
    assert living_workers(ledger) == []


def test_a_killed_process_is_gone_at_once(ledger):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    beat(ledger, pid=gone.pid)
    assert living_workers(ledger) == []


def test_a_silent_worker_is_gone(ledger):
    beat(ledger, at="2020-01-01T00:00:00.000000+00:00")
    assert living_workers(ledger) == []


def test_a_worker_elsewhere_is_judged_by_its_beat_alone(ledger):
    beat(ledger, pid=2**22 + 5, host="another-machine")
    assert len(living_workers(ledger)) == 1
