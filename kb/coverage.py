"""How much of a question the best documents speak of: the signals from which the library knows that it does not say.

A question is a list of units: a content word in English; in Korean a word with its English translations, either of which
will do. A unit weighs as much as it is rare in the library (inverse document frequency; counting stops at a cap, so that a word that is
everywhere keeps some weight in a large library); one that the library never uses weighs most. It compares words, not meanings.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from kb.lexical import Counts, phrase
from kb.text import STOPWORDS, content_words, is_korean, without_particle, words
from kb.translate import asking_words, english_words

_TOKEN = re.compile(r"[가-힣]+|[A-Za-z0-9][\w+-]*")


@dataclass(frozen=True)
class Signals:
    """What tells a question the library answers from one it does not. Shares lie between 0 and 1; `meant` and `worded` are
    one over the place of the best document in the dense and the lexical leg alone; `matched` is the best BM25 score, which
    grows with how much of a question is found, in units of 30 and at most 2; `named` counts named documents up to 2."""

    cosine: float = 0.0
    score: float = 0.0
    margin: float = 0.0
    covered: float = 0.0
    unknown: float = 0.0
    meant: float = 0.0
    worded: float = 0.0
    matched: float = 0.0
    named: float = 0.0
    exact: float = 0.0
    korean: float = 0.0


def units(question: str) -> list[str]:
    """An FTS5 expression for each content word of a question."""
    if not is_korean(question):
        return [phrase([term]) for term in content_words(question)]
    found: list[str] = []
    for word in _TOKEN.findall(question):
        if word in asking_words():
            continue
        stem = without_particle(word)
        spellings = [words(stem), *([term] for english in english_words(stem) for term in words(english))]
        terms = [phrase(spelling) for spelling in spellings if spelling and spelling[0] not in STOPWORDS]
        if terms:
            found.append(" OR ".join(terms))
    return list(dict.fromkeys(found))


def covered(
    connection: Connection, counts: Counts, question: str, documents: Sequence[Sequence[int]]
) -> tuple[float, float]:
    """(weighted share of the units that one of the documents holds, weighted share that the library never uses).

    `documents` are lists of passage numbers.
    """
    expressions = units(question)
    if not expressions:
        return 0.0, 0.0
    total = int(connection.execute(text("SELECT max(number) FROM passages")).scalar() or 0)
    found = [counts.of(connection, expression) for expression in expressions]
    weights = [math.log((max(total, 1) + 1) / (count + 0.5)) for count in found]
    whole = sum(weights) or 1.0
    owners = {number: place for place, numbers in enumerate(documents) for number in numbers}
    held = [0.0] * len(documents)
    for expression, weight, count in zip(expressions, weights, found, strict=True):
        for place in _holders(connection, expression, owners) if count else ():
            held[place] += weight
    unknown = sum(weight for weight, count in zip(weights, found, strict=True) if count == 0)
    return max(held, default=0.0) / whole, unknown / whole


def _holders(connection: Connection, expression: str, owners: dict[int, int]) -> set[int]:
    """The places of the documents that have a passage matching the expression."""
    places = ", ".join(str(int(number)) for number in owners)
    query = text(f"SELECT rowid FROM passages_fts WHERE passages_fts MATCH :expression AND rowid IN ({places})")
    return {owners[number] for number in connection.execute(query, {"expression": expression}).scalars()}
