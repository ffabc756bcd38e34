"""Linear probes by ridge regression onto one-hot labels, with the controls that make their accuracy mean something.

Closed form, so that 99 label shuffles cost one factorisation: W = (X'X + s I)^-1 X'Y on standardised features with
s = strength * n (Hewitt & Liang 2019 for the control task: each *type*, here a token, is given a random label for all
its occurrences). Works on arrays; knows no model.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.errors import ExperimentError
from tools.prompts import Floats, Ints


@dataclass(frozen=True)
class ProbeScores:
    """Per test prompt [n] whether the probe is right; `control` the same for the control task; `shuffled` [J] means."""

    right: Floats
    control: Floats
    shuffled: Floats


@dataclass(frozen=True)
class ProbeData:
    """Features [n, d], label [n] and type [n] of each prompt."""

    x: NDArray[np.float64]
    y: Ints
    kind: Ints


def probe(train: ProbeData, test: ProbeData, *, strength: float, shuffles: int, seed: int) -> ProbeScores:
    """Train on one set, score on the other. Raises ExperimentError when there are not two labels to tell apart."""
    classes = np.unique(np.concatenate([train.y, test.y]))
    if len(np.unique(train.y)) < 2 or len(np.unique(test.y)) < 2:
        raise ExperimentError(f"a probe needs at least two labels among its prompts, and all have {classes[:1]}.")
    solve = _solver(train.x, strength)
    features = _standardised(test.x, train.x)
    rng = np.random.default_rng(seed)

    def score(y_train: Ints, y_test: Ints) -> Floats:
        weights = solve(one_hot(y_train, classes))
        return (classes[(features @ weights).argmax(1)] == y_test).astype(np.float64)

    kinds = np.unique(np.concatenate([train.kind, test.kind]))
    assigned = dict(zip(kinds.tolist(), rng.permutation(np.resize(classes, len(kinds))).tolist(), strict=True))
    control = score(
        np.array([assigned[k] for k in train.kind.tolist()]), np.array([assigned[k] for k in test.kind.tolist()])
    )
    shuffled = [score(rng.permutation(train.y), test.y).mean() for _ in range(shuffles)]
    return ProbeScores(score(train.y, test.y), control, np.array(shuffled))


def one_hot(y: Ints, classes: Ints) -> Floats:
    """[n, classes], centred so that no intercept is needed beyond the mean."""
    return (y[:, None] == classes[None, :]).astype(np.float64)


def _standardised(x: Floats, reference: Floats) -> Floats:
    spread = reference.std(0)
    scaled = (x - reference.mean(0)) / np.where(spread > 1e-9, spread, 1.0)
    return np.hstack([scaled, np.ones((len(x), 1))])


def _solver(x: Floats, strength: float) -> Callable[[Floats], Floats]:
    """Targets [n, classes] to weights [features, classes]; the kernel is inverted once."""
    features = _standardised(x, x)
    n = len(features)
    kernel = features @ features.T + strength * n * np.eye(n)
    inverse = np.linalg.inv(kernel)

    def solve(targets: Floats) -> Floats:
        return features.T @ (inverse @ targets)

    return solve
