"""Bringing documents in, one at a time: read, cut, embed, write in one transaction, report.

`Ingest.one` is a step that may be repeated: a document whose content is unchanged is left alone, so a job that was killed
continues by doing its items again. `Ingest.finish` follows deletions in a folder and brings the vector index up to date.
A failing item is reported and the next one goes on, whatever went wrong with it; where no item could be written any more (the
disk is full, the file cannot be written) the ingest ends with a sentence instead. Two files with the same note id are a conflict:
the first stays, the second is reported; where nobody gave the id (two `README.md`) the second is known by its folder as well. A user's
note replaces a starter note of the same id. It does not know about jobs or processes.
"""

import errno
import json
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from kb.dense import DenseIndex
from kb.embedder import Embedder
from kb.errors import KbError
from kb.identifiers import arxiv_id
from kb.incoming import Incoming, apart, text_id
from kb.passages import Cut, cut_passages, estimated_tokens
from kb.readers import read_source
from kb.records import ItemReport
from kb.starter_vectors import shipped
from kb.store import PassageVector, Store, vector_key
from kb.text import name_key

log = logging.getLogger(__name__)
STARTER = "starter"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_MARKS = (
    (re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|#]*)(?:#[^\[\]|]*)?\]\]"), r"\1"),
    (re.compile(r"^> ?(?:\[![\w-]+\][+-]?)?", re.MULTILINE), ""),
    (re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)"), r"\1"),
    (re.compile(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}"), ""),
)


class Ingest:
    """Writes documents into one library. `embedder` None leaves the vectors for a later build."""

    def __init__(self, store: Store, dense: DenseIndex, embedder: Embedder | None) -> None:
        self.store = store
        self.dense = dense
        self.embedder = embedder

    @cached_property
    def ready(self) -> dict[str, bytes]:
        """Vectors that are there before anything is embedded, by key: those of the starter notes."""
        return shipped()

    def one(self, source: Path, origin: str) -> ItemReport:
        """Read one file and write it; every fault of the file is in the report, none is raised.

        Raises KbError when the library itself cannot be written any more.
        """
        shown = str(source).encode(errors="replace").decode()
        if shown != str(source):
            message = f"The name {shown!r} is not Unicode and cannot be stored. Rename the file."
            return ItemReport(source=shown, state="failed", message=message)
        try:
            documents = read_source(source, origin=origin)
        except FileNotFoundError:
            return ItemReport(source=str(source), state="failed", message="The file is gone; nothing was changed.")
        except Exception as error:  # noqa: BLE001  # one item may not cost the others
            return self._failed(str(source), error)
        with self._heard():
            return self._written(source, origin, documents)

    def _written(self, source: Path, origin: str, documents: list[Incoming]) -> ItemReport:
        """Write what a file holds and remove what it held before."""
        documents = [self._apart(replace(document, origin=self._origin(str(source), origin))) for document in documents]
        kept = {document.id for document in documents}
        for stale in self._from_source(str(source)) - kept:
            self.store.remove(stale)
        return _joined(str(source), [self.put(document) for document in documents])

    def page(self, path: Path, address: str) -> list[ItemReport]:
        """Write what was fetched from an address in the place of what it gave before.

        Raises ReadError when it cannot be read.
        """
        arxiv = arxiv_id(address)
        documents: list[Incoming] = []
        for found in read_source(path, origin="web"):
            front = {**found.front, "arxiv": found.front.get("arxiv") or arxiv}
            documents.append(replace(found, source=address, front=front if arxiv else found.front))
        for stale in self._from_source(address) - {document.id for document in documents}:
            self.store.remove(stale)
        return [self.put(document) for document in documents]

    def put(self, document: Incoming) -> ItemReport:
        """Write one document unless it is there already, unchanged; what goes wrong with it is in the report.

        Raises KbError when the library itself cannot be written any more.
        """
        try:
            return self._put(_normal(document))
        except Exception as error:  # noqa: BLE001  # one item may not cost the others
            return self._failed(document.source, error, document.id)

    def _put(self, document: Incoming) -> ItemReport:
        problems = document.problems
        owner = self._owner(document.id)
        if owner and owner[1] != document.source and (self._same_text(document) or self._same_reference(document)):
            message = f"The same is in the library already, from {owner[1]}."
            return ItemReport(source=document.source, state="unchanged", document_id=document.id, message=message)
        if owner and owner[1] != document.source and _is_one_file(owner[1], document.source):
            message = f"It is the same file as {owner[1]}."
            return ItemReport(source=document.source, state="unchanged", document_id=document.id, message=message)
        if owner and (conflict := _conflict(document, *owner[:2])):
            return ItemReport(
                source=document.source, state="failed", document_id=document.id, message=conflict, problems=problems
            )
        if owner and owner[2] == document.content_hash:
            if owner[1] != document.source:
                self.store.move(document.id, document.source)
            return ItemReport(source=document.source, state="unchanged", document_id=document.id, problems=problems)
        cuts = self._cut(document)
        contexts = [embedded_text(document.title, cut.heading, cut.text) for cut in cuts]
        self._write(document, cuts, contexts)
        return ItemReport(
            source=document.source,
            state="updated" if owner else "added",
            document_id=document.id,
            passages=len(cuts),
            problems=problems,
        )

    def gone(self, origin: str, present: Sequence[Path]) -> Iterator[ItemReport]:
        """Remove what came from a folder whose file is no longer among `present`."""
        sources = {str(path) for path in present}
        with self.store.read() as connection:
            rows = connection.execute(
                text("SELECT id, source FROM documents WHERE origin = :origin ORDER BY id"), {"origin": origin}
            ).all()
        for row in rows:
            if row.source not in sources:
                with self._heard():
                    self.store.remove(row.id)
                yield ItemReport(source=row.source, state="removed", document_id=row.id)

    def finish(self) -> None:
        """Embed what has no vector yet and rebuild the vector index when it is due."""
        if self.embedder is not None:
            with self._heard():
                self.embed_missing(self.embedder)
                self.dense.sync()

    def _failed(self, source: str, error: Exception, document_id: str | None = None) -> ItemReport:
        """The report of an item that went wrong. Raises KbError when every other item would go wrong, too."""
        if sentence := _end(error, self.store.path):
            raise KbError(sentence) from error
        message = str(error)
        if not isinstance(error, (KbError, OSError)):
            log.info("%s failed", source, exc_info=error)
            first = (message.splitlines() or ["no message"])[0][:300]
            message = f"It could not be written or embedded ({type(error).__name__}: {first}). Add it again on its own."
        return ItemReport(source=source, state="failed", document_id=document_id, message=message)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Says in a sentence that the library cannot be written; other errors go through."""
        try:
            yield
        except (DatabaseError, OSError) as error:
            if sentence := _end(error, self.store.path):
                raise KbError(sentence) from error
            raise

    def embed_missing(self, embedder: Embedder, progress: Callable[[str], None] | None = None) -> int:
        """Vectors for passages that have none, or all anew when the embedder is another one; how many were made."""
        fresh = self.store.setting("embedder") == embedder.name
        if not fresh:
            with self.store.write() as connection:  # the old index goes, too: killed before the end, none may ask it
                connection.execute(text("DELETE FROM vectors"))
                connection.execute(text("DELETE FROM library_settings WHERE key IN ('index_generation', 'index_size')"))
            self.store.set_settings({"embedder": embedder.name})
        made = 0
        while rows := self._without_vector():
            vectors = self._vectors(embedder, [body for _, _, body in rows], {})
            made_now = [
                PassageVector(number, part, key, vector)
                for (number, part, _), (key, vector) in zip(rows, vectors, strict=True)
            ]
            self.store.add_vectors(made_now)
            made += len(rows)
            if progress:
                progress(f"{made} passages embedded")
        if not fresh and made:
            self.dense.rebuild()
        return made

    def _without_vector(self) -> list[tuple[int, int, str]]:
        """(passage number, part, text) of the next passages that have no vector."""
        query = text(
            "SELECT p.number, p.ordinal, d.title, d.front, p.heading, substr(d.text, p.start_at + 1, p.end_at - p.start_at) AS body "
            "FROM passages p JOIN documents d ON d.id = p.document_id "
            "WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.number = p.number) ORDER BY p.number LIMIT 256"
        )
        with self.store.read() as connection:
            rows = connection.execute(query).all()
        found: list[tuple[int, int, str]] = []
        for row in rows:
            found.append((row.number, 0, embedded_text(row.title, row.heading, row.body)))
            questions = json.loads(row.front).get("questions", ()) if row.ordinal == 0 else ()
            found.extend((row.number, part, question) for part, question in enumerate(questions, start=1))
        return found

    def _cut(self, document: Incoming) -> list[Cut]:
        if self.embedder is None:
            return cut_passages(document.id, document.text, measure=estimated_tokens, pages=document.pages)
        embedder = self.embedder
        budget = max(96, embedder.limit - embedder.count(document.title) - 24)
        return cut_passages(document.id, document.text, measure=embedder.count, budget=budget, pages=document.pages)

    def _write(self, document: Incoming, cuts: list[Cut], contexts: list[str]) -> None:
        if self.embedder is None or self.store.setting("embedder") not in (None, self.embedder.name):
            self.store.put(document, cuts, [])
            return
        if self.store.setting("embedder") is None:
            self.store.set_settings({"embedder": self.embedder.name})
        texts = [(place, 0, context) for place, context in enumerate(contexts)]
        if cuts:
            texts += [(0, part, question) for part, question in enumerate(document.questions, start=1)]
        known = self.store.vectors_of(document.id)
        vectors = self._vectors(self.embedder, [body for _, _, body in texts], known)
        rows = [
            PassageVector(place, part, key, vector)
            for (place, part, _), (key, vector) in zip(texts, vectors, strict=True)
        ]
        self.store.put(document, cuts, rows)

    def _vectors(self, embedder: Embedder, texts: Sequence[str], known: dict[str, bytes]) -> list[tuple[str, bytes]]:
        """(key, vector) of each text; only those that are neither known nor ready are embedded."""
        keys = [vector_key(embedder.name, body) for body in texts]
        known = {key: self.ready[key] for key in keys if key in self.ready} | known
        missing = {key: body for key, body in zip(keys, texts, strict=True) if key not in known}
        fresh = embedder.embed(list(missing.values())) if missing else ()
        known.update({key: vector.tobytes() for key, vector in zip(missing, fresh, strict=True)})
        return [(key, known[key]) for key in keys]

    def _origin(self, source: str, origin: str) -> str:
        """The origin of a file: one that came in with its folder stays the folder's when it is added alone."""
        query = text("SELECT origin FROM documents WHERE source = :source AND origin LIKE 'vault:%'")
        if origin != "file":
            return origin
        with self.store.read() as connection:
            return connection.execute(query, {"source": source}).scalar() or origin

    def _from_source(self, source: str) -> set[str]:
        """The ids of the documents that a file brought in before."""
        with self.store.read() as connection:
            return set(
                connection.execute(
                    text("SELECT id FROM documents WHERE source = :source"), {"source": source}
                ).scalars()
            )

    def _apart(self, document: Incoming) -> Incoming:
        """A document whose id another file has, without anybody having chosen it: known by a longer one.

        A note that gives no id is named after its file, in a folder of another `README` by the folder too; a reference whose
        key stands for another work elsewhere gets a hash of its title.
        """
        owner = self._owner(document.id)
        if owner is None or owner[1] == document.source or _conflict(document, *owner[:2]) is None:
            return document
        if _is_one_file(owner[1], document.source):
            return document
        path = Path(document.source)
        if document.kind == "reference":
            return document if self._same_reference(document) else replace(document, id=apart(document))
        if document.unnamed:
            remark = f"line 1: {owner[1]} is called {document.id!r}, too. Give this note an id."
            name = f"{path.parent.name}/{document.id}"
            return replace(document, id=name, problems=(*document.problems, remark))
        return document

    def _same_reference(self, document: Incoming) -> bool:
        """Whether another file has given this very reference: the same key and title."""
        query = text("SELECT title FROM documents WHERE id = :id AND kind = 'reference'")
        if document.kind != "reference":
            return False
        with self.store.read() as connection:
            title = connection.execute(query, {"id": document.id}).scalar()
        return title is not None and name_key(title) == name_key(document.title)

    def _same_text(self, document: Incoming) -> bool:
        """Whether a document whose id comes from its text is there already."""
        query = text("SELECT 1 FROM documents WHERE id = :id AND text = :text")
        if document.id != text_id(document.title, document.text):
            return False
        with self.store.read() as connection:
            return connection.execute(query, {"id": document.id, "text": document.text}).first() is not None

    def _owner(self, document_id: str) -> tuple[str, str, str] | None:
        """(origin, source, content hash) of the document that has this id."""
        query = text("SELECT origin, source, content_hash FROM documents WHERE id = :id")
        with self.store.read() as connection:
            row = connection.execute(query, {"id": document_id}).one_or_none()
        return (row.origin, row.source, row.content_hash) if row else None


def _normal(document: Incoming) -> Incoming:
    """The document with its arXiv id, however its reader found it, in the one form by which works are compared."""
    written = document.front.get("arxiv")
    if not written or written == arxiv_id(written):
        return document
    return replace(document, front={**document.front, "arxiv": arxiv_id(written)})


def _end(error: Exception, path: Path) -> str | None:
    """Why no further item can be written; None when the error concerns one item alone."""
    cause = error.orig if isinstance(error, DatabaseError) else error
    full = isinstance(error, OSError) and error.errno in _NO_ROOM
    if full or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return (
            f"The disk of {path.parent} is full. What is in stays in. Make room and add the same again: it goes on "
            "where it stopped."
        )
    broken = type(cause) is sqlite3.DatabaseError  # its other kinds are mistakes in a single statement
    if broken or isinstance(cause, sqlite3.OperationalError):
        return (
            f"{path} cannot be written ({cause}). What is in stays in. Check that nothing else holds or protects the "
            "file, then add the same again."
        )
    return None


def _joined(source: str, reports: list[ItemReport]) -> ItemReport:
    """One report for the documents of one file; the file counts as changed when any of them is."""
    if len(reports) == 1:
        return reports[0]
    for state in ("updated", "added", "failed", "unchanged"):
        if any(report.state == state for report in reports):
            break
    failed = [report.message for report in reports if report.state == "failed"]
    return ItemReport(
        source=source,
        state=state,
        passages=sum(report.passages for report in reports),
        message=" ".join([f"{len(reports)} entries.", *failed[:3]]),
        problems=tuple(problem for report in reports for problem in report.problems),
    )


def _is_one_file(one: str, other: str) -> bool:
    """Whether two paths lead to one file, through links."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False


def embedded_text(title: str, heading: str, body: str) -> str:
    """What is embedded for a passage: title, section, and its words without Markdown marks."""
    for pattern, replacement in _MARKS:
        body = pattern.sub(replacement, body)
    section = heading.rpartition(" > ")[2]
    return f"{title}. {section}. {body}" if section and section != title else f"{title}. {body}"


def _conflict(document: Incoming, origin: str, source: str) -> str | None:
    """Why a document may not take an id that another file has; None when it may."""
    if document.origin == STARTER and origin != STARTER:
        return f"Your own note {source} has the id {document.id!r}; it stands in for the starter note."
    if origin != STARTER and source != document.source and Path(source).is_file():
        return f"The id {document.id!r} belongs to {source} already. Give one of the two notes another id."
    return None
