"""How the legs of a search become one ranking: pure functions of what was gathered.

A passage's score is a weighted sum: cosine, BM25 of the question's own words, of the titles it names and of its English
words, exact identifiers, and whether it names the document. A document's score is its best passage's plus a share of its
second best. Trust and verification take off up to `Weights.trust`. BM25 scores are divided by the best one of the
question, because their scale depends on the question.
All numbers here were fitted on the `fit` half of benchmarks/questions.jsonl by benchmarks/library_fit.py; they are
reported on the other half by `circuit-court library evaluate`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from kb.front_matter import TRUST

_VERIFIED = {"verified": 1.0, "partially-verified": 0.9, "unverified": 0.6, "disputed": 0.5, "retracted": 0.1}


@dataclass(frozen=True)
class Weights:
    """How the legs count, in English and (`dense_korean`) in Korean questions."""

    dense: float = 1.0
    dense_korean: float = 0.76
    lexical: float = 0.48
    titles: float = 0.13
    translated: float = 0.19
    exact: float = 0.42
    named: float = 0.17
    second: float = 0.2
    trust: float = 0.05


@dataclass
class Candidate:
    """What the legs found about one passage; ranks count from 1, scores are raw."""

    document_id: str
    trust: str | None
    verification: str | None
    apparatus: bool = False  # a list of links or sources, not text
    cosine: float = 0.0
    words: float = 0.0
    titles: float = 0.0
    translated: float = 0.0
    exact: float = 0.0
    named: bool = False
    ranks: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Gathered:
    """Everything a ranking needs to know about one question; `named` counts the documents that it names, `meaning` is its
    vector (empty without an embedder)."""

    korean: bool
    candidates: Mapping[int, Candidate]
    named: int
    meaning: Float32[np.ndarray, " dimension"] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))


Ranked = tuple[str, float, list[int]]


def score_passages(gathered: Gathered, weights: Weights) -> dict[int, float]:
    """A score for each passage, by number."""
    best = {
        leg: max((getattr(candidate, leg) for candidate in gathered.candidates.values()), default=0.0) or 1.0
        for leg in ("words", "titles", "translated", "exact")
    }
    dense = weights.dense_korean if gathered.korean else weights.dense
    scores: dict[int, float] = {}
    for number, candidate in gathered.candidates.items():
        score = (
            dense * max(0.0, candidate.cosine)
            + weights.lexical * candidate.words / best["words"]
            + weights.titles * candidate.titles / best["titles"]
            + weights.translated * candidate.translated / best["translated"]
            + weights.exact * candidate.exact / best["exact"]
            + weights.named * candidate.named
        )
        if candidate.apparatus and not candidate.exact:
            score *= 0.8
        scores[number] = score * credit(candidate, weights.trust)
    return scores


def rank_documents(gathered: Gathered, weights: Weights, canonical: Callable[[str], str]) -> list[Ranked]:
    """(canonical document, score, its passages best first), best first.

    Passages of a duplicate count for its canonical note; where the note itself has any, they are not shown.
    """
    scores = score_passages(gathered, weights)
    groups: dict[str, list[int]] = {}
    for number in sorted(scores, key=lambda number: (-scores[number], number)):
        groups.setdefault(canonical(gathered.candidates[number].document_id), []).append(number)
    ranked: list[Ranked] = []
    for document, numbers in groups.items():
        second = scores[numbers[1]] if len(numbers) > 1 else 0.0
        own = [number for number in numbers if gathered.candidates[number].document_id == document]
        ranked.append((document, scores[numbers[0]] + weights.second * second, own or numbers))
    return sorted(ranked, key=lambda entry: (-entry[1], entry[0]))


def place_of(gathered: Gathered, leg: str, canonical: Callable[[str], str], document: str) -> int:
    """At which place, from 1, one leg alone has a document."""
    best: dict[str, float] = {}
    for candidate in gathered.candidates.values():
        owner = canonical(candidate.document_id)
        best[owner] = max(best.get(owner, 0.0), getattr(candidate, leg))
    return 1 + sum(score > best[document] for score in best.values()) if best[document] > 0 else len(best) + 1


def credit(candidate: Candidate, loss: float) -> float:
    """1 for a trusted, verified document, down to 1 - loss for one that is neither; unmarked ones lie between."""
    trust = TRUST.get(candidate.trust or "", 0.7)
    verified = _VERIFIED.get(candidate.verification or "", 0.7)
    return 1.0 - loss * (1.0 - trust * verified)
