"""Hybrid search: dense, lexical and exact legs, fused with fitted weights, duplicates folded, trust weighed, or declined.

Legs: cosine of sentence vectors (`kb.dense`), BM25 with Hangul bigrams (`kb.lexical`), exact identifiers, and documents whose
name the query mentions. Names in any language expand the query: a Korean alias adds the note's English title, which is
all that the English-only embedder gets to see of a Korean query. Fusion is a weighted sum of the legs' scores, not
reciprocal ranks; the weights (`Weights`) were fitted on one half of benchmarks/questions.jsonl and are reported on the other by
`benchmarks/library_evaluate.py`. When nothing is near and nothing matches, the result says that the library does not say.
It ranks passages; it does not know whether a passage is true.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, RowMapping, bindparam, text

from kb import lexical
from kb.dense import DenseIndex
from kb.embedder import Embedder
from kb.front_matter import TRUST
from kb.identifiers import identifiers
from kb.listing import where
from kb.names import Named, Names
from kb.records import Filters, Hit, Legs, SearchResult
from kb.store import Store
from kb.text import content_words, is_korean, normalise

CANDIDATES = 60
PER_DOCUMENT = 2
NOTHING = "The library does not say: nothing in it is close to this question."
_VERIFIED = {"verified": 1.0, "partially-verified": 0.9, "unverified": 0.6, "disputed": 0.5, "retracted": 0.1}


@dataclass(frozen=True)
class Weights:
    """How the legs count. `trust` is how much of a score an untrusted, retracted document loses."""

    dense: float = 0.5
    lexical: float = 0.4
    exact: float = 0.4
    named: float = 0.3
    trust: float = 0.15
    near: float = 0.32
    covered: float = 0.5


@dataclass
class _Candidate:
    """What the legs found about one passage."""

    cosine: float | None = None
    bm25: float = 0.0
    exact: float = 0.0
    named: bool = False
    dense_rank: int | None = None
    lexical_rank: int | None = None
    exact_rank: int | None = None


class Searcher:
    """Searches one library. An `embedder` that gives None means: no dense leg, and every result says so."""

    def __init__(
        self, store: Store, dense: DenseIndex, embedder: Callable[[], Embedder | None], weights: Weights | None = None
    ) -> None:
        self.store = store
        self.dense = dense
        self._embedder = embedder
        self.weights = weights or Weights()
        self._names: tuple[tuple[int, ...], Names] | None = None

    def names(self, connection: Connection) -> Names:
        """The library's names, read again when they may have changed."""
        state = Names.state(connection)
        if self._names is None or self._names[0] != state:
            self._names = (state, Names(connection))
        return self._names[1]

    def search(self, query: str, *, limit: int = 8, filters: Filters | None = None) -> SearchResult:
        """The passages that answer a query, best first, at most two of a document; or a declined result."""
        query = normalise(query).strip()
        with self.store.read() as connection:
            names = self.names(connection)
            mentioned = names.mentioned(query)
            allowed = _allowed(connection, filters) if filters else None
            candidates = self._collect(connection, query, mentioned, names, allowed)
            rows = _rows(connection, list(candidates))
            ranked = self._rank(candidates, rows, names)
            top = _diverse(ranked, rows, names, limit)
            hits = tuple(_hit(connection, rows[number], candidates[number], score, names) for number, score in top)
            declined = not hits or self._declines(connection, query, candidates, [number for number, _ in top])
        expanded = tuple(dict.fromkeys(named.name for named in mentioned))
        remarks = () if self._embedder() else ("Dense search is off: no embedder was given.",)
        if declined:
            return SearchResult(
                query=query, hits=(), declined=True, sentence=NOTHING, nearest=hits, expanded=expanded, remarks=remarks
            )
        return SearchResult(query=query, hits=hits, expanded=expanded, remarks=remarks)

    def _collect(
        self,
        connection: Connection,
        query: str,
        mentioned: list[Named],
        names: Names,
        allowed: Collection[int] | None,
    ) -> dict[int, _Candidate]:
        found: dict[int, _Candidate] = {}
        titles = [names.titles[named.document_id] for named in mentioned[:6]]
        fetch = CANDIDATES if allowed is None else CANDIDATES * 20
        terms = content_words(" ".join([query, *titles]))
        matches = [pair for pair in lexical.match(connection, terms, fetch) if allowed is None or pair[0] in allowed]
        for rank, (number, score) in enumerate(matches[:CANDIDATES], start=1):
            candidate = found.setdefault(number, _Candidate())
            candidate.bm25, candidate.lexical_rank = score, rank
        meaning = english_of(query, titles)
        embedder = self._embedder()
        if embedder and meaning:
            vector = embedder.embed([meaning])[0]
            for rank, (number, cosine) in enumerate(
                self.dense.nearest(connection, vector, CANDIDATES, allowed), start=1
            ):
                candidate = found.setdefault(number, _Candidate())
                candidate.cosine, candidate.dense_rank = cosine, rank
        exact = [
            pair
            for pair in lexical.exact(connection, identifiers(query), fetch)
            if allowed is None or pair[0] in allowed
        ]
        for rank, (number, held) in enumerate(exact[:CANDIDATES], start=1):
            candidate = found.setdefault(number, _Candidate())
            candidate.exact, candidate.exact_rank = held / max(1.0, exact[0][1]), rank
        for number in _passages_of(connection, [named.document_id for named in mentioned]):
            if allowed is None or number in allowed:
                found.setdefault(number, _Candidate()).named = True
        return found

    def _rank(
        self, candidates: dict[int, _Candidate], rows: dict[int, RowMapping], names: Names
    ) -> list[tuple[int, float]]:
        best = max((candidate.bm25 for candidate in candidates.values()), default=0.0) or 1.0
        weights = self.weights
        scored: list[tuple[int, float]] = []
        for number, candidate in candidates.items():
            row = rows[number]
            score = (
                weights.dense * max(0.0, candidate.cosine or 0.0)
                + weights.lexical * candidate.bm25 / best
                + weights.exact * candidate.exact
                + weights.named * candidate.named
            )
            scored.append((number, score * self._credit(row)))
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))

    def _credit(self, row: RowMapping) -> float:
        """1 for a trusted, verified document, down to 1 - weights.trust for one that is neither."""
        trust = TRUST.get(row["trust"] or "", 0.7)
        verified = _VERIFIED.get(row["verification"] or "", 0.7)
        return 1.0 - self.weights.trust * (1.0 - trust * verified)

    def _declines(self, connection: Connection, query: str, candidates: dict[int, _Candidate], top: list[int]) -> bool:
        if any(candidate.named or candidate.exact for candidate in candidates.values()):
            return False
        nearest = max((candidate.cosine or 0.0 for candidate in candidates.values()), default=0.0)
        held = lexical.coverage(connection, content_words(query), top)
        return nearest < self.weights.near and held < self.weights.covered


def english_of(query: str, titles: list[str]) -> str:
    """What an English-only embedder is asked: the query, or for Korean its Latin words and the titles it names."""
    if not is_korean(query):
        return query
    latin = " ".join(word for word in query.split() if word.isascii())
    return " ".join([*titles, latin]).strip()


def _allowed(connection: Connection, filters: Filters) -> set[int]:
    """The numbers of the passages whose documents pass the filters."""

    condition, values = where(filters)
    query = text(f"SELECT p.number FROM passages p JOIN documents d ON d.id = p.document_id WHERE {condition}")
    return set(connection.execute(query, values).scalars())


_ROWS = text(
    "SELECT p.number, p.id AS passage_id, p.document_id, p.ordinal, p.heading, p.start_at, p.end_at, p.page, d.title, d.trust, "
    "d.confidence, d.verification, d.kind, d.year, d.url, d.arxiv FROM passages p JOIN documents d "
    "ON d.id = p.document_id WHERE p.number IN :numbers"
).bindparams(bindparam("numbers", expanding=True))


def _rows(connection: Connection, numbers: list[int]) -> dict[int, RowMapping]:
    return {row["number"]: row for row in connection.execute(_ROWS, {"numbers": numbers}).mappings()}


def _passages_of(connection: Connection, documents: list[str]) -> list[int]:
    """The first passages of documents that a query names."""
    query = text("SELECT number FROM passages WHERE document_id IN :documents AND ordinal < 4").bindparams(
        bindparam("documents", expanding=True)
    )
    return list(connection.execute(query, {"documents": documents}).scalars())


def _diverse(
    ranked: list[tuple[int, float]], rows: dict[int, RowMapping], names: Names, limit: int
) -> list[tuple[int, float]]:
    """The best passages, at most two of a document, and none of a duplicate when its canonical note is there."""
    present = {rows[number]["document_id"] for number, _ in ranked}
    taken: dict[str, int] = {}
    top: list[tuple[int, float]] = []
    for number, score in ranked:
        document = rows[number]["document_id"]
        canonical = names.canonical(document)
        if canonical != document and canonical in present:
            continue
        if taken.get(canonical, 0) < PER_DOCUMENT:
            taken[canonical] = taken.get(canonical, 0) + 1
            top.append((number, score))
        if len(top) == limit:
            break
    return top


def _hit(connection: Connection, row: RowMapping, candidate: _Candidate, score: float, names: Names) -> Hit:
    length = row["end_at"] - row["start_at"]
    body = connection.execute(
        text("SELECT substr(text, :start, :length) FROM documents WHERE id = :id"),
        {"start": row["start_at"] + 1, "length": length, "id": row["document_id"]},
    ).scalar_one()
    cosine = None if candidate.cosine is None else round(float(np.float32(candidate.cosine)), 4)
    return Hit(
        passage_id=row["passage_id"],
        document_id=row["document_id"],
        canonical_id=names.canonical(row["document_id"]),
        title=row["title"],
        heading=row["heading"],
        text=body,
        start=row["start_at"],
        end=row["end_at"],
        page=row["page"],
        score=round(float(score), 4),
        legs=Legs(
            dense=candidate.dense_rank, lexical=candidate.lexical_rank, exact=candidate.exact_rank, cosine=cosine
        ),
        trust=row["trust"],
        confidence=row["confidence"],
        verification=row["verification"],
        kind=row["kind"],
        year=row["year"],
        url=row["url"] or (f"https://arxiv.org/abs/{row['arxiv']}" if row["arxiv"] else None),
    )
