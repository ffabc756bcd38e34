"""Reading the best documents of a search: which passages hold which words of the question, and which passage to show.

A document may be found by its title or by a question that it carries; what is shown of it is the passage whose own text is
nearest to the question: cosine, plus the share of the question's words in text and heading weighed by rarity, plus identifiers
that both hold, plus a little for a figure where the question asks for a number. Of a long document only the passages that
the search found are read.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32
from sqlalchemy import Connection, bindparam, text

from kb.coverage import Unit, holders, units
from kb.dense import DenseIndex
from kb.fusion import Ranked
from kb.text import is_korean

LOOKED_AT = 3  # best documents whose carried questions are read, too
WHOLE = 60  # passages up to which a document is read whole
WORDS = 0.5  # weight of the words beside a cosine
APPARATUS = ("Links", "Sources", "References")  # sections that are lists, not text
FIGURE = 0.2
_COUNTS = re.compile(
    r"how (?:many|much|large|big|often)|what (?:share|percentage|fraction|number|size)|몇|얼마|비율|퍼센트|개수"
)

_ALL = text(
    "SELECT document_id, number, heading FROM passages WHERE document_id IN "
    "(SELECT document_id FROM passages WHERE document_id IN :documents GROUP BY document_id HAVING count(*) <= :whole) "
    "ORDER BY number"
).bindparams(bindparam("documents", expanding=True))
_FIGURES = text(
    "SELECT p.number FROM passages p JOIN documents d ON d.id = p.document_id WHERE p.document_id IN :documents "
    "AND substr(d.text, p.start_at + 1, p.end_at - p.start_at) GLOB '* [0-9]*'"
).bindparams(bindparam("documents", expanding=True))
_BODY = text(
    "SELECT substr(d.text, p.start_at + 1, p.end_at - p.start_at) FROM passages p JOIN documents d ON d.id = p.document_id "
    "WHERE p.number = :number"
)
_AS_READ = text(
    "SELECT p.number, p.document_id, d.title, p.heading, substr(d.text, p.start_at + 1, p.end_at - p.start_at) AS body "
    "FROM passages p JOIN documents d ON d.id = p.document_id WHERE p.number IN :numbers"
).bindparams(bindparam("numbers", expanding=True))


@dataclass(frozen=True)
class Reading:
    """The best documents, read: passage numbers of each, (passage, part, vector) of all that was embedded of them (part 0 is the
    passage itself, the others are the questions that its note carries), and for each unit of the question the passages
    of the first `LOOKED_AT` documents that hold it anywhere, and of all those that hold it in text or heading; `figures` are the passages with a number, where the question
    asks for one."""

    units: tuple[Unit, ...]
    passages: tuple[tuple[int, ...], ...]
    parts: tuple[tuple[int, int, np.ndarray], ...]
    holding: tuple[frozenset[int], ...]
    telling: tuple[frozenset[int], ...]
    figures: frozenset[int]


def read(
    connection: Connection, question: str, ranked: Sequence[Ranked], dense: DenseIndex, *, vectors: bool
) -> Reading:
    """Read the documents of `ranked`; without `vectors` only their words."""
    asked = units(question)
    documents = [document for document, _, _ in ranked]
    whole: dict[str, list[int]] = {}
    for row in connection.execute(_ALL, {"documents": documents, "whole": WHOLE}):
        if not row.heading.endswith(APPARATUS):
            whole.setdefault(row.document_id, []).append(row.number)
    passages = tuple(
        tuple(dict.fromkeys([*numbers, *whole.get(document, ())]))[:WHOLE] for document, _, numbers in ranked
    )
    first, further = (
        [number for numbers in some for number in numbers] for some in (passages[:LOOKED_AT], passages[LOOKED_AT:])
    )
    figures = connection.execute(_FIGURES, {"documents": documents}).scalars() if asks_for_a_number(question) else ()
    spans = [(min(numbers), max(numbers)) for numbers in passages]
    return Reading(
        tuple(asked),
        passages,
        tuple(dense.vectors(connection, first, further)) if vectors else (),
        tuple(frozenset(holders(connection, unit, spans[:LOOKED_AT])) for unit in asked),
        tuple(frozenset(holders(connection, unit, spans, columns="heading body")) for unit in asked),
        frozenset(figures),
    )


def asks_for_a_number(question: str) -> bool:
    """Whether the answer will be a figure."""
    return bool(_COUNTS.search(question.casefold()))


@dataclass(frozen=True)
class Sought:
    """What a passage to show is chosen by: the question's vector, how rare its units are, the passages that hold an identifier of
    it, and lists of links or sources, which are shown last."""

    meaning: Float32[np.ndarray, " dimension"]
    rarity: Sequence[float]
    exact: Collection[int]
    aside: Collection[int]


def shown(reading: Reading, place: int, sought: Sought) -> int:
    """The passage to show of the document at `place`."""
    own = set(reading.passages[place])
    near = {
        number: float(vector @ sought.meaning)
        for number, part, vector in reading.parts
        if part == 0 and len(sought.meaning) and number in own
    }
    whole = sum(sought.rarity) or 1.0

    def score(number: int) -> float:
        told = sum(weight for held, weight in zip(reading.telling, sought.rarity, strict=True) if number in held)
        figure = FIGURE * (number in reading.figures)
        return (
            near.get(number, 0.0) + WORDS * told / whole + figure + (number in sought.exact) - (number in sought.aside)
        )

    return max(reading.passages[place], key=score)


def in_english(connection: Connection, reading: Reading, place: int, sought: Sought) -> int:
    """The passage to show of the document at `place` or, where that is Korean, the best that is not; the former where all are."""
    first = number = shown(reading, place, sought)
    korean: set[int] = set()
    while number not in korean and is_korean(connection.execute(_BODY, {"number": number}).scalar() or ""):
        korean.add(number)
        number = shown(reading, place, replace(sought, aside={*sought.aside, *korean}))
    return first if number in korean else number


def as_read(connection: Connection, numbers: Sequence[int]) -> list[tuple[str, str]]:
    """(document, text) of passages as a cross-encoder reads them: title, heading, body."""
    rows = {row.number: row for row in connection.execute(_AS_READ, {"numbers": list(numbers)})}
    found = [rows[number] for number in numbers]
    return [(row.document_id, f"{row.title}. {row.heading}: {row.body}") for row in found]
