"""The worker process: takes jobs from the queue, holds the model, publishes what it can do, beats once a second.

Run as `python -m agent.worker` with the configuration as one JSON line on standard input (so that no key stands on a
command line); it ends when that input closes, that is, when the process that started it is gone. `circuit-court
worker` calls `run_worker` directly. With SQLite one worker serves a data folder, which a lock file ensures; with
Postgres any number may share one queue, and each takes over the jobs of those that died.
"""

import logging
import os
import signal
import socket
import sys
import threading
import uuid
from types import FrameType

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from agent.config import Config
from agent.errors import USER_ERRORS
from agent.ledger.store import Ledger
from agent.liveness import living_workers
from agent.queue import APPLICATION, INVESTIGATIONS, LABORATORY, TURNS, VERSION, JobQueue, migrate_queue
from agent.worker_setup import config_from_line, let_threads_sleep, open_log, published_since_changes, sole_worker
from agent.workflows import Desk, register_workflows

log = logging.getLogger("agent.worker")
BEAT_SECONDS = 1.0
TAKEOVER_SECONDS = 10.0
STUCK_SECONDS = 90.0
POLL_SECONDS = 0.05
CHATS_AT_ONCE = 8  # turns and investigations may wait for days for a person's yes


class Worker:
    """One worker of one data folder."""

    def __init__(self, config: Config, *, warm: bool, supervised: bool = False) -> None:
        self._config, self._warm, self._supervised = config, warm, supervised
        self._ledger = Ledger.open(config)
        self._shared = make_url(config.queue_url).get_backend_name() != "sqlite"
        self._worker_id = f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
        self._desk = Desk(config, self._ledger, self._worker_id)
        self._state = "starting"
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until told to stop; never returns."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        self._take_over()
        self._launch()
        self._state = "ready"
        log.info("worker %s is ready", self._worker_id)
        if not self._warm and published_since_changes(self._ledger):
            self._desk.wanted.wait()
        self._open_laboratory()
        self._stopping.wait()
        threading.Event().wait()  # the heartbeat thread ends the process

    def stop(self) -> None:
        """Leave at once: a job that runs is taken up again by the next worker, at the step it was on."""
        self._stopping.set()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _beat(self) -> None:
        while not self._stopping.wait(BEAT_SECONDS):
            self._sign_of_life(self._state)
            if self._supervised and (stuck := self._ledger.runs.deaf(STUCK_SECONDS)):
                log.error("run %s does not stop when asked; the supervisor starts another worker", stuck)
                break
        self._sign_of_life("stopped")
        log.info("worker %s stops", self._worker_id)
        logging.shutdown()
        os._exit(0)

    def _sign_of_life(self, state: str) -> None:
        try:
            self._ledger.catalogue.beat(self._worker_id, pid=os.getpid(), host=socket.gethostname(), state=state)
        except SQLAlchemyError as error:  # a full disk or a lost server: say so and try again in a second
            log.warning("no sign of life could be written: %s", error)

    def _launch(self) -> None:
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        migrate_queue(self._config.queue_url)
        settings: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._config.queue_url,
            "serializer": DBOSPortableJSONSerializer(),
            "application_version": VERSION,
            "executor_id": self._worker_id if self._shared else "local",
            "log_level": "WARNING",
        }
        DBOS(config=settings)
        register_workflows(self._desk)
        DBOS.launch()
        DBOS.register_queue(TURNS, worker_concurrency=CHATS_AT_ONCE, polling_interval_sec=POLL_SECONDS)
        DBOS.register_queue(LABORATORY, worker_concurrency=1, polling_interval_sec=POLL_SECONDS)
        DBOS.register_queue(INVESTIGATIONS, worker_concurrency=CHATS_AT_ONCE, polling_interval_sec=POLL_SECONDS)
        if self._shared:
            threading.Thread(target=self._watch_others, name="takeover", daemon=True).start()
        self._requeue()

    def _take_over(self) -> None:
        """End what dead workers left: their attempts are crashed ones."""
        self._sign_of_life(self._state)
        alive = {row.worker_id for row in living_workers(self._ledger)} | {self._worker_id}
        crashed = self._ledger.evidence.mark_crashed(alive=alive if self._shared else {self._worker_id})
        if crashed:
            log.info("%d experiments were interrupted when a worker died", crashed)

    def _requeue(self) -> None:
        """Queue again what a client wrote down but did not live to queue; for what the queue knows, nothing changes."""
        queue = JobQueue(self._config.queue_url)
        for run in self._ledger.runs.list(active=True):
            queue.put(run.run_id, run.kind)
        queue.close()

    def _watch_others(self) -> None:
        """Take over the jobs of workers that died on other machines."""
        from dbos import DBOS

        while not self._stopping.wait(TAKEOVER_SECONDS):
            self._take_over()
            alive = {row.worker_id for row in living_workers(self._ledger)}
            dead = [row.worker_id for row in self._ledger.catalogue.workers() if row.worker_id not in alive]
            DBOS._recover_pending_workflows(dead)

    def _open_laboratory(self) -> None:
        """Import what computes, publish what it offers, and load the default model when asked to keep it warm."""
        from agent.bench import Bench
        from agent.offers import offers

        loaded_before = {entry["spec"] for entry in self._ledger.catalogue.entries("model") if entry["sha256"]}
        for kind, entries in offers(self._config).items():
            fresh = {name: entry for name, entry in entries.items() if name not in loaded_before}
            self._ledger.catalogue.publish(kind, fresh, replace=kind != "model")
        bench = Bench(self._config, self._ledger, worker_id=self._worker_id)
        self._desk.set_bench(bench)
        if self._warm:
            try:
                bench.model(self._config.model)
            except USER_ERRORS as error:
                log.warning("the default model is not loaded: %s", error)


def run_worker(config: Config, *, warm: bool = True) -> None:
    """Be the worker of this data folder until a signal says stop. Raises WorkerError when there is one already."""
    let_threads_sleep()
    open_log(config)
    with sole_worker(config):
        Worker(config, warm=warm).run()


def main() -> None:
    """`python -m agent.worker`: configuration on standard input, which also says how long to live."""
    line = sys.stdin.readline()
    config, warm = config_from_line(line)
    let_threads_sleep()
    open_log(config)
    try:
        with sole_worker(config):
            worker = Worker(config, warm=warm, supervised=True)
            threading.Thread(target=_live_with_parent, args=(worker,), daemon=True).start()
            worker.run()
    except USER_ERRORS as error:
        log.error("%s", error)
        sys.exit(f"{error}")


def _live_with_parent(worker: Worker) -> None:
    sys.stdin.read()
    worker.stop()


if __name__ == "__main__":
    main()
