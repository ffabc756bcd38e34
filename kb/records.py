"""What the library hands out: frozen records that turn into JSON as they are (`record.model_dump(mode="json")`).

Offsets: `Hit.start`/`end` and `Passage.start`/`end` count characters of the document's normalised text; `Cited.start`/
`end` count inside the passage, so that a citation stays right when another part of the document is edited.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ItemState = Literal["added", "updated", "unchanged", "removed", "failed", "cancelled"]


class Record(BaseModel):
    """A frozen value with nothing but its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Filters(Record):
    """What a search or listing is limited to; a field that is None does not limit.

    `confidence` is the least confidence, 0 to 1; a document that states none does not pass it.
    """

    kinds: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    model: str | None = None
    category: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    min_trust: Literal["untrusted", "low", "medium", "high"] | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    verification: tuple[str, ...] | None = None
    origin: str | None = None


class Passage(Record):
    """A citable span of a document: `text == document.text[start:end]`."""

    id: str
    document_id: str
    title: str
    heading: str
    text: str
    start: int
    end: int
    page: int | None = None

    @property
    def place(self) -> str:
        """Where it stands, in words: passage id, characters of the document, page."""
        return _place(self.document_id, self.id, f"characters {self.start} to {self.end}", self.page)


class DocumentLine(Record):
    """A document in a listing."""

    id: str
    title: str
    kind: str
    canonical_id: str
    trust: str | None = None
    confidence: float | None = None
    verification: str | None = None
    language: str = "en"
    year: int | None = None
    tags: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    origin: str = ""


class Document(DocumentLine):
    """A note, paper or other text, whole. `canonical_id` differs from `id` for a duplicate."""

    text: str
    redirected_from: str | None = None
    category: str | None = None
    status: str | None = None
    authors: tuple[str, ...] = ()
    arxiv: str | None = None
    url: str | None = None
    aliases: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    linked_from: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    same_work: tuple[str, ...] = ()
    front: dict[str, Any] = {}
    source: str = ""


class Legs(Record):
    """At which rank (from 1) each kind of search found a passage; None where it did not."""

    dense: int | None = None
    lexical: int | None = None
    exact: int | None = None
    cosine: float | None = None


class Hit(Record):
    """A passage that answers a query, with where it stands and how far its document can be trusted."""

    passage_id: str
    document_id: str
    canonical_id: str
    title: str
    heading: str
    text: str
    start: int
    end: int
    page: int | None
    score: float
    legs: Legs
    trust: str | None
    confidence: float | None
    verification: str | None
    kind: str
    year: int | None
    url: str | None

    @property
    def place(self) -> str:
        """Where it stands, in words: passage id, characters of the document, page."""
        return _place(self.document_id, self.passage_id, f"characters {self.start} to {self.end}", self.page)


class SearchResult(Record):
    """Hits, best first. When `declined` is true the library does not say: `hits` is empty, `nearest` holds what came
    closest, `unused` the words of the question that the library never uses, and `sentence` says so in one line."""

    query: str
    hits: tuple[Hit, ...]
    declined: bool = False
    sentence: str = ""
    nearest: tuple[Hit, ...] = ()
    unused: tuple[str, ...] = ()
    expanded: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, index: int) -> Hit:
        return self.hits[index]

    def __iter__(self) -> Iterator[Hit]:  # pyright: ignore[reportIncompatibleMethodOverride]  # hits, not fields
        return iter(self.hits)


class Cited(Record):
    """A verbatim sentence with its source: `passage.text[start:end] == text`."""

    text: str
    passage_id: str
    document_id: str
    start: int
    end: int
    page: int | None = None

    @property
    def place(self) -> str:
        """Where it stands, in words: passage id, characters inside the passage, page."""
        return _place(self.document_id, self.passage_id, f"characters {self.start} to {self.end} in it", self.page)


class LiteratureClaim(Record):
    """A falsifiable statement that a document of the library makes, ready to be turned into a prediction here."""

    id: str
    document_id: str
    title: str
    claim: str
    task: str | None = None
    component: str | None = None
    intervention: str | None = None
    expected: str | None = None
    refuted_if: str | None = None
    models: tuple[str, ...] = ()
    year: int | None = None
    trust: str | None = None
    verification: str | None = None


class Summary(Record):
    """A structured extract of one document or of a topic; every sentence is verbatim and cited."""

    title: str
    document_ids: tuple[str, ...]
    question: tuple[Cited, ...]
    method: tuple[Cited, ...]
    findings: tuple[Cited, ...]
    limits: tuple[Cited, ...]
    tests: tuple[LiteratureClaim, ...]
    korean: tuple[Cited, ...] = ()
    verification: str | None = None
    trust: str | None = None


class Definition(Record):
    """What a term means, in cited sentences of the note about it."""

    term: str
    document_id: str
    title: str
    sentences: tuple[Cited, ...]
    korean: tuple[Cited, ...] = ()


class ItemReport(Record):
    """What became of one file, note or text of an ingest."""

    source: str
    state: ItemState
    document_id: str | None = None
    passages: int = 0
    message: str = ""
    problems: tuple[str, ...] = ()


class IngestReport(Record):
    """What became of every item of an ingest, and problems that concern several notes (cycles, conflicts)."""

    items: tuple[ItemReport, ...]
    problems: tuple[str, ...] = ()

    def count(self, state: ItemState) -> int:
        return sum(item.state == state for item in self.items)


def _place(document_id: str, passage_id: str, span: str, page: int | None) -> str:
    return f"{document_id}, passage {passage_id}, {span}{f', page {page}' if page else ''}"
