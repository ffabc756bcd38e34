"""Intervals over prompts: the bootstrap of METHOD 1.4, and the t interval, for one number or many at once.

The model is deterministic, so prompts are the only sample. `bootstrap` resamples within templates (strata) and widens
each stratum's deviations by sqrt(m / (m - 1)), because a bootstrap over m prompts understates their variance (Rao and
Wu 1988); strata of one prompt are pooled. It does not correct for looking at many components: the judge does.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tools.errors import ExperimentError

Floats = NDArray[np.float64]
LEVEL = 0.98
RESAMPLES = 2000


def strata_of(names: Sequence[str]) -> list[NDArray[np.int64]]:
    """Row numbers of each stratum; strata of a single row are put together."""
    labels = np.array(names)
    groups = [np.flatnonzero(labels == name) for name in dict.fromkeys(names)]
    alone = [group for group in groups if len(group) == 1]
    several = [group for group in groups if len(group) > 1]
    pooled = [np.concatenate(alone)] if alone else []
    if pooled and len(pooled[0]) == 1 and several:
        several[0] = np.concatenate([several[0], pooled.pop()])
    return several + pooled


def bootstrap(
    values: Floats, names: Sequence[str], *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Floats, Floats, Floats]:
    """Mean and two-sided percentile interval of each row of `values` [k, n] over its n prompts: three arrays [k].

    `names` [n] are the prompts' templates. Raises ExperimentError for fewer than two prompts or non-finite values.
    """
    values = np.atleast_2d(values)
    n = values.shape[1]
    if n < 2:
        raise ExperimentError(f"an interval needs at least 2 prompts, got {n}.")
    if not np.isfinite(values).all():
        raise ExperimentError("a measured value is not finite; the intervention took the model out of its range.")
    weights = bootstrap_weights(tuple(names), resamples, seed)
    mean = values.mean(1)
    deviations = (values - mean[:, None]) @ weights.T / n
    low, high = np.quantile(deviations, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return mean, mean + low, mean + high


@lru_cache(maxsize=8)
def bootstrap_weights(names: tuple[str, ...], resamples: int, seed: int) -> Floats:
    """[resamples, n] weights; `weights @ values / n` is a resampled mean, its spread that of the sample mean.

    The same prompts come back many times in one experiment, so the latest weights are kept (read only).
    """
    generator = np.random.default_rng(seed)
    weights = np.zeros((resamples, len(names)))
    for rows in strata_of(names):
        m = len(rows)
        counts = generator.multinomial(m, np.full(m, 1 / m), size=resamples)
        weights[:, rows] = 1 + (counts - 1) * np.sqrt(m / (m - 1)) if m > 1 else 1.0
    weights.setflags(write=False)
    return weights


def ratio_interval(
    above: Floats,
    below: Floats,
    names: Sequence[str],
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float, float]:
    """mean(above) / mean(below) over the same prompts [n], and its percentile interval.

    Raises ExperimentError when the denominator's mean is zero.
    """
    if abs(float(below.mean())) < 1e-9:
        raise ExperimentError("the ratio has no denominator: the two runs it compares score the same.")
    weights = bootstrap_weights(names, resamples, seed)
    ratios = (weights @ above) / (weights @ below)
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return float(above.mean() / below.mean()), float(low), float(high)


def t_interval(values: Floats, *, level: float = LEVEL) -> tuple[float, float, float]:
    """Mean and two-sided t interval of one sample [n]."""
    n = len(values)
    if n < 2:
        raise ExperimentError(f"an interval needs at least 2 prompts, got {n}.")
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(n))
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return mean, mean - reach, mean + reach


def rank_p(value: float, controls: Floats) -> float:
    """(1 + controls at least as large) / (1 + J): the rank test against matched controls (METHOD 1.2, N2)."""
    return float((1 + (controls >= value).sum()) / (1 + len(controls)))
