"""What a set of components does without the rest: faithfulness, completeness, minimality, random circuits (METHOD T5).

    f(C) = (m(C) - m(nothing)) / (m(all) - m(nothing))

m(C): every component of the universe outside C takes its value from the corrupted run (or the mean), so C works alone.
The universe is the heads, or heads and MLPs; what lies outside it stays live. Faithfulness above 1 is a defect too.
Wang et al. 2023 (completeness, minimality), Shi et al. 2024 (random circuits), MIB 2025 (CPR, CMD).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tools.component import Component
from tools.errors import ExperimentError
from tools.interventions import Source, Variant, intervene
from tools.prompts import Floats
from tools.runner import Readings, Runner

Circuit = frozenset[Component]


@dataclass
class CircuitRuns:
    """Runs circuits on one set of prompts; remembers what it ran."""

    runner: Runner
    universe: tuple[Component, ...]
    n_layers: int
    source: Source = "corrupted"
    _metric: dict[Circuit, Floats] = field(default_factory=dict)

    def without(self, removed: Circuit) -> Variant:
        """The variant in which exactly these components are ablated."""
        unknown = removed - set(self.universe)
        if unknown:
            raise ExperimentError(f"{sorted(unknown)[0]} is not among the components that this circuit is drawn from.")
        return tuple(intervene(c, self.source, n_layers=self.n_layers) for c in sorted(removed))

    def ablated(self, sets: Sequence[Circuit], text: str) -> Floats:
        """Per-prompt metric with each set ablated, [sets, n]."""
        new = [s for s in dict.fromkeys(sets) if s not in self._metric]
        if new:
            metric = self.runner.run([self.without(s) for s in new], text=text).metric
            self._metric.update(zip(new, metric, strict=True))
        return np.stack([self._metric[s] for s in sets])

    def alone(self, circuits: Sequence[Circuit], text: str) -> Floats:
        """Per-prompt metric of each circuit working alone, [circuits, n]."""
        everything = frozenset(self.universe)
        return self.ablated([everything - circuit for circuit in circuits], text)

    def alone_fully(self, circuit: Circuit) -> Readings:
        """One circuit alone, with KL, P(answer), top-1 and agreement with the full model."""
        return self.runner.run(
            [self.without(frozenset(self.universe) - circuit)], distributions=True, text="the circuit"
        )

    @property
    def full(self) -> Floats:
        """m(all) per prompt."""
        return self.runner.baseline("clean").metric[0]

    @property
    def empty(self) -> Floats:
        """m(nothing) per prompt."""
        return self.alone([frozenset()], "the empty circuit")[0]

    def faithfulness(self, metric: Floats) -> Floats:
        """f of each row's mean, [sets]."""
        span = float(self.full.mean() - self.empty.mean())
        if abs(span) < 1e-6:
            raise ExperimentError("ablating every component changes nothing, so no circuit among them can be faithful.")
        return (np.atleast_2d(metric).mean(1) - self.empty.mean()) / span


def random_like(circuit: Circuit, universe: Sequence[Component], n: int, seed: int, *, profile: bool) -> list[Circuit]:
    """Other random circuits of the same size; with `profile`, the same number of each kind in each layer.

    Different from the circuit and from each other; none when it is the only one of its kind, or when the universe has
    too few components of a kind (a universe without the circuit's own members).
    """
    generator = np.random.default_rng(seed)
    pools: dict[tuple[str, int] | None, list[Component]] = {}
    for component in universe:
        pools.setdefault((component.kind, component.layer) if profile else None, []).append(component)
    counts = Counter((c.kind, c.layer) if profile else None for c in circuit)
    if any(count > len(pools.get(key, ())) for key, count in counts.items()):
        return []
    found: dict[Circuit, None] = {}
    for _ in range(50 * n):
        if len(found) == n:
            break
        chosen: list[Component] = []
        for key, pool in pools.items():
            chosen += [pool[int(i)] for i in generator.permutation(len(pool))[: counts[key]]]
        if frozenset(chosen) != circuit:
            found.setdefault(frozenset(chosen))
    return list(found)


def random_halves(circuit: Circuit, n: int, seed: int) -> list[Circuit]:
    """Up to n different random subsets K of half the circuit (at least one member); fewer when there are no more."""
    generator = np.random.default_rng(seed)
    members = sorted(circuit)
    half = max(1, len(members) // 2)
    found: dict[Circuit, None] = {}
    for _ in range(20 * n):
        if len(found) == n:
            break
        found.setdefault(frozenset(members[int(i)] for i in generator.permutation(len(members))[:half]))
    return list(found)


def incompleteness(runs: CircuitRuns, circuit: Circuit, n: int, seed: int) -> Floats:
    """|f(C without K) - f(all without K)| for random halves K of C: small when C misses nothing, [at most n].

    A circuit of one member has one K, itself.
    """
    halves = random_halves(circuit, n, seed)
    own = runs.faithfulness(runs.alone([circuit - k for k in halves], "parts of the circuit"))
    model = runs.faithfulness(runs.ablated(halves, "the model without those parts"))
    return np.abs(own - model)


@dataclass(frozen=True)
class Part:
    """What a member contributes: `alone` with everything else of the circuit there, `most` over all K that were tried."""

    alone: float
    most: float


def minimality(runs: CircuitRuns, circuit: Circuit, *, n_sets: int = 0, seed: int = 0) -> dict[Component, Part]:
    """|f(C without K) - f(C without K and v)| for each member v: with K empty, and the most over n_sets random halves K.

    A member of a redundant pair contributes nothing while its partner is there; some K takes the partner away.
    """
    members = sorted(circuit)
    found = {v: [value] for v, value in zip(members, _losses(runs, circuit, members), strict=True)}
    for half in random_halves(circuit, n_sets, seed) if len(members) > 1 else []:
        rest = sorted(circuit - half)
        for v, value in zip(rest, _losses(runs, circuit - half, rest), strict=True):
            found[v].append(value)
    return {v: Part(values[0], max(values)) for v, values in found.items()}


def _losses(runs: CircuitRuns, circuit: Circuit, members: Sequence[Component]) -> list[float]:
    whole = runs.faithfulness(runs.alone([circuit], "the circuit"))[0]
    parts = runs.faithfulness(runs.alone([circuit - {v} for v in members], "the circuit without each part"))
    return [float(abs(whole - part)) for part in parts]


def inflation(runs: CircuitRuns, circuit: Circuit, n: int, seed: int) -> Floats:
    """|f(C and w) - f(C)| for n random outsiders w: what a superfluous member would contribute (Shi et al.)."""
    outside = sorted(frozenset(runs.universe) - circuit)
    order = np.random.default_rng(seed).permutation(len(outside))[:n]
    if not len(order):
        return np.zeros(0)
    whole = runs.faithfulness(runs.alone([circuit], "the circuit"))[0]
    bigger = [circuit | {outside[int(i)]} for i in order]
    return np.abs(runs.faithfulness(runs.alone(bigger, "inflated circuits")) - whole)


def sizes_for_curve(n_components: int) -> list[int]:
    """Circuit sizes at the shares of MIB: 0, .1, .2, .5, 1, 2, 5, 10, 20, 50 and 100 percent."""
    shares = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
    return sorted({0, *(max(1, round(share * n_components)) for share in shares)})


def area(shares: Sequence[float], values: Sequence[float]) -> float:
    """Trapezoid area under values over shares of components kept."""
    return float(np.trapezoid(np.asarray(values, np.float64), np.asarray(shares, np.float64)))
