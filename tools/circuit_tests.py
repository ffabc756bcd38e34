"""Hypothesis tests for circuits after Shi et al. 2024, with the claim always as the alternative and a correction for many.

Each takes numbers, runs no model. Where the paper puts "the circuit is ideal" into the null (equivalence, independence), a
small sample passes easily. Here equivalence is two one-sided tests, and independence asks that the dependence between
what the model does and what is left without the circuit be shown to lie below a bound; the paper's own permutation test
(HSIC, Gretton et al. 2005) is reported as what it is, evidence against the circuit. Minimality is corrected over the
circuit's members (Bonferroni), the tests of one circuit among each other (Holm).
"""

from collections.abc import Mapping, Sequence

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


def holm(p: Sequence[float]) -> list[float]:
    """Holm's corrected p values, in the order given."""
    order = np.argsort(p, kind="stable")
    found, running = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(p) - rank) * float(p[int(i)])))
        found[int(i)] = running
    return found


def gaussian_gram(values: Floats) -> Floats:
    """Gaussian kernel matrix [n, n] with the median distance as its width; all ones when the values are all alike."""
    distance = np.abs(values[:, None] - values[None, :])
    width = float(np.median(distance[distance > 0])) if (distance > 0).any() else 1.0
    return np.exp(-((distance / width) ** 2) / 2)


def dependence(k: Floats, m: Floats) -> float:
    """Unbiased HSIC of two kernel matrices [n, n] (Song et al. 2012), over its size for each with itself.

    Near 0 when independent (it can be negative), 1 when the same; 0 when one of them does not vary. Needs n of 4 or more.
    """
    own = _unbiased(k, k) * _unbiased(m, m)
    return float(_unbiased(k, m) / np.sqrt(own)) if own > 1e-24 else 0.0


def _unbiased(k: Floats, m: Floats) -> float:
    n = len(k)
    a, b = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    total = (a * b).sum() + a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 * (a.sum(0) @ b.sum(0)) / (n - 2)
    return float(total / (n * (n - 3)))


def dependence_p(model: Floats, rest: Floats, *, permutations: int = 1000, seed: int = 0) -> tuple[float, float]:
    """(HSIC dependence, permutation p against H0 that the two are independent): the paper's independence test.

    A small p says that what is left without the circuit still follows the model. A large one shows nothing.
    """
    k, m = gaussian_gram(model), gaussian_gram(rest)
    observed = _unbiased(k, m)
    generator = np.random.default_rng(seed)
    orders = (generator.permutation(len(k)) for _ in range(permutations))
    beyond = sum(_unbiased(k, m[np.ix_(order, order)]) >= observed - 1e-15 for order in orders)
    return dependence(k, m), (1 + beyond) / (1 + permutations)


def independence_p(model: Floats, rest: Floats, bound: float) -> float:
    """p against H0 that the dependence is `bound` or more: a jackknife over prompts, normal approximation."""
    k, m = gaussian_gram(model), gaussian_gram(rest)
    n, whole = len(k), dependence(k, m)
    kept = np.array([dependence(*(np.delete(np.delete(x, i, 0), i, 1) for x in (k, m))) for i in range(n)])
    pseudo = n * whole - (n - 1) * kept
    error = float(pseudo.std(ddof=1) / np.sqrt(n))
    if error < 1e-12:
        return 0.0 if whole < bound else 1.0
    return float(stats.t.cdf((whole - bound) / error, n - 1))
