"""Lexical search: BM25 over passages in SQLite's FTS5, Hangul as bigrams, and exact identifiers.

Each passage is indexed with its document's title, its names (id, aliases, tags) and its headings, in columns of their own
weights. A query is an OR of its content words. `exact` finds passages by identifiers (an arXiv id, a head, a hook).
Scores are positive, larger is better. This module does not know meanings: "ablate" finds "ablation" only because FTS5's
Porter stemmer maps both to one stem.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

COLUMN_WEIGHTS = (4.0, 3.0, 2.0, 1.0)  # title, names, heading, body

_MATCH = text(
    "SELECT rowid, -bm25(passages_fts, :title, :names, :heading, :body) AS score FROM passages_fts "
    "WHERE passages_fts MATCH :query ORDER BY score DESC LIMIT :count"
)


def match(connection: Connection, terms: Sequence[str], count: int) -> list[tuple[int, float]]:
    """The passages (number, BM25 score) that hold any of the terms, best first."""
    if not terms:
        return []
    weights = dict(zip(("title", "names", "heading", "body"), COLUMN_WEIGHTS, strict=True))
    query = " OR ".join('"' + term.replace('"', "") + '"' for term in terms)
    rows = connection.execute(_MATCH, {**weights, "query": query, "count": count}).all()
    return [(row.rowid, row.score) for row in rows]


def coverage(connection: Connection, terms: Sequence[str], numbers: Sequence[int]) -> float:
    """The largest share of the terms that one of the passages holds, in any of its columns."""
    if not terms or not numbers:
        return 0.0
    places = ", ".join(str(int(number)) for number in numbers)
    held = dict.fromkeys(numbers, 0)
    for term in terms:
        query = text(f"SELECT rowid FROM passages_fts WHERE passages_fts MATCH :term AND rowid IN ({places})")
        quoted = '"' + term.replace('"', "") + '"'
        for number in connection.execute(query, {"term": quoted}).scalars():
            held[number] += 1
    return max(held.values()) / len(terms)


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
