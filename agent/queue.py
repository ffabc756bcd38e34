"""The queue's side that needs no worker: put jobs in, take them out again, send them a message.

Jobs are DBOS workflows on three queues: `turns` (chat), `laboratory` (whatever needs the model under study; one at a
time, because hooks change the model they run on) and `investigations` (long, and waiting for people; they share the
laboratory's bench). A job's id is its run's id in the ledger and its only argument,
so that enqueuing twice is harmless. Everything is stored as portable JSON, never pickled. What the jobs do stands in
`agent/workflows.py`.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import WorkerError

TURNS = "turns"
LABORATORY = "laboratory"
INVESTIGATIONS = "investigations"
APPLICATION = "circuit-court"
VERSION = "1"
QUEUE_OF = {
    "ask": TURNS,
    "ingest": TURNS,
    "verify": LABORATORY,
    "experiment": LABORATORY,
    "check_model": LABORATORY,
    "investigate": INVESTIGATIONS,
    "replicate": LABORATORY,
    "notebook": LABORATORY,
}
APPROVAL = "approval"


def migrate_queue(url: str) -> None:
    """Create or update the queue's tables; SQLite is put into WAL mode, so that readers do not wait."""
    from dbos import DBOS  # 0.6 s: only when a job is queued

    _prepare(url)
    DBOS.migrate(url)


def _prepare(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return
    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(parsed)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    finally:
        engine.dispose()


class JobQueue:
    """A client of the queue at `url`; connects on first use."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Any = None

    def connect(self) -> None:
        """Open the queue, creating it when needed. Raises WorkerError when it cannot be opened."""
        self._connected()

    def _connected(self) -> Any:
        if self._client is None:
            from dbos import DBOSClient, DBOSPortableJSONSerializer  # 0.6 s

            try:
                migrate_queue(self._url)
                self._client = DBOSClient(system_database_url=self._url, serializer=DBOSPortableJSONSerializer())
            except (SQLAlchemyError, OSError) as error:
                shown = make_url(self._url).render_as_string(hide_password=True)
                reason = str(getattr(error, "orig", None) or error).splitlines()[0]
                raise WorkerError(f"The queue at {shown} cannot be opened: {reason}") from error
        return self._client

    def put(self, run_id: str, kind: str) -> None:
        """Queue the job of a run; queuing it again changes nothing."""
        options = {
            "workflow_name": kind,
            "queue_name": QUEUE_OF[kind],
            "workflow_id": run_id,
            "app_version": VERSION,
            "application_name": APPLICATION,
        }
        self._connected().enqueue(options, run_id)

    def cancel(self, run_id: str) -> None:
        """Take a job out of the queue, or stop it at its next step."""
        self._connected().cancel_workflow(run_id)

    def send(self, run_id: str, message: dict[str, Any], *, topic: str) -> None:
        """Send a message that the job waits for, such as an approval."""
        self._connected().send(run_id, message, topic=topic)

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.destroy()
            self._client = None
