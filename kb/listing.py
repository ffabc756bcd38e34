"""Reading the library without searching it: documents, passages, quotations, links, literature claims, filters.

A quotation is shown only when it is verbatim: `quote` cuts it out of the stored passage, `locate` finds a given one in it
or refuses. Offsets of both count inside the passage. Nothing here needs an embedder or Chroma.
"""

import json
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from kb.errors import NotVerbatimError, UnknownNameError
from kb.front_matter import TRUST
from kb.names import Names
from kb.records import Document, DocumentLine, Filters, LiteratureClaim, Passage
from kb.text import name_key, normalise

_CLAIMS = (
    "SELECT c.id, c.document_id, c.fields, d.title, d.models, d.year, d.trust, d.verification FROM literature_claims c "
    "JOIN documents d ON d.id = c.document_id ORDER BY c.document_id, c.ordinal"
)


def where(filters: Filters) -> tuple[str, dict[str, Any]]:
    """An SQL condition on documents `d` for the filters, and its values."""
    conditions: list[str] = ["1 = 1"]
    values: dict[str, Any] = {}

    def among(column: str, wanted: tuple[str, ...]) -> None:
        names = {f"{column}{place}": value for place, value in enumerate(wanted)}
        values.update(names)
        conditions.append(f"d.{column} IN ({', '.join(':' + name for name in names) or 'NULL'})")

    if filters.kinds is not None:
        among("kind", filters.kinds)
    if filters.languages is not None:
        among("language", filters.languages)
    if filters.verification is not None:
        among("verification", filters.verification)
    if filters.min_trust is not None:
        among("trust", tuple(name for name, share in TRUST.items() if share >= TRUST[filters.min_trust]))
    for column, value in (("category", filters.category), ("origin", filters.origin)):
        if value is not None:
            conditions.append(f"d.{column} = :{column}")
            values[column] = value
    if filters.confidence is not None:
        conditions.append("d.confidence >= :confidence")  # NULL, a document that states none, does not pass
        values["confidence"] = filters.confidence
    if filters.year_from is not None:
        conditions.append("d.year >= :year_from")
        values["year_from"] = filters.year_from
    if filters.year_to is not None:
        conditions.append("d.year <= :year_to")
        values["year_to"] = filters.year_to
    for place, tag in enumerate(filters.tags or ()):
        conditions.append(f"EXISTS (SELECT 1 FROM json_each(d.tags) WHERE lower(json_each.value) = :tag{place})")
        values[f"tag{place}"] = tag.casefold()
    if filters.model is not None:
        conditions.append(
            "EXISTS (SELECT 1 FROM json_each(d.models) WHERE instr(lower(json_each.value), lower(:model)) > 0)"
        )
        values["model"] = filters.model
    return " AND ".join(conditions), values


def list_documents(connection: Connection, names: Names, filters: Filters | None) -> list[DocumentLine]:
    """The documents that pass the filters, by id."""
    condition, values = where(filters or Filters())
    columns = "id, title, kind, trust, confidence, verification, language, year, tags, problems, origin"
    rows = connection.execute(
        text(f"SELECT {columns} FROM documents d WHERE {condition} ORDER BY id"), values
    ).mappings()
    return [
        DocumentLine(
            **{key: row[key] for key in ("id", "title", "kind", "trust", "confidence", "verification", "language")},
            canonical_id=names.canonical(row["id"]),
            year=row["year"],
            tags=tuple(json.loads(row["tags"])),
            problems=tuple(json.loads(row["problems"])),
            origin=row["origin"],
        )
        for row in rows
    ]


def read_document(connection: Connection, names: Names, name: str, prefer: str | None) -> Document:
    """The document that an id, title or alias leads to, duplicates redirected to their canonical note.

    Raises UnknownNameError.
    """
    identity = names.resolve(name, prefer=prefer)
    row = connection.execute(text("SELECT * FROM documents WHERE id = :id"), {"id": identity}).mappings().one()
    redirected = name if name in names.titles and name != identity else None
    front = json.loads(row["front"])
    same = ("id", "title", "kind", "text", "category", "status", "trust", "confidence", "verification", "language")
    return Document(
        **{key: row[key] for key in (*same, "year", "arxiv", "url", "origin", "source")},
        canonical_id=identity,
        redirected_from=redirected,
        authors=tuple(front.get("authors", ())),
        aliases=tuple(front.get("aliases", ())),
        tags=tuple(json.loads(row["tags"])),
        models=tuple(json.loads(row["models"])),
        links=_links(connection, names, identity),
        linked_from=_linked_from(connection, names, identity),
        duplicates=names.duplicates(identity),
        same_work=_same_work(connection, identity, row["title"], row["arxiv"]),
        front=front,
        problems=tuple(json.loads(row["problems"])),
    )


def read_passage(connection: Connection, passage_id: str) -> Passage:
    """A passage by its id. Raises UnknownNameError when the library does not hold it (any more)."""
    row = (
        connection.execute(
            text(
                "SELECT p.id, p.document_id, d.title, p.heading, p.start_at, p.end_at, p.page, "
                "substr(d.text, p.start_at + 1, p.end_at - p.start_at) AS body "
                "FROM passages p JOIN documents d ON d.id = p.document_id WHERE p.id = :id"
            ),
            {"id": passage_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise UnknownNameError(
            f"The library holds no passage {passage_id!r}: its document was changed or removed. Search for it again."
        )
    return _passage(row)


def passages_of(connection: Connection, document_id: str) -> list[Passage]:
    """All passages of a document, in order."""
    rows = connection.execute(
        text(
            "SELECT p.id, p.document_id, d.title, p.heading, p.start_at, p.end_at, p.page, "
            "substr(d.text, p.start_at + 1, p.end_at - p.start_at) AS body "
            "FROM passages p JOIN documents d ON d.id = p.document_id WHERE d.id = :id ORDER BY p.ordinal"
        ),
        {"id": document_id},
    ).mappings()
    return [_passage(row) for row in rows]


def quote(passage: Passage, start: int, end: int | None) -> str:
    """The characters start..end of a passage. Raises NotVerbatimError when they lie outside it."""
    stop = len(passage.text) if end is None else end
    if not 0 <= start < stop <= len(passage.text):
        raise NotVerbatimError(
            f"Passage {passage.id} has {len(passage.text)} characters; {start} to {stop} is not a span of it. "
            "Give offsets inside the passage."
        )
    return passage.text[start:stop]


def locate(passage: Passage, quotation: str) -> tuple[int, int]:
    """Where a quotation stands in a passage, character by character (after NFC).

    Raises NotVerbatimError when it is not in it.
    """
    wanted = normalise(quotation).strip()
    start = passage.text.find(wanted) if wanted else -1
    if start < 0:
        raise NotVerbatimError(
            f"{wanted[:80]!r} is not verbatim in passage {passage.id} of {passage.document_id}. Quote it exactly or cite without it."
        )
    return start, start + len(wanted)


def list_claims(
    connection: Connection, *, model: str | None, component: str | None, task: str | None
) -> list[LiteratureClaim]:
    """The literature claims, filtered by words in the model, component or task."""
    claims: list[LiteratureClaim] = []
    for row in connection.execute(text(_CLAIMS)).mappings():
        fields = json.loads(row["fields"])
        models = tuple(json.loads(row["models"]))
        claim = LiteratureClaim(
            id=row["id"],
            document_id=row["document_id"],
            title=row["title"],
            **{
                key: fields.get(key) for key in ("claim", "task", "component", "intervention", "expected", "refuted_if")
            },
            models=models,
            year=row["year"],
            trust=row["trust"],
            verification=row["verification"],
        )
        where_model = " ".join([*models, claim.task or "", claim.component or ""])
        wanted = (
            (model, where_model),
            (component, f"{claim.component} {claim.claim}"),
            (task, f"{claim.task} {claim.claim} {claim.title}"),
        )
        if all(word is None or _holds(words, word) for word, words in wanted):
            claims.append(claim)
    return claims


def _holds(words: str, wanted: str) -> bool:
    return f" {name_key(wanted)}" in f" {name_key(words)}"


def _passage(row: RowMapping) -> Passage:
    return Passage(
        id=row["id"],
        document_id=row["document_id"],
        title=row["title"],
        heading=row["heading"],
        text=row["body"],
        start=row["start_at"],
        end=row["end_at"],
        page=row["page"],
    )


def _links(connection: Connection, names: Names, identity: str) -> tuple[str, ...]:
    rows = connection.execute(text("SELECT target, target_key FROM links WHERE document_id = :id"), {"id": identity})
    found: dict[str, None] = {}
    for row in rows:
        owners = names.by_key.get(row.target_key)
        found[names.canonical(owners[0].document_id) if owners else row.target] = None
    return tuple(name for name in found if name != identity)


def _same_work(connection: Connection, identity: str, title: str, arxiv: str | None) -> tuple[str, ...]:
    """Other documents about the same work: the same arXiv id, or the same title of four words or more."""
    key = name_key(title)
    query = text(
        "SELECT DISTINCT d.id FROM documents d JOIN aliases a ON a.document_id = d.id AND a.rank = 1 "
        "WHERE d.id != :id AND ((d.arxiv IS NOT NULL AND d.arxiv = :arxiv) OR (:long AND a.key = :key)) ORDER BY d.id"
    )
    values = {"id": identity, "arxiv": arxiv, "long": len(key.split()) >= 4, "key": key}
    return tuple(connection.execute(query, values).scalars())


def _linked_from(connection: Connection, names: Names, identity: str) -> tuple[str, ...]:
    keys = [
        key for key, owners in names.by_key.items() if owners and names.canonical(owners[0].document_id) == identity
    ]
    values = {f"key{place}": key for place, key in enumerate(keys)}
    holders = ", ".join(f":{name}" for name in values) or "NULL"
    query = text(f"SELECT DISTINCT document_id FROM links WHERE target_key IN ({holders}) ORDER BY document_id")
    return tuple(found for found in connection.execute(query, values).scalars() if found != identity)
