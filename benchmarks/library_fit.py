"""Fits the library's fusion weights and answerability on the `fit` half of benchmarks/questions.jsonl and prints them.

    python benchmarks/library_fit.py DATA_FOLDER MINILM_FOLDER [STEPS]

With 0 STEPS the ranking's weights stay and only the answerability is fitted. DATA_FOLDER is made when it is empty. Random local search, averaged over resampled questions, on the mean of recall@5, keys@5 and reciprocal rank over English,
Korean and cross-language questions; ridge-penalised logistic regression for the answerability, on the
starter notes with and without the questions they carry. Paste the printed
values into kb/fusion.py; `circuit-court library evaluate` reports on the other half.
"""

import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from kb.coverage import Signals
from kb.evaluate import Question, ask, measure, read_questions
from kb.fusion import Answerable, Gathered, Weights, rank_documents
from kb.incoming import Incoming
from kb.library import Library
from kb.records import ItemReport
from kb.search import Searcher

QUESTIONS = Path(__file__).parent / "questions.jsonl"
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


def features(signals: Signals) -> list[float]:
    return [1.0, *asdict(signals).values()]


def logistic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ridge-penalised coefficients; both classes weigh the same."""
    weight = np.where(y, 1.0, y.sum() / (~y).sum())

    def loss(c: np.ndarray) -> float:
        z = x @ c
        return float(np.sum(weight * (np.logaddexp(0, z) - y * z)) / np.sum(weight) + 0.003 * np.sum(c[1:] ** 2))

    return minimize(loss, np.zeros(x.shape[1]), method="BFGS").x


def held_out(x: np.ndarray, y: np.ndarray, group: np.ndarray, *, repeats: int = 6, folds: int = 8) -> np.ndarray:
    """The answerability of each row by coefficients fitted without its question, averaged over repeated splits."""
    total = np.zeros(len(y))
    for repeat in range(repeats):
        fold_of = np.random.default_rng(repeat).permutation(group.max() + 1) % folds
        for fold in range(folds):
            out = fold_of[group] == fold
            total[out] += x[out] @ logistic(x[~out], y[~out]) / repeats
    return 1 / (1 + np.exp(-total))


def judged(searcher: Searcher, question: Question, canonical: Callable[[str], str]) -> tuple[Signals, bool, bool]:
    """A question's signals, whether it is answerable, and whether an answer is among the first five."""
    gathered, keys, signals = ask(searcher, question)
    first = [document for document, _, _ in rank_documents(gathered, searcher.weights, canonical)[:5]]
    return signals, bool(keys), bool(keys & set(first))


def fit_answerable(found: list[tuple[int, Signals, bool, bool]], wrong: float) -> Answerable:
    """Coefficients, and the highest threshold at which no more than `wrong` of the held-out questions whose answer is among
    the first five are declined."""
    group = np.array([entry[0] for entry in found])
    x = np.array([features(entry[1]) for entry in found])
    y, right = (np.array([entry[place] for entry in found]) for place in (2, 3))
    p = held_out(x, y, group)
    threshold = 0.0
    for tried in np.arange(0.06, 0.5, 0.02):
        declined, mistaken = np.mean(p[~y] < tried), np.mean(p[right] < tried)
        print(f"threshold {tried:.2f}: declines {declined:.2f} of unanswerable, {mistaken:.3f} of answered (held out)")
        threshold = tried if mistaken <= wrong else threshold
    bias, *weights = (round(float(value), 2) for value in logistic(x, y))
    return Answerable(bias, Signals(*weights), threshold=round(float(threshold), 3))


def without_questions(folder: Path, embedder: Path) -> Library:
    """The starter notes without the questions they carry, as a user's own notes are: the harder case."""
    library = Library.open(folder, embedder_folder=embedder)
    put = library.ingest.put

    def put_bare(document: Incoming) -> ItemReport:
        return put(replace(document, questions=(), front={**document.front, "questions": []}))

    library.ingest.put = put_bare
    library.build_starter()
    return library


def main() -> None:
    folder, embedder = Path(sys.argv[1]), Path(sys.argv[2])
    library = Library.open(folder, embedder_folder=embedder)
    library.build_starter()
    searcher = library.searcher(Weights())
    questions = [question for question in read_questions(QUESTIONS) if question.half == "fit"]
    rows = [(question, *ask(searcher, question)[:2]) for question in questions]
    with library.store.read() as connection:
        canonical = searcher.names(connection).canonical
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 150
    weights = fit_bagged(rows, canonical, steps=steps) if steps else Weights()
    print(weights)
    searchers = [library.searcher(weights), without_questions(folder / "bare", embedder).searcher(weights)]
    signals = [
        (number, *judged(searcher, question, canonical))
        for searcher in searchers
        for number, question in enumerate(questions)
    ]
    print(fit_answerable(signals, 0.015))


if __name__ == "__main__":
    main()
