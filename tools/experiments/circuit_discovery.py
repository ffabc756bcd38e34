"""Finds a candidate circuit: gradient nomination, exact ranking, smallest faithful prefix, pruning, held-out numbers.

Reports: label `circuit` (the candidate's members, largest |harm| first); table `members` (component, harm, contribution)
and `curve` (size, share, faithfulness, deviation); estimates `faithfulness`, `deviation`, `agreement` on prompts that
were not used to find it, `size`, `cpr`, `cmd`; arrays `curve_faithfulness`, `curve_size`, `harm` [nominees]; control
`candidate` says whether it meets METHOD T5's C1 and C2 on the held-out prompts. Every result has `gap`, `accuracy`.
"""

import numpy as np
from pydantic import Field

from tools.circuits import Circuit, CircuitRuns, area, minimality, sizes_for_curve
from tools.component import Component
from tools.costs import Cost, Sizes, backward, whole
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.experiments.circuit_evaluation import Universe, universe_of
from tools.gradients import node_scores
from tools.interventions import intervene
from tools.measurement import Measurement, draw, measure, runner_for
from tools.prompts import Floats, Prompts
from tools.result import Control, Estimate, Result
from tools.statistics import LEVEL, bootstrap, ratio_interval

FAITHFUL = (0.80, 1.20)
DEVIATION = 0.35
AGREEMENT = 0.60


class CircuitDiscovery(TaskParams):
    """What the circuit is chosen from and how far it is pruned."""

    universe: Universe | None = Field(
        default=None, description="heads (MLPs stay live) or heads+mlps; heads when absent"
    )
    nominate: int = Field(default=60, ge=4, le=400, description="components that the gradient screen passes on")
    contribution: float = Field(default=0.01, ge=0, description="members that contribute less are pruned")
    ig_steps: int = Field(default=5, ge=1, le=32, description="points on the path of integrated gradients")


def _cost(params: CircuitDiscovery, model: Sizes) -> Cost:
    """Nominees, about 25 sizes of circuit, and as many parts again as half of the nominees."""
    nominees = min(params.nominate, model.n_layers * (model.n_heads + 1))
    return whole(params.n * (8 + nominees + 25 + nominees // 2)) + backward(params.n * (1 + params.ig_steps))


@experiment("circuit-discovery", version=1, kind="nominator", cost=_cost)
def circuit_discovery(lab: Lab, params: CircuitDiscovery) -> Result:
    """Searches for a small set of components that does the task alone, and says how it does on fresh prompts.

    Gradients (AtP and integrated gradients) nominate; every nominee's exact resample harm ranks them, helpful and
    harmful alike (leaving out what holds the behaviour back gives circuits that overshoot); the smallest prefix that is
    faithful on average and per prompt is taken, then members that contribute nothing are dropped. The result is a
    candidate to be tested with circuit-evaluation on confirm prompts, not evidence: other circuits may do as well.
    """
    m = measure(lab, params)
    universe = universe_of(lab, params.universe, frozenset())
    ranked, harm = _rank(m, params, universe)
    runs = CircuitRuns(m.runner, universe, lab.model.n_layers)
    chosen, curve = _smallest(m, runs, ranked)
    parts = {c: part.alone for c, part in minimality(runs, chosen).items()} if chosen else {}
    pruned = _prune(m, runs, chosen, parts, params.contribution)
    held = _held_out(m, params)
    estimates, control = _score(m, held, pruned, universe)
    shares = [row["share"] for row in curve]
    f = [row["faithfulness"] for row in curve]
    estimates += [
        Estimate(name="size", value=len(pruned), unit="components"),
        Estimate(name="cpr", value=area(shares, f)),
        Estimate(name="cmd", value=area(shares, [abs(1 - one) for one in f])),
    ]
    order = [c for c in ranked if c in pruned]
    rows = [
        {"component": str(c), "harm": round(float(harm[c]), 5), "contribution": round(parts.get(c, 0.0), 5)}
        for c in order
    ]
    return m.result(
        "circuit-discovery",
        1,
        f"candidate circuit of {len(pruned)} of {len(universe)} components: faithfulness "
        f"{estimates[0].value:.2f} on prompts not used to find it.",
        m.behaviour_estimates() + estimates,
        controls=[control],
        tables={"members": rows, "curve": curve},
        labels={"circuit": [str(c) for c in order], "nominated": [str(c) for c in ranked]},
        arrays={
            "curve_faithfulness": np.array(f),
            "curve_size": np.array([row["size"] for row in curve]),
            "harm": np.array([harm[c] for c in ranked]),
        },
    )


def _rank(
    m: Measurement, params: CircuitDiscovery, universe: tuple[Component, ...]
) -> tuple[list[Component], dict[Component, float]]:
    """The universe, exact |harm| of the nominees first, then the rest by gradient."""
    atp, ig = node_scores(m.engine, ig_steps=params.ig_steps)

    def score(c: Component, of: Floats, mlps: Floats) -> float:
        return abs(float(mlps[c.layer] if c.kind == "mlp" else of[c.layer, c.index or 0])) / abs(m.gap)

    a = {c: score(c, atp.heads.mean(-1), atp.mlps.mean(-1)) for c in universe}
    b = {c: score(c, ig.heads.mean(-1), ig.mlps.mean(-1)) for c in universe}
    half = max(1, params.nominate // 2)
    first, second = (sorted(universe, key=lambda c, s=s: -s[c])[:half] for s in (a, b))
    more = sorted(set(universe) - set(first) - set(second), key=lambda c: -max(a[c], b[c]))
    nominees = [*dict.fromkeys([*first, *second])]
    nominees += more[: params.nominate - len(nominees)]
    variants = [(intervene(c, "corrupted", n_layers=m.lab.model.n_layers),) for c in nominees]
    exact = m.harm(m.runner.run(variants, text=f"{len(nominees)} nominees").metric).mean(1)
    harm = dict.fromkeys(universe, 0.0) | dict(zip(nominees, map(float, exact), strict=True))
    rest = sorted(set(universe) - set(nominees), key=lambda c: -max(a[c], b[c]))
    return sorted(nominees, key=lambda c: -abs(harm[c])) + rest, harm


def _smallest(m: Measurement, runs: CircuitRuns, ranked: list[Component]) -> tuple[Circuit, list[dict[str, float]]]:
    """The smallest prefix of the ranking that is faithful on average and per prompt, and the whole curve."""
    n = len(ranked)
    extra = {max(1, round(n * share)) for share in (0.03, 0.07, 0.13, 0.17, 0.25, 0.33)}
    sizes = sorted({*sizes_for_curve(n), *extra, *(k for k in range(1, 9) if k <= n)})
    metric = runs.alone([frozenset(ranked[:k]) for k in sizes], "circuits of growing size")
    f = runs.faithfulness(metric)
    deviation = np.abs(metric - runs.full).mean(1) / abs(m.gap)
    curve = [
        {"size": k, "share": k / n, "faithfulness": float(one), "deviation": float(d)}
        for k, one, d in zip(sizes, f, deviation, strict=True)
    ]
    for k, one, d in zip(sizes, f, deviation, strict=True):
        if FAITHFUL[0] <= one <= FAITHFUL[1] and d <= DEVIATION:
            return frozenset(ranked[:k]), curve
    raise ExperimentError("no set of components is faithful here, not even all of them; check the task's gap.")


def _prune(m: Measurement, runs: CircuitRuns, circuit: Circuit, parts: dict[Component, float], least: float) -> Circuit:
    """Drop members that contribute less than `least`, all at once if that is fine, else one by one."""
    idle = sorted((c for c in circuit if parts[c] < least), key=lambda c: parts[c])
    if idle and _good(m, runs, circuit - set(idle)):
        return circuit - set(idle)
    for component in idle:
        smaller = circuit - {component}
        if smaller and _good(m, runs, smaller):
            circuit = smaller
    return circuit


def _good(m: Measurement, runs: CircuitRuns, circuit: Circuit) -> bool:
    if not circuit:
        return False
    metric = runs.alone([circuit], "a pruned circuit")
    f = float(runs.faithfulness(metric)[0])
    return FAITHFUL[0] <= f <= FAITHFUL[1] and float(np.abs(metric - runs.full).mean() / abs(m.gap)) <= DEVIATION


def _held_out(m: Measurement, params: CircuitDiscovery) -> Prompts:
    """Prompts of the same split that were not used, as many as there are up to n."""
    used = set(m.prompts.row_hashes)
    fresh = draw(m.lab, m.task, params, n=2 * params.n, seed=params.seed + 1_000_003)
    rows = [i for i, row in enumerate(fresh.row_hashes) if row not in used][: params.n]
    if len(rows) < 2:
        raise ExperimentError(f"task {params.task!r} has no fresh prompts left to hold out; use a smaller n.")
    return fresh.subset(rows)


def _score(
    m: Measurement, held: Prompts, circuit: Circuit, universe: tuple[Component, ...]
) -> tuple[list[Estimate], Control]:
    """Faithfulness, deviation and agreement on the held-out prompts."""
    runner = runner_for(m.lab, held)
    runs = CircuitRuns(runner, universe, m.lab.model.n_layers)
    read = runs.alone_fully(circuit)
    assert read.agree is not None
    full, empty, alone, names = runs.full, runs.empty, read.metric[0], held.template
    value, low, high = ratio_interval(alone - empty, full - empty, names)
    found = [
        Estimate(
            name="faithfulness", value=value, low=low, high=high, level=LEVEL, n=len(held), unit="share of behaviour"
        )
    ]
    for name, values in (("deviation", np.abs(alone - full) / abs(runner.gap)), ("agreement", read.agree[0])):
        mean, lower, upper = (float(one[0]) for one in bootstrap(values, names))
        found.append(Estimate(name=name, value=mean, low=lower, high=upper, level=LEVEL, n=len(held)))
    good = FAITHFUL[0] <= value <= FAITHFUL[1] and found[1].value <= DEVIATION and found[2].value >= AGREEMENT
    m.runner.forward_passes += runner.forward_passes
    expected = f"{FAITHFUL[0]} <= f <= {FAITHFUL[1]}, deviation <= {DEVIATION}, agreement >= {AGREEMENT}"
    return found, Control(name="candidate", passed=good, observed=value, expected=expected)
