"""The evidence that the library says something on a question, from what a search gathered and ranked.

Puts together the signals of each word (`kb.coverage`) and those of the whole question: how near the best documents are, the
questions that they carry and the rest, how well ranked, and whether the cross-encoder holds that one of their passages answers it. It
decides nothing; `kb.answerable` does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from sqlalchemy import Connection

from kb.coverage import Best, Unit, UnitSignals, WholeSignals, shares, unit_signals
from kb.fusion import Gathered, Ranked, place_of
from kb.lexical import Counts
from kb.names import Names
from kb.reading import LOOKED_AT, Reading, Sought, as_read, in_english
from kb.text import is_korean, words
from kb.translate import english_words

MARGIN = 0.5  # a best document that leads by more is no likelier to answer
CROWD = 20
READ = 2  # best documents of which the cross-encoder, which knows no Korean, reads a passage

LogOdds = Callable[[str, Sequence[str]], Float32[np.ndarray, " passage"]]


@dataclass(frozen=True)
class Evidence:
    """All signals of one question, what the passages to show are chosen by, and what a cross-encoder is given: the question in
    English words, and (document, text) of a passage of each of the best documents."""

    units: tuple[tuple[Unit, UnitSignals], ...]
    whole: WholeSignals
    sought: Sought
    asked: str
    passages: tuple[tuple[str, str], ...]

    @property
    def unused(self) -> list[str]:
        """The words of the question that the library never uses."""
        return [unit.word for unit, signals in self.units if signals.unused]


@dataclass(frozen=True)
class Searched:
    """A question with what a search made of it."""

    question: str
    gathered: Gathered
    ranked: Sequence[Ranked]
    reading: Reading
    names: Names


def evidence(connection: Connection, searched: Searched, counts: Counts, log_odds: LogOdds | None) -> Evidence:
    """What tells whether the library says anything; `log_odds` is the cross-encoder, where there is one."""
    units, question = searched.reading.units, searched.question
    met = unit_signals(connection, counts, units, _best(searched))
    sought = _sought(searched.gathered, met)
    places = range(min(READ, len(searched.ranked)))
    numbers = [in_english(connection, searched.reading, place, sought) for place in places]
    asked = " ".join(english_words(question)) if is_korean(question) else question
    passages = tuple(as_read(connection, numbers))
    odds = log_odds(asked, [told for _, told in passages]) if log_odds and asked and passages else np.zeros(0)
    whole = with_odds(_whole(searched, met), odds)
    return Evidence(tuple(zip(units, met, strict=True)), whole, sought, asked, passages)


def with_odds(whole: WholeSignals, odds: Sequence[float] | np.ndarray) -> WholeSignals:
    """The signals with the cross-encoder's log odds of the best documents' passages, in their order; none: nothing was read."""
    if not len(odds):
        return whole._replace(unread=1.0)
    return whole._replace(answers=float(max(odds)), first=float(odds[0]), unread=0.0)


def _sought(gathered: Gathered, met: Sequence[UnitSignals]) -> Sought:
    """What the passages to show are chosen by."""
    exact = {number for number, candidate in gathered.candidates.items() if candidate.exact}
    aside = {number for number, candidate in gathered.candidates.items() if candidate.apparatus} - exact
    return Sought(gathered.meaning, [signals.rarity for signals in met], exact, aside)


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
