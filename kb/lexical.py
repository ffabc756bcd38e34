"""Lexical search: BM25 over passages in SQLite's FTS5, Hangul as bigrams, and exact identifiers.

Each passage is indexed with its document's title, its names (id, aliases, tags), the questions it may be asked by and its
headings, in columns of their own weights. A query is an OR of its content words; in a large library the commonest words
are left out once rarer ones have brought enough passages, because BM25 must score every passage that holds any word.
`exact` finds passages by identifiers (an arXiv id, a head, a hook). Scores are positive, larger is better. This module
does not know meanings: "ablate" finds "ablation" only because FTS5's Porter stemmer maps both to one stem.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

COLUMNS = {"title": 4.0, "names": 3.0, "asked": 2.0, "heading": 2.0, "body": 1.0}
SCORED = 4000  # passages that a query may score before its commonest words are left out
ALWAYS = 3  # words that are never left out, the rarest

_MATCH = text(
    "SELECT rowid, -bm25(passages_fts, :title, :names, :asked, :heading, :body) AS score FROM passages_fts "
    "WHERE passages_fts MATCH :query ORDER BY score DESC LIMIT :count"
)
_COUNT = text("SELECT count(*) FROM (SELECT 1 FROM passages_fts WHERE passages_fts MATCH :expression LIMIT :cap)")


class Counts:
    """How many passages match an expression, counted up to `SCORED`, remembered while the library is unchanged."""

    def __init__(self) -> None:
        self._state: tuple[int, ...] = ()
        self._known: dict[str, int] = {}
        self._total: int | None = None

    def total(self, connection: Connection) -> int:
        """The number of all passages."""
        if self._total is None:
            self._total = int(connection.execute(text("SELECT count(*) FROM passages")).scalar() or 0)
        return self._total

    def renew(self, state: tuple[int, ...]) -> None:
        """Forget everything when the library's state is another one."""
        if state != self._state:
            self._state, self._known, self._total = state, {}, None

    def of(self, connection: Connection, expression: str) -> int:
        """The number of passages, `SCORED` when there are that many or more."""
        if expression not in self._known:
            found = connection.execute(_COUNT, {"expression": expression, "cap": SCORED}).scalar()
            self._known[expression] = int(found or 0)
        return self._known[expression]


def phrase(tokens: Sequence[str]) -> str:
    """Adjacent tokens as an FTS5 expression."""
    return '"' + " ".join(token.replace('"', "") for token in tokens) + '"'


def match(connection: Connection, counts: Counts, terms: Sequence[str], count: int) -> list[tuple[int, float]]:
    """The passages (number, BM25 score) that hold any of the terms, best first."""
    expressions = selective(connection, counts, [phrase([term]) for term in terms])
    if not expressions:
        return []
    rows = connection.execute(_MATCH, {**COLUMNS, "query": " OR ".join(expressions), "count": count}).all()
    return [(row.rowid, row.score) for row in rows]


def selective(connection: Connection, counts: Counts, expressions: Sequence[str]) -> list[str]:
    """The rarest expressions that together match about `SCORED` passages, at least `ALWAYS`; none that match nothing."""
    found = sorted((counts.of(connection, expression), expression) for expression in expressions)
    kept: list[str] = []
    scored = 0
    for matching, expression in found:
        if matching == 0:
            continue
        if len(kept) >= ALWAYS and scored + matching > SCORED:
            break
        kept.append(expression)
        scored += matching
    return kept


def exact(connection: Connection, keys: Sequence[str], count: int) -> list[tuple[int, float]]:
    """The passages (number, how many of the identifiers they hold), most first."""
    if not keys:
        return []
    names = {f"key{place}": key for place, key in enumerate(keys)}
    holders = ", ".join(f":{name}" for name in names)
    query = text(
        f"SELECT passage, count(DISTINCT key) AS held FROM identifiers WHERE key IN ({holders}) "
        "GROUP BY passage ORDER BY held DESC, passage LIMIT :count"
    )
    return [(row.passage, float(row.held)) for row in connection.execute(query, {**names, "count": count})]
