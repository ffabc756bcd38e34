"""`library.sqlite`: opening, migrating, writing and removing documents. One document is one transaction.

SQLite in WAL mode, so that readers in other processes never wait for a writer; a write takes the lock at its beginning
(`BEGIN IMMEDIATE`), so that two writers queue instead of failing half-way. Killed at any moment, the file holds every
document whole or not at all. Alembic runs only when the file is behind. This module does not search.
"""

import hashlib
import re
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, delete, event, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError

from kb.errors import KbError
from kb.identifiers import identifiers
from kb.incoming import Incoming
from kb.passages import Cut
from kb.schema import (
    HEAD,
    AliasRow,
    ClaimRow,
    DocumentRow,
    IdentifierRow,
    LinkRow,
    PassageRow,
    SettingRow,
    VectorRow,
)
from kb.text import name_key, normalise, searchable

_COLUMNS = ("canonical_id", "duplicate_of", "category", "status", "year", "arxiv", "url")


@dataclass(frozen=True)
class PassageVector:
    """A row of `vectors`."""

    number: int
    part: int
    key: str
    vector: bytes


class Store:
    """The library's database. Hold one per process; connections are made per use."""

    def __init__(self, path: Path) -> None:
        """Open or create the file and bring it to the current schema."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self.engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 60, "isolation_level": None})
        event.listen(self.engine, "connect", _configure)
        event.listen(self.engine, "begin", _begin)
        self._migrate()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state of the library."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection whose changes are all made, or none."""
        with self.engine.connect().execution_options(immediate=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    def _migrate(self) -> None:
        try:
            with self.read() as connection:
                current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except (DatabaseError, sqlite3.DatabaseError) as error:
            if "no such table" not in str(error):
                what = getattr(error, "orig", error)
                raise KbError(f"{self.path} cannot be opened as the library ({what}). Move it away.") from error
            current = None
        if current != HEAD:
            _upgrade(self)

    def setting(self, key: str) -> str | None:
        with self.read() as connection:
            return connection.execute(select(SettingRow.value).where(SettingRow.key == key)).scalar()

    def set_settings(self, values: dict[str, str]) -> None:
        with self.write() as connection:
            for key, value in values.items():
                statement = upsert(SettingRow).values(key=key, value=value)
                connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))

    def own_id(self) -> str:
        """What tells this library from others that share a server: made once, at random."""
        with self.write() as connection:
            statement = upsert(SettingRow).values(key="library_id", value=secrets.token_hex(4))
            connection.execute(statement.on_conflict_do_nothing())
        return self.setting("library_id") or ""

    def content_hash(self, document_id: str) -> str | None:
        with self.read() as connection:
            return connection.execute(select(DocumentRow.content_hash).where(DocumentRow.id == document_id)).scalar()

    def vectors_of(self, document_id: str) -> dict[str, bytes]:
        """Stored vectors of a document by their key, so that unchanged passages are not embedded again."""
        query = select(VectorRow.key, VectorRow.vector).join(PassageRow, PassageRow.number == VectorRow.number)
        with self.read() as connection:
            rows = connection.execute(query.where(PassageRow.document_id == document_id)).all()
        return {row.key: row.vector for row in rows}

    def put(
        self,
        document: Incoming,
        cuts: Sequence[Cut],
        vectors: Sequence[PassageVector],
    ) -> None:
        """Write a document with its passages, replacing what stood under its id, in one transaction.

        A vector's `number` is here the place of its passage in `cuts`.
        """
        with self.write() as connection:
            _remove(connection, document.id)
            connection.execute(insert(DocumentRow).values(**_document_values(document)))
            numbers = _insert_passages(connection, document, cuts)
            _insert_names(connection, document)
            _insert_identifiers(connection, cuts, numbers)
            if vectors:
                rows = [{**asdict(vector), "number": numbers[vector.number]} for vector in vectors]
                connection.execute(insert(VectorRow), rows)

    def add_vectors(self, vectors: Sequence[PassageVector]) -> None:
        """Write vectors of passages that are there already; a passage that went meanwhile is passed over."""
        with self.write() as connection:
            connection.execute(
                text(
                    "INSERT OR REPLACE INTO vectors(number, part, key, vector) SELECT :number, :part, :key, :vector "
                    "WHERE EXISTS (SELECT 1 FROM passages WHERE number = :number)"
                ),
                [asdict(vector) for vector in vectors],
            )

    def move(self, document_id: str, source: str) -> None:
        """Note that an unchanged document now lies elsewhere."""
        with self.write() as connection:
            connection.execute(update(DocumentRow).where(DocumentRow.id == document_id).values(source=source))

    def remove(self, document_id: str) -> None:
        """Remove a document and everything that belongs to it."""
        with self.write() as connection:
            _remove(connection, document_id)


def vector_key(embedder: str, context: str) -> str:
    """Under which a vector is kept: it may be reused while embedder and embedded text are the same."""
    return hashlib.sha256(f"{embedder}\x00{context}".encode()).hexdigest()[:32]


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=60000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _upgrade(store: Store) -> None:
    from alembic import command  # only a new or old file needs Alembic, and importing it takes a third of a second
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with store.write() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            found = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
            raise KbError(_other_version(store.path, found)) from error


def _other_version(path: Path, found: str) -> str:
    """What to do about a file whose tables this program does not know; nothing in it was changed."""
    number = re.fullmatch(r"library_(\d+)", found)
    if number and int(number[1]) > int(HEAD.removeprefix("library_")):
        return (
            f"{path} was written by a newer version of Circuit Court ({found}; this one knows up to {HEAD}). Update this "
            "program (git pull, then make setup), or set CIRCUIT_COURT_HOME to another folder. The file was not changed."
        )
    return f"{path} was made by another version of the library ({found}). Move it away and build it anew."


def _remove(connection: Connection, document_id: str) -> None:
    numbers = connection.execute(select(PassageRow.number).where(PassageRow.document_id == document_id)).scalars().all()
    if numbers:
        connection.execute(text("DELETE FROM passages_fts WHERE rowid = :number"), [{"number": n} for n in numbers])
    connection.execute(delete(DocumentRow).where(DocumentRow.id == document_id))


def _document_values(document: Incoming) -> dict[str, Any]:
    front = document.front
    return {
        "id": document.id,
        "title": document.title,
        "kind": document.kind,
        "text": document.text,
        "content_hash": document.content_hash,
        "origin": document.origin,
        "source": document.source,
        "language": document.language,
        **{name: front.get(name) for name in _COLUMNS},
        "trust": front.get("source_trust_level"),
        "confidence": front.get("confidence_score"),
        "verification": front.get("verification_status"),
        "tags": list(front.get("tags", ())),
        "models": list(front.get("models", ())),
        "front": front,
        "problems": list(document.problems),
    }


def _insert_passages(connection: Connection, document: Incoming, cuts: Sequence[Cut]) -> list[int]:
    front = document.front
    known_by = [document.id, *document.aliases, *front.get("tags", ()), *front.get("authors", ())]
    names = searchable(" ".join(known_by))
    title = searchable(document.title)
    asked = searchable(" \n ".join(document.questions))
    rows = [
        {
            "id": cut.id,
            "document_id": document.id,
            "ordinal": ordinal,
            "heading": cut.heading,
            "start_at": cut.start,
            "end_at": cut.end,
            "page": cut.page,
        }
        for ordinal, cut in enumerate(cuts)
    ]
    written = insert(PassageRow).returning(PassageRow.number, sort_by_parameter_order=True)
    numbers = list(connection.execute(written, rows).scalars()) if rows else []
    if numbers:
        connection.execute(
            text(
                "INSERT INTO passages_fts(rowid, title, names, asked, heading, body) "
                "VALUES (:number, :title, :names, :asked, :heading, :body)"
            ),
            [
                {
                    "number": number,
                    "title": title,
                    "names": names,
                    "asked": asked if place == 0 else "",
                    "heading": searchable(cut.heading),
                    "body": searchable(cut.text),
                }
                for place, (number, cut) in enumerate(zip(numbers, cuts, strict=True))
            ],
        )
    return numbers


def _insert_names(connection: Connection, document: Incoming) -> None:
    ranked = [(document.id, 0), (document.title, 1), *((alias, 2) for alias in document.aliases)]
    names = [
        {"key": name_key(name), "name": normalise(name), "rank": rank, "document_id": document.id}
        for name, rank in ranked
        if name_key(name)
    ]
    if names:
        connection.execute(insert(AliasRow), names)
    links = [
        {"document_id": document.id, "target_key": name_key(target), "target": target} for target in document.links
    ]
    if links:
        connection.execute(insert(LinkRow), links)
    claims = [
        {"id": f"{document.id}#{ordinal}", "document_id": document.id, "ordinal": ordinal, "fields": fields}
        for ordinal, fields in enumerate(document.claims, start=1)
    ]
    if claims:
        connection.execute(insert(ClaimRow), claims)


def _insert_identifiers(connection: Connection, cuts: Sequence[Cut], numbers: Sequence[int]) -> None:
    rows = [
        {"key": key, "passage": number}
        for cut, number in zip(cuts, numbers, strict=True)
        for key in identifiers(cut.text)
    ]
    if rows:
        connection.execute(insert(IdentifierRow), rows)
