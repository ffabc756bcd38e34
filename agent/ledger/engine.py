"""Opens the ledger's database: SQLite in the data folder, or Postgres by URL. Creates and migrates it when needed.

SQLite runs in WAL mode, so that readers never wait for the writer; every writing transaction begins with
`BEGIN IMMEDIATE` (on Postgres: an advisory lock), so that two writers queue up instead of failing halfway. This module knows connections and
versions; what the tables mean stands in `agent/ledger/schema.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlalchemy.orm import DeclarativeBase, Session

from agent.errors import LedgerError

HEAD = "0001"
WRITERS = 7_202_611  # the advisory lock that writers of a ledger on a server take in turn


def now() -> str:
    """The time as the ledger writes it: UTC, microseconds, sortable as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def open_engine(url: str) -> Engine:
    """Connect to `url`, migrating the ledger there to this version.

    Raises LedgerError when it cannot be reached, belongs to a newer version, or its driver is missing.
    """
    try:
        engine = _connect(url)
        with engine.connect() as connection:
            version = _version(connection)
        if version != HEAD:
            _migrate(engine, version)
    except (ArgumentError, NoSuchModuleError) as error:
        raise LedgerError(
            f"The ledger's URL cannot be read ({error}). Use sqlite:///path or postgresql://..."
        ) from error
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"The ledger's database needs the package {error.name!r}: pip install 'circuit-court[postgres]'."
        ) from error
    except (DatabaseError, OSError) as error:
        shown = make_url(url).render_as_string(hide_password=True)
        raise LedgerError(f"The ledger at {shown} cannot be opened: {_first_line(error)}") from error
    return engine


def _connect(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_pre_ping=True)
        event.listen(engine, "begin", _queue_up)
        return engine
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(parsed, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions itself, see below
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _queue_up(connection: Connection) -> None:
    """One writer at a time on a server too, so that every rule is checked against what is really there."""
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine, version: str | None) -> None:
    from alembic import command  # 0.3 s, wanted only when there is something to migrate
    from alembic.config import Config as AlembicConfig
    from alembic.util import CommandError

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.execution_options(writes=True).begin() as connection:
        current = _version(connection)  # another process may have migrated while this one waited
        if current == HEAD:
            return
        settings.attributes["connection"] = connection
        try:
            command.upgrade(settings, "head")
        except CommandError as error:
            raise LedgerError(
                f"The ledger was written by another version of Circuit Court (schema {version!r}, this one knows "
                f"{HEAD!r}). Update the program, or set CIRCUIT_COURT_HOME to another folder."
            ) from error


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


class Database:
    """Sessions on one ledger: `reading()` for queries, `writing()` for one atomic change."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._writer = self.engine.execution_options(writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that changes nothing."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end, rolled back on any exception."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def add_once(session: Session, row: DeclarativeBase) -> None:
    """Store a row unless one with its key is there already; that one stays as it is."""
    key = inspect(type(row)).primary_key_from_instance(row)
    if session.get(type(row), tuple(key)) is None:
        session.add(row)
