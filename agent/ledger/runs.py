"""Runs and their events, conversations and their messages: what the app and the command line follow.

A run's events are numbered without gaps inside the transaction that writes them. `once=True` makes an event
harmless to write again, which is what a step that is repeated after a crash does.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from sqlalchemy import func, select

from agent.errors import LedgerError
from agent.events import Event, EventKind
from agent.ledger.engine import Database, add_once, now
from agent.ledger.schema import ConversationRow, EventRow, MessageRow, RunRow

ACTIVE = ("queued", "running")


class Runs:
    """The jobs' part of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, run_id: str, kind: str, request: dict[str, Any], *, conversation_id: str | None = None) -> None:
        """Store a new job as queued; storing it again changes nothing."""
        with self._database.writing() as session:
            row = RunRow(run_id=run_id, kind=kind, request=request, status="queued", created_at=now())
            row.conversation_id = conversation_id
            add_once(session, row)

    def start(self, run_id: str) -> bool:
        """Mark a job as running; False when it has ended already, True when it had been running before or is new."""
        with self._database.writing() as session:
            row = session.get_one(RunRow, run_id)
            if row.status not in ACTIVE:
                return False
            row.status = "running"
            return True

    def end(self, run_id: str, status: str, *, outcome: dict[str, Any] | None = None, error: str | None = None) -> None:
        """End a job once, with its `ended` event in the same transaction; a second call changes nothing."""
        with self._database.writing() as session:
            row = session.get(RunRow, run_id, with_for_update=True)
            if row is None or row.status not in ACTIVE:
                return
            row.status, row.outcome, row.error, row.ended_at = status, outcome, error, now()
            last = session.scalar(select(func.max(EventRow.seq)).where(EventRow.run_id == run_id)) or 0
            payload = {"status": status, "error": error}
            session.add(EventRow(run_id=run_id, seq=last + 1, kind="ended", payload=payload, at=now()))

    def request_cancel(self, run_id: str) -> None:
        """Raise the flag that a running step reads between batches."""
        with self._database.writing() as session:
            row = session.get(RunRow, run_id)
            if row is not None and row.cancel_requested_at is None:
                row.cancel_requested_at = now()

    def cancel_requested(self, run_id: str) -> bool:
        """Whether somebody asked this run to stop."""
        with self._database.reading() as session:
            return session.scalar(select(RunRow.cancel_requested_at).where(RunRow.run_id == run_id)) is not None

    def take_up(self, run_id: str) -> int:
        """Note that a worker takes this job up; how many took it up in a row before and got nowhere.

        A job gets somewhere when it tells anything but a status.
        """
        streak = 0
        for event in reversed(self.events(run_id)):
            if event.kind != "status":
                break
            streak += bool(event.payload.get("again"))
        if self.events(run_id):
            self.emit(run_id, "status", {"text": "going on where an earlier worker stopped", "again": True})
        return streak

    def deaf(self, seconds: float) -> str | None:
        """A run that still runs this long after it was asked to stop, None when there is none."""
        before = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="microseconds")
        query = select(RunRow.run_id).where(RunRow.status == "running", RunRow.cancel_requested_at < before).limit(1)
        with self._database.reading() as session:
            return session.scalar(query)

    def get(self, run_id: str) -> RunRow:
        """Raises LedgerError when there is no such run."""
        with self._database.reading() as session:
            row = session.get(RunRow, run_id)
        if row is None:
            raise LedgerError(f"There is no run {run_id!r}.")
        return row

    def list(self, *, active: bool = False, kind: str | None = None, limit: int | None = 200) -> list[RunRow]:
        """Newest first; only those queued or running when `active`, only of one `kind` when it is given."""
        query = select(RunRow).order_by(RunRow.created_at.desc()).limit(limit)
        if kind is not None:
            query = query.where(RunRow.kind == kind)
        if active:
            query = query.where(RunRow.status.in_(ACTIVE))
        with self._database.reading() as session:
            return [*session.scalars(query)]

    def emit(self, run_id: str, kind: str, payload: dict[str, Any], *, once: bool = False) -> None:
        """Append an event. With `once`, an equal event of this run is not written a second time."""
        assert kind in get_args(EventKind), kind
        with self._database.writing() as session:
            run = session.get(RunRow, run_id, with_for_update=True)
            if run is None or run.status not in ACTIVE:
                return  # nothing follows `ended`
            if once:
                query = select(EventRow.payload).where(EventRow.run_id == run_id, EventRow.kind == kind)
                if payload in session.scalars(query).all():
                    return
            last = session.scalar(select(func.max(EventRow.seq)).where(EventRow.run_id == run_id)) or 0
            session.add(EventRow(run_id=run_id, seq=last + 1, kind=kind, payload=payload, at=now()))

    def events(self, run_id: str, *, after: int = 0) -> "list[Event]":
        """The events of a run with a number above `after`, in order."""
        query = select(EventRow).where(EventRow.run_id == run_id, EventRow.seq > after).order_by(EventRow.seq)
        with self._database.reading() as session:
            rows = [*session.scalars(query)]
        return [Event(run_id=r.run_id, seq=r.seq, kind=r.kind, payload=r.payload, at=r.at) for r in rows]  # pyright: ignore[reportArgumentType]  # kinds are checked by pydantic

    # conversations

    def converse(self, conversation_id: str | None, title: str) -> str:
        """The id of the conversation, created when it is new."""
        wanted = conversation_id or uuid.uuid4().hex
        with self._database.writing() as session:
            add_once(session, ConversationRow(conversation_id=wanted, title=title[:120], created_at=now()))
        return wanted

    def say(self, conversation_id: str, role: str, content: dict[str, Any], *, run_id: str | None) -> None:
        """Add a message; each run adds one message of each role, however often it is repeated."""
        message_id = f"{run_id}-{role}" if run_id else uuid.uuid4().hex
        with self._database.writing() as session:
            row = MessageRow(message_id=message_id, conversation_id=conversation_id, created_at=now())
            row.run_id, row.role, row.content = run_id, role, content
            add_once(session, row)

    def conversations(self) -> "list[ConversationRow]":
        """Newest first."""
        with self._database.reading() as session:
            return [*session.scalars(select(ConversationRow).order_by(ConversationRow.created_at.desc()))]

    def messages(self, conversation_id: str) -> "list[MessageRow]":
        """Oldest first. Raises LedgerError when there is no such conversation."""
        with self._database.reading() as session:
            if session.get(ConversationRow, conversation_id) is None:
                raise LedgerError(f"There is no conversation {conversation_id!r}.")
            query = select(MessageRow).where(MessageRow.conversation_id == conversation_id)
            return [*session.scalars(query.order_by(MessageRow.created_at))]
