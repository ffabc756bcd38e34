"""The statistics of verdicts, as small pure functions: t bounds against a floor, ranks, Holm, Benjamini-Hochberg.

METHOD sections 1.2 to 1.6 and 4. All sampling error is over prompts (the models are deterministic); a sample is the
per-prompt effect of one intervention, in shares of the gap. A sample without spread gives degenerate bounds (its
mean) and p-values of 0 or 1. This module knows numbers only: neither claims nor experiments.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, ndtri, stdtr, stdtrit

Values = NDArray[np.float64]


class Bounds(NamedTuple):
    """Mean with one-sided confidence bounds, each at 1 - alpha."""

    mean: float
    low: float
    high: float
    sd: float
    n: int
    alpha: float


def as_values(values: Sequence[float] | NDArray[np.generic]) -> Values:
    """A flat float64 sample of at least two finite numbers. Raises ValueError otherwise."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size < 2:
        raise ValueError(f"a sample is a flat list of at least two numbers, got shape {sample.shape}")
    if not np.isfinite(sample).all():
        raise ValueError("a sample holds only finite numbers")
    return sample


def _standard_error(sample: Values) -> float:
    return float(sample.std(ddof=1)) / math.sqrt(sample.size)


def t_bounds(sample: Values, alpha: float) -> Bounds:
    """Student's t lower and upper bounds of the mean, one-sided alpha each."""
    mean, error = float(sample.mean()), _standard_error(sample)
    reach = float(stdtrit(sample.size - 1, 1 - alpha)) * error
    return Bounds(mean, mean - reach, mean + reach, float(sample.std(ddof=1)), sample.size, alpha)


def p_above(sample: Values, floor: float) -> float:
    """p of H0: mean <= floor (METHOD N1, the minimum-effect null)."""
    difference, error = float(sample.mean()) - floor, _standard_error(sample)
    if error == 0:
        return 0.0 if difference > 0 else 1.0
    return float(stdtr(sample.size - 1, -difference / error))


def p_below(sample: Values, ceiling: float) -> float:
    """p of H0: mean >= ceiling."""
    return p_above(-sample, -ceiling)


def rank_p(value: float, controls: Sequence[float] | NDArray[np.generic]) -> float:
    """p of "nothing special" (METHOD N2): the rank of `value` among matched controls, ties counted against it."""
    others = np.asarray(controls, dtype=np.float64)
    return float(1 + int((others >= value).sum())) / (1 + others.size)


def holm(p_values: Sequence[float], alphas: Sequence[float]) -> list[bool]:
    """Which hypotheses Holm's procedure rejects; each p is measured in units of its own alpha."""
    ratios = [p / alpha for p, alpha in zip(p_values, alphas, strict=True)]
    rejected = [False] * len(ratios)
    for place, k in enumerate(sorted(range(len(ratios)), key=ratios.__getitem__)):
        if ratios[k] > 1 / (len(ratios) - place):
            break
        rejected[k] = True
    return rejected


def benjamini_hochberg(p_values: Sequence[float], *, dependent: bool = False) -> list[float]:
    """q-values over a session; `dependent` multiplies by the harmonic number (Benjamini-Yekutieli)."""
    m = len(p_values)
    factor = sum(1 / i for i in range(1, m + 1)) if dependent else 1.0
    q_values, least = [1.0] * m, 1.0
    for rank, k in reversed(list(enumerate(sorted(range(m), key=p_values.__getitem__), start=1))):
        least = min(least, p_values[k] * m * factor / rank)
        q_values[k] = least
    return q_values


def session_q(p_values: Sequence[float]) -> list[float]:
    """q-values as METHOD 4.3 wants them: Benjamini-Hochberg, Benjamini-Yekutieli above twenty claims."""
    return benjamini_hochberg(p_values, dependent=len(p_values) > 20)


def lineage_alpha(alpha: float, revision: int) -> float:
    """The share of alpha left to the j-th revision of a claim (METHOD 4.4): alpha / 2^j."""
    return alpha * 2.0**-revision


def required_n(sd: float, effect: float, floor: float, *, alpha: float = 0.01, power: float = 0.9) -> int | None:
    """Prompts that would settle an effect against its floor (METHOD 1.6); None when the effect is not above it."""
    if effect <= floor:
        return None
    root = (float(ndtri(1 - alpha)) + float(ndtri(power))) * sd / (effect - floor)
    return max(2, math.ceil(root * root))


def p_of_interval(value: float, low: float, high: float, level: float, beyond: float) -> float:
    """One-sided p of "the true value lies beyond `beyond`", from an estimate's interval by the normal tail."""
    error = (high - low) / (2 * float(ndtri((1 + level) / 2)))
    if error <= 0:
        return 0.0 if value != beyond else 1.0
    return float(ndtr(-abs(value - beyond) / error))


def clopper_pearson(successes: int, trials: int, alpha: float = 0.05) -> tuple[float, float]:
    """Exact two-sided binomial interval."""
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, alpha / 2))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1 - alpha / 2))
    return low, high


def same_sign_share(sample: Values, groups: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Share of groups (templates) whose mean is positive, and each group's mean."""
    names = np.asarray(groups)
    means = {str(name): float(sample[names == name].mean()) for name in dict.fromkeys(groups)}
    return sum(mean > 0 for mean in means.values()) / len(means), means
