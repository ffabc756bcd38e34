"""What tells a question that the library answers from one that it does not: how each word of it is met.

A question is a list of units: a content word in English; in Korean a word with its English translations, either of which
will do. For each unit `unit_signals` notes whether the library uses it at all, how rare it is there and whether the best
documents hold it; `kb.evidence` adds how near and how well ranked these are, and `kb.answerable` weighs it all. Inverse
document frequency stops counting at a cap, so that a word that is everywhere keeps some weight in a large library. This module
compares words; it does not read what a passage says about them.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, text

from kb.identifiers import identifiers
from kb.lexical import Counts, phrase
from kb.text import STOPWORDS, without_particle, words
from kb.translate import asking_words, english_words, is_asking

_HANGUL = re.compile("[가-힣]")
_LETTER = "[A-Za-z0-9_\u00c0-\u024f]"
_WORD = re.compile(rf"[가-힣]+|{_LETTER}(?:(?:{_LETTER}|[+./-])*{_LETTER})?")
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_VERB = re.compile(r"(?<=[가-힣]{2})(?:하|해|했|한|할|함|합|되|돼|됐|된|될|됨|됩|시키|시켜|시킨|시킬)[가-힣]{0,4}$")


@dataclass(frozen=True)
class Unit:
    """A word of a question as it is written, as an FTS5 expression, in English ("" where no translation is known), and the
    identifiers that it may be."""

    word: str
    expression: str
    english: str
    keys: tuple[str, ...] = ()


class UnitSignals(NamedTuple):
    """How one unit is met. Flags are 0 or 1; `best`, `top`, `passage` and `named`: it stands in the best document, in one of the
    best, in the best passage, in a name of the best document; `marked`: with a capital inside or a digit; `rarity` is inverse
    document frequency over its largest value, `place` where in the question it stands, from 0 to 1."""

    unused: float
    rarity: float
    best: float
    top: float
    passage: float
    named: float
    untranslated: float
    marked: float
    place: float
    korean: float


class WholeSignals(NamedTuple):
    """What tells about the whole question. `asked` and `told` are the largest cosines with the questions that the best document
    carries and with its passages, `crowd` the mean of the twenty largest of all, `lead` that of the best document over the
    second. `meant` and `worded` are one over the place of the best document in the dense and the lexical leg alone; `matched`
    is the best BM25 score, which grows with how much of a question is found, in units of 30 and at most 2; `named` counts
    named documents up to 2; `covered` and `unknown` are shares weighed by rarity. `answers` are the
    largest log odds by which the cross-encoder holds that a passage answers, `first` those of the best document's; `unread`: it
    read nothing."""

    cosine: float = 0.0
    asked: float = 0.0
    told: float = 0.0
    crowd: float = 0.0
    lead: float = 0.0
    score: float = 0.0
    margin: float = 0.0
    covered: float = 0.0
    unknown: float = 0.0
    meant: float = 0.0
    worded: float = 0.0
    matched: float = 0.0
    named: float = 0.0
    exact: float = 0.0
    length: float = 0.0
    answers: float = 0.0
    first: float = 0.0
    unread: float = 0.0
    korean: float = 0.0


@dataclass(frozen=True)
class Best:
    """The best documents: their passages' numbers, best first, for each unit the passages that hold it, and the words of those
    of their names that the question mentions."""

    passages: tuple[tuple[int, ...], ...]
    holding: tuple[frozenset[int], ...]
    mentioned: frozenset[str]


def units(question: str) -> list[Unit]:
    """The units of a question, each once."""
    found: dict[str, Unit] = {}
    for written in _WORD.finditer(question):
        unit = _korean_unit(written, question) if _HANGUL.match(written[0]) else _latin_unit(written[0])
        if unit is not None:
            found.setdefault(unit.expression, unit)
    return list(found.values())


def _latin_unit(word: str) -> Unit | None:
    spelled = words(word)
    if all(term in STOPWORDS or term in asking_words() for term in spelled):
        return None
    together = " AND ".join(phrase([term]) for term in spelled)  # "high-norm": both, not side by side
    apart = " AND ".join(phrase([term]) for term in _PARTS.findall(word.casefold()))  # "gpt2" is "GPT-2"
    return Unit(word, f"({together})" if apart in ("", together) else f"({together}) OR ({apart})", word, _keys(word))


def _korean_unit(written: re.Match[str], question: str) -> Unit | None:
    word = written[0]
    after_latin = written.start() > 0 and question[written.start() - 1].isalnum()
    if is_asking(word) or (after_latin and (len(word) == 1 or without_particle(f"A{word}") == "A")):
        return None
    stems = korean_stems(word)
    english = list(dict.fromkeys(entry for stem in stems for entry in english_words(stem)))
    spellings = [*(words(stem) for stem in stems), *([term] for entry in english for term in words(entry))]
    terms = dict.fromkeys(phrase(spelling) for spelling in spellings if spelling[0] not in STOPWORDS)
    return Unit(stems[-1], " OR ".join(terms), " ".join(english))


def korean_stems(word: str) -> list[str]:
    """A Korean word as written, without its particle, and without the ending of a verb made from a noun ("추적하는지" ->
    "추적"), longest first. One syllable is no stem: the last of "회로" and "효과" only look like particles."""
    stems = [word, without_particle(word), _VERB.sub("", word)]
    return sorted(dict.fromkeys(stem for stem in stems if len(stem) > 1 or stem == word), key=len, reverse=True)


def _keys(word: str) -> tuple[str, ...]:
    """The identifiers that a word may be; a bare `9.9` is a head here."""
    return tuple(identifiers(f"head {word}")) if any(letter.isdigit() for letter in word) else ()


def unit_signals(connection: Connection, counts: Counts, asked: Sequence[Unit], best: Best) -> list[UnitSignals]:
    """How each unit is met by the best documents."""
    total = max(counts.total(connection), 2)
    owners = {number: place for place, numbers in enumerate(best.passages) for number in numbers}
    first = next((numbers[0] for numbers in best.passages if numbers), None)
    found: list[UnitSignals] = []
    for place, unit in enumerate(asked):
        count = counts.of(connection, unit.expression) or _keyed(connection, unit.keys)
        held = best.holding[place]
        documents = {owners[number] for number in held if number in owners}
        mentioned = set(words(unit.word)) <= best.mentioned
        found.append(
            UnitSignals(
                unused=float(count == 0),
                rarity=math.log((total + 1) / (count + 0.5)) / math.log((total + 1) / 0.5),
                best=float(mentioned or 0 in documents),
                top=float(mentioned or bool(documents)),
                passage=float(first in held),
                named=float(mentioned or (0 in documents and first is not None and _is_name(connection, unit, first))),
                untranslated=float(not unit.english),
                marked=float(any(letter.isupper() or letter.isdigit() for letter in unit.word[1:])),
                place=place / max(len(asked) - 1, 1),
                korean=float(bool(_HANGUL.search(unit.word))),
            )
        )
    return found


def shares(signals: Sequence[UnitSignals]) -> tuple[float, float]:
    """(share of the units that the best document holds, share that the library never uses), weighed by rarity."""
    whole = sum(signal.rarity for signal in signals) or 1.0
    held = sum(signal.rarity for signal in signals if signal.best)
    return held / whole, sum(signal.rarity for signal in signals if signal.unused) / whole


_KEYED = text("SELECT DISTINCT passage FROM identifiers WHERE key IN :keys").bindparams(
    bindparam("keys", expanding=True)
)
_IN_SPAN = "SELECT rowid FROM passages_fts WHERE passages_fts MATCH ?1 AND rowid BETWEEN {} AND {}"


def holders(connection: Connection, unit: Unit, spans: Sequence[tuple[int, int]], *, columns: str = "") -> set[int]:
    """The passages in spans (first, last number) that hold a unit, or an identifier that it is; with `columns`, in these alone.

    FTS5 walks to a span at once; a list of single numbers it would look up one by one."""
    if not spans:
        return set()
    expression = f"{{{columns}}} : ({unit.expression})" if columns else unit.expression
    query = " UNION ALL ".join(_IN_SPAN.format(int(first), int(last)) for first, last in spans)
    found = {row[0] for row in connection.exec_driver_sql(query, (expression,)).all()}
    if unit.keys:
        keyed = connection.execute(_KEYED, {"keys": list(unit.keys)}).scalars()
        found |= {number for number in keyed if any(first <= number <= last for first, last in spans)}
    return found


def _keyed(connection: Connection, keys: Sequence[str]) -> int:
    """How many passages hold one of the identifiers."""
    return len(connection.execute(_KEYED, {"keys": list(keys)}).all()) if keys else 0


def _is_name(connection: Connection, unit: Unit, number: int) -> bool:
    """Whether a unit stands in the title or a name of a passage's document."""
    return bool(holders(connection, replace(unit, keys=()), [(number, number)], columns="title names"))
