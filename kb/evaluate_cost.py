"""What the library costs: how fast documents go in, and how much disk it takes.

The rate is measured by bringing a sample of the library's own documents, spread evenly over their ids, into a throw-away library
in a temporary folder: cut, embedded by the same embedder (no shipped or stored vector is used) and written one by one, as an ingest
does. Reading files is left out, because they may be gone or changed, and so is building the vector index, which is due once in
thousands of passages (`kb.dense`); loading the embedder is not counted. The library itself is only read.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from sqlalchemy import select

from kb.dense import DenseIndex
from kb.embedder import Embedder
from kb.errors import KbError
from kb.incoming import Incoming
from kb.ingest import Ingest
from kb.schema import AliasRow, ClaimRow, DocumentRow, LinkRow
from kb.store import Store

SAMPLE = 12  # documents
SECONDS = 20.0  # after which no further document is begun, so that a sample of books ends, too


def cost(store: Store, embedder: Embedder | None) -> dict[str, Any]:
    """`ingest` (documents and passages per second, and how they were measured) and `disk_mb` of a library, as JSON-able values."""
    return {"ingest": ingest_rate(sample(store), embedder), "disk_mb": round(disk_bytes(store.path) / 1e6, 2)}


def ingest_rate(documents: Sequence[Incoming], embedder: Embedder | None) -> dict[str, Any]:
    """Documents and passages per second into a new library; null, with the reason, where there is no document.

    `documents` and `passages` say how many went in within `SECONDS`. Raises KbError when one does not go in.
    """
    done, passages, elapsed = 0, 0, 0.0
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "library.sqlite")
        try:
            ingest = Ingest(store, DenseIndex(store, _no_index), embedder)
            ingest.ready = {}  # the starter notes' shipped vectors would make embedding look free
            started = time.perf_counter()
            for document in documents:
                report = ingest.put(document)
                if report.state != "added":  # a rate over what did not go in would look like a fast one
                    raise KbError(
                        f"{document.id} did not go into the throw-away library: {report.message or report.state}"
                    )
                passages += report.passages
                done += 1
                elapsed = time.perf_counter() - started
                if elapsed > SECONDS:
                    break
        finally:
            store.close()
    return {
        "documents_per_s": round(done / elapsed, 2) if done else None,
        "passages_per_s": round(passages / elapsed, 2) if done else None,
        "documents": done,
        "passages": passages,
        "measured": _how(done, embedder),
    }


def sample(store: Store, size: int = SAMPLE) -> list[Incoming]:
    """At most `size` of a library's documents, spread evenly over their ids, as they came in."""
    with store.read() as connection:
        known = connection.execute(select(DocumentRow.id).order_by(DocumentRow.id)).scalars().all()
        count = min(size, len(known))
        chosen = [known[(2 * place + 1) * len(known) // (2 * count)] for place in range(count)]
        found: list[Incoming] = []
        for identity in chosen:
            row = connection.execute(select(DocumentRow.__table__).where(DocumentRow.id == identity)).one()
            aliases = select(AliasRow.name).where(AliasRow.document_id == identity, AliasRow.rank == 2)
            links = select(LinkRow.target).where(LinkRow.document_id == identity)
            claims = select(ClaimRow.fields).where(ClaimRow.document_id == identity).order_by(ClaimRow.ordinal)
            document = Incoming(
                id=row.id,
                title=row.title,
                kind=row.kind,
                text=row.text,
                origin=row.origin,
                source=row.source,
                front=row.front,
                aliases=tuple(connection.execute(aliases).scalars()),
                questions=tuple(row.front.get("questions", ())),
                links=tuple(connection.execute(links).scalars()),
                claims=tuple(connection.execute(claims).scalars()),
            )
            found.append(document)
    return found


def disk_bytes(path: Path) -> int:
    """Bytes of a library's SQLite file with its write-ahead log, and of the vector index beside it; what lies on a Chroma server is not counted."""
    files = [path, path.with_name(f"{path.name}-wal"), *(path.parent / "vectors").rglob("*")]
    total = 0
    for file in files:
        with suppress(FileNotFoundError):  # no log, or an index that another process took away meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total


def _how(done: int, embedder: Embedder | None) -> str:
    if not done:
        return "Not measured: the library is empty. Bring in the starter notes: circuit-court library build"
    embedding = "embedding included" if embedder else "without embedding, because there is no embedder"
    documents = "1 of the library's documents" if done == 1 else f"{done} of the library's documents"
    return (
        f"By bringing {documents} into a throw-away library in a temporary folder: cutting, writing and indexing of words, "
        f"{embedding}; without reading files and building the vector index."
    )


def _no_index() -> NoReturn:
    raise AssertionError("a measured ingest needs no vector index")
