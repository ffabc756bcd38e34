"""Hypothesis tests for circuits after Shi et al. 2024, with the claim always as the alternative and a correction for many.

Each takes numbers, runs no model. Where the paper puts "the circuit is ideal" into the null (equivalence, independence), a
small sample passes easily; here equivalence is two one-sided tests, and independence is not offered as support. The
minimality test is corrected over the circuit's members (Bonferroni).
"""

from collections.abc import Mapping

import numpy as np
from scipy import stats

from tools.component import Component
from tools.prompts import Floats

QUANTILE = 0.9
EPSILON = 0.1


def beats_random_p(circuit: float, random: Floats, quantile: float = QUANTILE) -> float:
    """p that the circuit does not beat a `quantile` share of random circuits (larger is better): a binomial test."""
    wins = int((random < circuit).sum())
    return float(stats.binom.sf(wins - 1, len(random), quantile))


def equivalence_p(circuit: Floats, model: Floats, epsilon: float = EPSILON) -> float:
    """p against H0 that the share of prompts on which the circuit scores higher lies outside 1/2 +- epsilon (TOST)."""
    wins = int((circuit > model).sum()) + 0.5 * int((circuit == model).sum())
    n = len(circuit)
    low = float(stats.binom.sf(np.ceil(wins) - 1, n, 0.5 - epsilon))
    high = float(stats.binom.cdf(np.floor(wins), n, 0.5 + epsilon))
    return max(low, high)


def minimality_p(contributions: Mapping[Component, float], inflated: Floats) -> dict[Component, float]:
    """For each member, p that its contribution is no larger than a superfluous member's, times the number of members."""
    found = {}
    for component, value in contributions.items():
        rank = (1 + int((inflated >= value).sum())) / (1 + len(inflated))
        found[component] = min(1.0, rank * len(contributions))
    return found
