"""How well the library answers: recall@5, MRR, nDCG@10 and declines on a file of questions, by language and by leg.

A question is a line `{"q","keys","lang","kind"}`: `keys` are ids of the documents that answer it (any name the library
knows; duplicates count as their canonical note). Kind `unanswerable` counts as right when the library declines, whatever keys it
carries, and so does a question without keys. Kind `cross` (asked in one language, answered in the other) is a group of its own.
Recall@5 is whether one of a question's keys is
among the first five documents, because each of them answers it; keys@5 is the share of them that is. Every row but those
`without declines` counts a declined question as a miss, so that a leg or an ablation differs from `fused` in its ranking alone.
`without trust` and `without verification` rank as if no note stated that field. Reciprocal rank fusion with equal weights is there
for comparison. What the library costs in time and disk is measured in `kb.evaluate_cost`.
"""

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from kb.errors import KbError
from kb.evidence import Evidence
from kb.fusion import Gathered, Weights, rank_documents
from kb.reading import LOOKED_AT
from kb.search import Searcher

_OFF = Weights(dense=0, dense_korean=0, lexical=0, titles=0, translated=0, exact=0, named=0, second=0, trust=0)
ALONE = "without declines"
_Order = Callable[[Gathered, Callable[[str], str]], list[str]]


class Question(BaseModel):
    """One line of a question file. `keys` are empty when nothing answers it: null reads as none, and what a question of kind
    `unanswerable` carries (say, the documents that come nearest) is not kept."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    q: str
    kind: str = "plain"  # before `keys`, whose validator reads it
    keys: tuple[str, ...] = ()
    lang: str = "en"
    sort: str = ""  # of an unanswerable question: `far` from the field, `near` it, or a `detail` that a paper on the subject does not give
    half: Literal["fit", "report"] | None = None

    @field_validator("keys", mode="before")
    @classmethod
    def _null_is_none(cls, keys: Any) -> Any:
        return () if keys is None else keys

    @field_validator("keys")
    @classmethod
    def _only_of_answerable(cls, keys: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return () if info.data.get("kind") == "unanswerable" else keys

    @property
    def group(self) -> str:
        return "cross" if self.kind == "cross" else self.lang


@dataclass(frozen=True)
class _Asked:
    """A question with what was gathered for it."""

    question: Question
    keys: frozenset[str]
    gathered: Gathered
    declined: bool
    seconds: float


def read_questions(path: Path) -> list[Question]:
    """The questions of a JSONL file. Raises KbError that names the line which is none."""
    questions: list[Question] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            questions.append(Question.model_validate_json(line))
        except ValidationError as error:
            raise KbError(
                f'{path} line {number} is not a question. Write it as {{"q": "...", "keys": ["id"]}}.'
            ) from error
    return questions


def evaluate(searcher: Searcher, questions: Sequence[Question]) -> dict[str, Any]:
    """All measures as one JSON-able object; `searcher` carries the weights of the fused ranking."""
    with searcher.store.read() as connection:
        names = searcher.names(connection)
    asked = [_ask(searcher, question) for question in questions]
    answerable = [entry for entry in asked if entry.keys]
    orders = _orders(searcher.weights)
    report: dict[str, Any] = {"questions": len(questions)}
    for name, order in orders.items():
        groups: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
        for entry in answerable:
            missed = entry.declined and not name.endswith(ALONE)
            ranked = [] if missed else order(entry.gathered, names.canonical)
            measured = measure(ranked, entry.keys)
            groups[entry.question.group].append(measured)
            groups["all"].append(measured)
        report[name] = {group: _mean(values) for group, values in sorted(groups.items())}
    unanswerable = [entry for entry in asked if not entry.keys]
    report["declined"] = {
        "unanswerable": _share([entry.declined for entry in unanswerable]),
        "answerable": _share([entry.declined for entry in answerable]),
    }
    times = sorted(entry.seconds for entry in asked)
    report["latency_ms"] = {
        "p50": round(1000 * _quantile(times, 0.5), 1),
        "p95": round(1000 * _quantile(times, 0.95), 1),
    }
    return report


def measure(ranked: Sequence[str], keys: frozenset[str]) -> tuple[float, float, float, float]:
    """(recall@5, keys@5, reciprocal rank within 10, nDCG@10) of a ranking of documents."""
    found = [document in keys for document in ranked[:10]]
    first = next((place for place, right in enumerate(found, start=1) if right), 0)
    gain = sum(right / math.log2(place + 1) for place, right in enumerate(found, start=1))
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(len(keys), 10) + 1))
    return float(any(found[:5])), sum(found[:5]) / len(keys), 1 / first if first else 0.0, gain / ideal


def ask(searcher: Searcher, question: Question) -> tuple[Gathered, frozenset[str], Evidence]:
    """What the searcher gathers for a question, its keys as canonical ids, and the evidence for an answer. For fitting."""
    with searcher.store.read() as connection:
        names = searcher.names(connection)
        keys = frozenset(names.resolve(key) for key in question.keys)
        query, _ = searcher.spelled(connection, question.q)
        gathered = searcher.gather(connection, query)
        ranked = rank_documents(gathered, searcher.weights, names.canonical)
        reading = searcher.read(connection, query, ranked[:LOOKED_AT])
        return gathered, keys, searcher.evidence(connection, query, gathered, ranked, reading)


def _ask(searcher: Searcher, question: Question) -> _Asked:
    started = time.perf_counter()
    result = searcher.search(question.q)
    seconds = time.perf_counter() - started
    gathered, keys, _ = ask(searcher, question)
    return _Asked(question, keys, gathered, result.declined, seconds)


def _orders(weights: Weights) -> dict[str, _Order]:
    """The rankings that are compared, by name."""
    lexical = replace(_OFF, lexical=weights.lexical, titles=weights.titles, translated=weights.translated)
    kinds = {
        "fused": weights,
        "dense": replace(_OFF, dense=1, dense_korean=1),
        "lexical": lexical,
        "without trust and verification": replace(weights, trust=0),
        "without names": replace(weights, named=0, titles=0),
        "without translation": replace(weights, translated=0, dense_korean=0),
        "without second passage": replace(weights, second=0),
        "without exact": replace(weights, exact=0),
    }
    orders = {name: _weighted(kind) for name, kind in kinds.items()}
    whole = orders["fused"]
    orders |= {ALONE: whole, f"dense {ALONE}": orders["dense"], f"lexical {ALONE}": orders["lexical"]}
    orders["without trust"] = _as_if_unstated(whole, "trust")
    orders["without verification"] = _as_if_unstated(whole, "verification")
    orders["without folding"] = lambda gathered, _: whole(gathered, lambda document: document)
    orders["reciprocal ranks, equal weights"] = _reciprocal
    return orders


def _weighted(weights: Weights) -> _Order:
    def order(gathered: Gathered, canonical: Callable[[str], str]) -> list[str]:
        return [document for document, _, _ in rank_documents(gathered, weights, canonical)[:10]]

    return order


def _as_if_unstated(order: _Order, name: Literal["trust", "verification"]) -> _Order:
    """An order that ranks as if no document stated one field."""

    def ranked(gathered: Gathered, canonical: Callable[[str], str]) -> list[str]:
        unstated = {number: replace(found, **{name: None}) for number, found in gathered.candidates.items()}
        return order(replace(gathered, candidates=unstated), canonical)

    return ranked


def _reciprocal(gathered: Gathered, canonical: Callable[[str], str]) -> list[str]:
    """Documents by the sum of 1/(60 + rank) over the dense and the lexical leg (Cormack et al. 2009)."""
    scores: dict[str, float] = defaultdict(float)
    for leg in ("cosine", "words"):
        ranked = sorted(
            (candidate.ranks[leg], canonical(candidate.document_id))
            for candidate in gathered.candidates.values()
            if leg in candidate.ranks and getattr(candidate, leg) > 0
        )
        for rank, document in enumerate(dict.fromkeys(document for _, document in ranked), start=1):
            scores[document] += 1 / (60 + rank)
    return sorted(scores, key=lambda document: (-scores[document], document))[:10]


def _mean(values: Sequence[tuple[float, float, float, float]]) -> dict[str, float]:
    means = [round(sum(value[place] for value in values) / len(values), 3) for place in range(4)]
    return {**dict(zip(("recall@5", "keys@5", "mrr", "ndcg@10"), means, strict=True)), "n": len(values)}


def _share(values: Sequence[bool]) -> dict[str, float]:
    return {"share": round(sum(values) / len(values), 3) if values else 0.0, "n": len(values)}


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def as_json(report: dict[str, Any]) -> str:
    """The report as one JSON object, for the command line."""
    return json.dumps(report, ensure_ascii=False, indent=2)
