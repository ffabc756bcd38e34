"""The evidence that the library says something on a question, from what a search gathered and ranked.

Puts together the signals of each word (`kb.coverage`) and those of the whole question: how near the best documents are, the
questions that they carry and the rest, and how well ranked. It decides nothing; `kb.answerable` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from kb.coverage import Best, Evidence, UnitSignals, WholeSignals, shares, unit_signals
from kb.fusion import Gathered, Ranked, place_of
from kb.lexical import Counts
from kb.names import Names
from kb.reading import LOOKED_AT, Reading
from kb.text import words

MARGIN = 0.5  # a best document that leads by more is no likelier to answer
CROWD = 20


@dataclass(frozen=True)
class Searched:
    """A question with what a search made of it."""

    question: str
    gathered: Gathered
    ranked: Sequence[Ranked]
    reading: Reading
    names: Names


def evidence(connection: Connection, searched: Searched, counts: Counts) -> Evidence:
    """What tells whether the library says anything."""
    asked = searched.reading.units
    met = unit_signals(connection, counts, asked, _best(searched))
    return Evidence(tuple(zip(asked, met, strict=True)), _whole(searched, met))


def _best(searched: Searched) -> Best:
    reading = searched.reading
    best = {document for document, _, _ in searched.ranked[:LOOKED_AT]}
    mentioned = {
        word
        for named in searched.names.mentioned(searched.question)
        if searched.names.canonical(named.document_id) in best
        for word in words(named.name)
    }
    return Best(reading.passages[:LOOKED_AT], reading.holding, frozenset(mentioned))


def _whole(searched: Searched, met: Sequence[UnitSignals]) -> WholeSignals:
    gathered, ranked, meaning = searched.gathered, searched.ranked, searched.gathered.meaning
    candidates = gathered.candidates.values()
    canonical = searched.names.canonical
    first = ranked[0][0] if ranked else None
    own = set(searched.reading.passages[0]) if ranked else set()
    near = [
        (part, float(vector @ meaning))
        for number, part, vector in searched.reading.parts
        if len(meaning) and number in own
    ]
    scores = [score for _, score, _ in ranked[:6]]
    best = [max(gathered.candidates[number].cosine for number in numbers) for _, _, numbers in ranked[:2]]
    cosines = sorted((candidate.cosine for candidate in candidates), reverse=True)
    share, unknown = shares(met)
    return WholeSignals(
        cosine=max(cosines, default=0.0),
        asked=max((cosine for part, cosine in near if part), default=0.0),
        told=max((cosine for part, cosine in near if not part), default=0.0),
        crowd=float(np.mean(cosines[:CROWD])) if cosines else 0.0,
        lead=best[0] - best[1] if len(best) > 1 else 0.0,
        score=scores[0] if scores else 0.0,
        margin=min(MARGIN, scores[0] - scores[-1]) if scores else 0.0,
        covered=share,
        unknown=unknown,
        meant=1 / place_of(gathered, "cosine", canonical, first) if first else 0.0,
        worded=1 / place_of(gathered, "words", canonical, first) if first else 0.0,
        matched=min(2.0, max((candidate.words for candidate in candidates), default=0.0) / 30),
        named=float(min(2, gathered.named)),
        exact=float(any(candidate.exact for candidate in candidates)),
        length=min(len(met), 12) / 12,
        korean=float(gathered.korean),
    )
