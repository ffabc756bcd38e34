"""What workers publish about themselves: that they live, and which experiments, tasks and models they offer."""

from typing import Any

from sqlalchemy import delete, func, select

from agent.ledger.engine import Database, now
from agent.ledger.schema import CatalogueRow, WorkerRow


class Catalogue:
    """The workers' part of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, kind: str, entries: dict[str, dict[str, Any]], *, replace: bool = True) -> None:
        """Write the entries of a kind; what is no longer offered goes, unless `replace` is off."""
        at = now()
        with self._database.writing() as session:
            if replace:
                stale = delete(CatalogueRow).where(CatalogueRow.kind == kind, CatalogueRow.name.not_in(list(entries)))
                session.execute(stale)
            for name, payload in entries.items():
                session.merge(CatalogueRow(kind=kind, name=name, payload=payload, published_at=at))

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Everything published of a kind, by name."""
        query = select(CatalogueRow).where(CatalogueRow.kind == kind).order_by(CatalogueRow.name)
        with self._database.reading() as session:
            return [row.payload for row in session.scalars(query)]

    def entry(self, kind: str, name: str) -> dict[str, Any] | None:
        """One published entry."""
        with self._database.reading() as session:
            row = session.get(CatalogueRow, (kind, name))
            return row.payload if row else None

    def published_at(self, kind: str) -> str | None:
        """When the entries of a kind were last published, None when they never were."""
        with self._database.reading() as session:
            return session.scalar(select(func.max(CatalogueRow.published_at)).where(CatalogueRow.kind == kind))

    def beat(self, worker_id: str, *, pid: int, host: str, state: str) -> None:
        """Write a worker's sign of life."""
        with self._database.writing() as session:
            row = session.get(WorkerRow, worker_id)
            if row is None:
                session.add(
                    WorkerRow(worker_id=worker_id, pid=pid, host=host, state=state, started_at=now(), beat_at=now())
                )
            else:
                row.state, row.beat_at = state, now()

    def workers(self) -> list[WorkerRow]:
        """All workers that ever were, newest first."""
        with self._database.reading() as session:
            return list(session.scalars(select(WorkerRow).order_by(WorkerRow.started_at.desc())))
