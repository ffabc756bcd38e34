"""Keeps a worker running for as long as this process wants one: `circuit-court app`, or one command.

A living worker of the same data folder is used, whoever started it; when there is none, one is started, and another
when that one dies. The worker ends with this process, however this process ends: it reads from a pipe that closes
then. Nothing heavy is imported here.
"""

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from agent.config import Config
from agent.errors import WorkerError
from agent.ledger.store import Ledger
from agent.liveness import living_workers
from agent.worker_setup import config_to_line

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.3
STOP_SECONDS = 10.0
QUICK_DEATH_SECONDS = 5.0
MAX_QUICK_DEATHS = 30
OWN_END = 6  # a worker that ends by itself at its start will do so again; one that was killed may not


class WorkerSupervisor:
    """Use as a context manager; the worker that it started is stopped at the end."""

    def __init__(self, config: Config, *, warm: bool = False) -> None:
        self._config, self._warm = config, warm
        self._ledger = Ledger.open(config)
        self._process: subprocess.Popen[str] | None = None
        self._started_at = 0.0
        self._quick_deaths = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> "WorkerSupervisor":
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process that this supervisor started, None when it uses another's worker."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def check(self) -> None:
        """Raise WorkerError, with the worker's last words, when workers keep dying at their start."""
        if self._quick_deaths >= MAX_QUICK_DEATHS:
            raise WorkerError(f"The worker does not stay alive: {self._last_words()}")

    def stop(self) -> None:
        """End the worker that was started here, within seconds; its unfinished job goes on with the next worker."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._ledger.close()

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        """Start a worker when none lives."""
        process = self._process
        if process is not None and process.poll() is None:
            return
        if process is not None:
            quick = time.monotonic() - self._started_at < QUICK_DEATH_SECONDS
            weight = 1 if process.returncode < 0 else OWN_END
            self._quick_deaths = self._quick_deaths + weight if quick else 0
            log.warning("the worker ended with status %s", process.returncode)
            self._process = None
        if self._quick_deaths < MAX_QUICK_DEATHS and not living_workers(self._ledger):
            self._start()

    def _start(self) -> None:
        self._config.logs_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._config.logs_dir / "worker.stderr.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "agent.worker"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                text=True,
                cwd=Path(__file__).parent.parent,
                start_new_session=True,
            )
        assert process.stdin is not None
        process.stdin.write(config_to_line(self._config, warm=self._warm))
        process.stdin.flush()
        self._process, self._started_at = process, time.monotonic()

    def _last_words(self) -> str:
        path = self._config.logs_dir / "worker.stderr.log"
        lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else f"see {path}"
