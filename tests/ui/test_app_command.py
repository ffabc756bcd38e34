"""`circuit-court app` as a process: it starts both, looks after both, and leaves nothing behind."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from browser import PROGRAM, command, free_port, wait_for_health

from agent.config import Config
from agent.ledger.store import Ledger
from agent.liveness import living_workers

PATIENCE = 120.0


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"CIRCUIT_COURT_HOME": str(tmp_path / "home"), "CIRCUIT_COURT_MODEL": "planted:induction"}


def workers(env: dict[str, str]) -> list[int]:
    ledger = Ledger.open(Config.at(Path(env["CIRCUIT_COURT_HOME"])))
    try:
        return [row.pid for row in living_workers(ledger)]
    finally:
        ledger.close()


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.1)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def children(process: subprocess.Popen[str]) -> list[int]:
    return [child.pid for child in psutil.Process(process.pid).children(recursive=True)]


def test_the_app_starts_both_replaces_a_dead_worker_and_ends_both(env):
    port = free_port()
    with command("app", "--port", str(port), env=env) as process:
        wait_for_health(port)
        until(lambda: len(workers(env)) == 1, "a worker lives")
        first = workers(env)[0]
        os.kill(first, signal.SIGKILL)
        until(lambda: bool(workers(env)) and workers(env)[0] != first, "another worker lives")
        started = children(process)
        assert len(started) == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert f"http://127.0.0.1:{port}" in (process.stdout.read() if process.stdout else "")
    until(lambda: all(gone(pid) for pid in started), "both are gone")


def test_when_the_app_is_killed_its_children_end(env):
    port = free_port()
    with command("app", "--port", str(port), env=env) as process:
        wait_for_health(port)
        until(lambda: len(workers(env)) == 1, "a worker lives")
        started = children(process)
        process.kill()
        process.wait()
        until(lambda: all(gone(pid) for pid in started), "both are gone")


def test_a_taken_port_is_one_sentence_with_the_remedy(env):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [PROGRAM, "app", "--port", str(port)], env={**os.environ, **env}, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 2
    assert f"Port {port} of 127.0.0.1 cannot be used" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
