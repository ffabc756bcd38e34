"""Fits the library's fusion weights on the `fit` half of questions.jsonl and on questions_fit.jsonl, and prints them.

    python benchmarks/library_fit.py DATA_FOLDER MINILM_FOLDER [STEPS]

DATA_FOLDER is made when it is empty. Random local search, averaged over resampled questions, on the mean of recall@5, keys@5
and reciprocal rank over English, Korean and cross-language questions. Paste the printed values into kb/fusion.py, then fit
the answerability anew (library_answerable.py); `circuit-court library evaluate` reports on the other half.
"""

import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from kb.evaluate import Question, ask, measure, read_questions
from kb.fusion import Gathered, Weights, rank_documents
from kb.library import Library

HERE = Path(__file__).parent
FREE = [field.name for field in fields(Weights) if field.name not in ("dense", "trust")]
Row = tuple[Question, Gathered, frozenset[str]]


def goal(rows: list[Row], weights: Weights, canonical: Callable[[str], str]) -> float:
    groups: dict[str, list[float]] = defaultdict(list)
    for question, gathered, keys in rows:
        if keys:
            ranked = [document for document, _, _ in rank_documents(gathered, weights, canonical)[:10]]
            recall, share, reciprocal, _ = measure(ranked, keys)
            groups[question.group].append(recall + share + 0.5 * reciprocal)
    sizes = {group: len(values) ** 0.5 for group, values in groups.items()}
    total = sum(sizes.values())
    return sum(sizes[group] * float(np.mean(values)) for group, values in groups.items()) / total


def fit_bagged(rows: list[Row], canonical: Callable[[str], str], *, steps: int, bags: int = 8) -> Weights:
    """The geometric mean of the weights fitted on resampled questions: steadier than one fit."""
    rng = np.random.default_rng(1)
    fitted = []
    for bag in range(bags):
        drawn = [rows[place] for place in rng.integers(len(rows), size=len(rows))]
        fitted.append(fit_weights(drawn, canonical, steps=steps, seed=bag))
    means = {name: round(float(np.exp(np.mean([np.log(getattr(w, name)) for w in fitted]))), 2) for name in FREE}
    return Weights(**{**asdict(Weights()), **means})


def fit_weights(rows: list[Row], canonical: Callable[[str], str], *, steps: int, seed: int = 0) -> Weights:
    rng = np.random.default_rng(seed)
    best = Weights()
    reached = goal(rows, best, canonical)
    for step in range(steps):
        spread = 0.5 if step < steps // 2 else 0.2
        factors = np.exp(rng.normal(0, spread, len(FREE)) * (rng.random(len(FREE)) < 0.5))
        tried = Weights(
            **{**asdict(best), **{n: round(float(getattr(best, n) * f), 3) for n, f in zip(FREE, factors, strict=True)}}
        )
        found = goal(rows, tried, canonical)
        if found > reached:
            best, reached = tried, found
    print(f"goal {reached:.4f}")
    return best


def main() -> None:
    folder, embedder = Path(sys.argv[1]), Path(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 150
    questions = [question for question in read_questions(HERE / "questions.jsonl") if question.half == "fit"]
    questions += read_questions(HERE / "questions_fit.jsonl")
    with Library.open(folder, embedder_folder=embedder) as library:
        library.build_starter()
        searcher = library.searcher(Weights())
        rows = [(question, *ask(searcher, question)[:2]) for question in questions if question.keys]
        with library.store.read() as connection:
            canonical = searcher.names(connection).canonical
        print(f"now {goal(rows, Weights(), canonical):.4f}")
        weights = fit_bagged(rows, canonical, steps=steps)
        print(f"then {goal(rows, weights, canonical):.4f}", weights)


if __name__ == "__main__":
    main()
