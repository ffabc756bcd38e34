"""CPR and CMD with intervals: the areas under f(C_k) and |1 - f(C_k)| over circuits of growing size (MIB 2025).

f(C_k) = (m(C_k) - m(nothing)) / (m(all) - m(nothing)) with the mean over prompts on both sides; the areas are trapezoids
over the share of components kept. Intervals come from resampling prompts, all sizes with the same draw. CPR rewards
overshooting; CMD does not (METHOD T5).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tools.errors import ExperimentError
from tools.prompts import Floats
from tools.statistics import LEVEL, RESAMPLES, bootstrap_weights


class Interval(NamedTuple):
    """A value with its two-sided percentile interval."""

    value: float
    low: float
    high: float


class Curve(NamedTuple):
    """Faithfulness at each size [sizes] with its interval, and the two areas."""

    f: Floats
    low: Floats
    high: Floats
    cpr: Interval
    cmd: Interval


def curve(shares: Sequence[float], metric: Floats, full: Floats, empty: Floats, names: Sequence[str]) -> Curve:
    """The curve of circuits whose metrics per prompt are `metric` [sizes, n]; `shares` are the components kept.

    Raises ExperimentError when ablating everything changes nothing, in the whole sample or in one of its resamples.
    """
    weights = np.vstack([np.ones(metric.shape[1]), bootstrap_weights(tuple(names), RESAMPLES, 0)])
    span = weights @ (full - empty)
    if (np.abs(span) < 1e-9 * metric.shape[1]).any():
        raise ExperimentError("ablating every component changes nothing, so no circuit among them can be faithful.")
    f = (weights @ (metric - empty).T) / span[:, None]
    x = np.asarray(shares, np.float64)
    bounds = np.quantile(f[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Curve(
        f[0],
        bounds[0],
        bounds[1],
        _area(f, x),
        _area(np.abs(1 - f), x),
    )


def _area(rows: Floats, x: Floats) -> Interval:
    values = np.array([np.trapezoid(row, x) for row in rows])
    low, high = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(values[0]), float(low), float(high))
