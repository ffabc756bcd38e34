"""Probes find what is there, find nothing in noise, and the control task tells memory from structure."""

import numpy as np
import pytest

from tools.errors import ExperimentError
from tools.probing import ProbeData, probe


def data(n, seed, signal=0.0, kinds=40, width=60):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    kind = rng.integers(0, kinds, n)
    x = rng.normal(size=(n, width))
    x[:, 0] += signal * (2 * y - 1)
    return ProbeData(x, y.astype(np.int64), kind.astype(np.int64))


def run(train, test, **options):
    return probe(train, test, **{"strength": 0.1, "shuffles": 99, "seed": 0, **options})


def test_a_linear_signal_is_decoded_and_is_selective():
    scores = run(data(300, 0, signal=2.0), data(200, 1, signal=2.0))
    assert scores.right.mean() > 0.95
    assert scores.right.mean() - scores.control.mean() > 0.3
    assert scores.right.mean() > np.quantile(scores.shuffled, 0.95)


def test_noise_stays_within_its_shuffles():
    within = [
        run(data(200, s), data(200, s + 1000), seed=s).right.mean()
        <= np.quantile(run(data(200, s), data(200, s + 1000), seed=s).shuffled, 0.95)
        for s in range(20)
    ]
    assert sum(within) >= 16


def test_memorised_word_types_are_not_selective():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 30, 500)
    labels = rng.integers(0, 2, 30)
    x = np.eye(30)[kind] + 0.01 * rng.normal(size=(500, 30))
    whole = ProbeData(x, labels[kind].astype(np.int64), kind.astype(np.int64))
    train, test = (ProbeData(whole.x[part], whole.y[part], whole.kind[part]) for part in (slice(300), slice(300, 500)))
    scores = run(train, test)
    assert scores.right.mean() > 0.95 and scores.control.mean() > 0.95


def test_one_label_only_is_refused():
    constant = data(50, 0)
    constant = ProbeData(constant.x, np.zeros(50, np.int64), constant.kind)
    with pytest.raises(ExperimentError, match="at least two labels"):
        run(constant, constant)
