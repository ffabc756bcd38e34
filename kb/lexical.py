"""Lexical search: BM25 over passages in SQLite's FTS5, Hangul as bigrams, and exact identifiers.

Each passage is indexed with its document's title, its names (id, aliases, tags), the
questions it may be asked by and its headings, in columns of their own weights. A query is an OR of its content words. `exact` finds passages by identifiers (an arXiv id, a head, a hook).
Scores are positive, larger is better. This module does not know meanings: "ablate" finds "ablation" only because FTS5's
Porter stemmer maps both to one stem.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

COLUMNS = {"title": 4.0, "names": 3.0, "asked": 2.0, "heading": 2.0, "body": 1.0}

_MATCH = text(
    "SELECT rowid, -bm25(passages_fts, :title, :names, :asked, :heading, :body) AS score FROM passages_fts "
    "WHERE passages_fts MATCH :query ORDER BY score DESC LIMIT :count"
)


def match(connection: Connection, terms: Sequence[str], count: int) -> list[tuple[int, float]]:
    """The passages (number, BM25 score) that hold any of the terms, best first."""
    if not terms:
        return []
    query = " OR ".join('"' + term.replace('"', "") + '"' for term in terms)
    rows = connection.execute(_MATCH, {**COLUMNS, "query": query, "count": count}).all()
    return [(row.rowid, row.score) for row in rows]


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
