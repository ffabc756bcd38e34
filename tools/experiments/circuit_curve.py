"""How good a ranking of components is: faithfulness of its first k, with CPR and CMD (MIB 2025; METHOD T5).

Reports: estimates `cpr` and `cmd` with intervals, `rank_p` (of the CMD among random rankings, smaller being better),
`gap`, `accuracy`; arrays `curve_size`, `curve_share`, `curve_faithfulness`, `curve_low`, `curve_high`,
`curve_deviation` (mean |m(C_k) - m(all)| over the gap) [sizes], `random_cpr`, `random_cmd` [J], `random_faithfulness`
[J, sizes]; table `curve`; label `ranking` (components, first to last); control `random rankings`.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from tools.circuit_curve import Curve, curve
from tools.circuits import CircuitRuns, area, sizes_for_curve
from tools.component import Component
from tools.costs import Cost, Sizes, backward, everything, patched, whole
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.experiments.circuit_evaluation import Universe, few_prompts, universe_of
from tools.gradients import node_scores
from tools.interventions import intervene
from tools.measurement import Measurement, measure, runner_for
from tools.prompts import Floats
from tools.result import Control, Estimate, Result
from tools.selection import read_components
from tools.statistics import LEVEL, rank_p
from tools.training_prompts import training_prompts

EVERY_SIZE = 24  # universes this small are run at every size, larger ones at the shares of MIB


class CircuitCurve(TaskParams):
    """What is ranked, by what, on how many other prompts."""

    ranking: Literal["atp", "ig", "harm"] = Field(
        default="ig", description="atp, ig: by gradient; harm: by exact resample harm (slow); by absolute size"
    )
    signed: bool = Field(default=False, description="rank by the score itself, helpful components first")
    components: list[str] | None = Field(
        default=None, description="a ranking of your own, most important first; the rest follows in random order"
    )
    universe: Universe = Field(default="heads", description="what is ranked: heads (MLPs stay live) or heads+mlps")
    n_rank: int = Field(default=32, ge=4, le=1024, description="explore prompts to rank on; none is tested on")
    n_random: int = Field(default=19, ge=0, le=499, description="random rankings for the control")
    random_prompts: int = Field(default=28, ge=2, le=256, description="prompts the random rankings are run on")


def _cost(params: CircuitCurve, model: Sizes) -> Cost:
    universe = everything(model, mlps=params.universe == "heads+mlps")
    sizes = len(universe) + 1 if len(universe) <= EVERY_SIZE else len(sizes_for_curve(len(universe)))
    runs = whole(sizes * (params.n + params.n_random * min(params.random_prompts, params.n)) + 3 * params.n)
    if params.components is not None:
        return runs
    if params.ranking == "harm":
        return runs + patched(universe, params.n_rank, model)
    return runs + backward(params.n_rank * (6 if params.ranking == "ig" else 1))


@experiment("circuit-curve", version=1, kind="causal", cost=_cost)
def circuit_curve(lab: Lab, params: CircuitCurve) -> Result:
    """Faithfulness of the first k components of a ranking, from none to all, and the areas CPR and CMD under the curve.

    Ranked on explore prompts, tested on others: everything outside the first k takes its value from the corrupted prompt.
    CPR is the area under f, CMD the area between f and 1; f above 1 raises CPR and is a defect, so trust CMD. Random
    rankings say what any order gets. A curve judges a ranking, not a circuit: circuit-evaluation tests one set.
    """
    m = measure(lab, params)
    universe = universe_of(lab, params.universe, frozenset())
    order = _ranking(m, params, universe)
    sizes = list(range(len(order) + 1)) if len(order) <= EVERY_SIZE else sizes_for_curve(len(order))
    shares = [size / len(order) for size in sizes]
    runs = CircuitRuns(m.runner, universe, lab.model.n_layers)
    metric = runs.alone([frozenset(order[:k]) for k in sizes], "circuits of growing size")
    found = curve(shares, metric, runs.full, runs.empty, m.prompts.template)
    deviation = np.abs(metric - runs.full).mean(1) / abs(m.gap)
    estimates = [
        *m.behaviour_estimates(),
        *(
            Estimate(name=name, value=v, low=low, high=high, level=LEVEL, n=len(m.prompts), unit="area")
            for name, (v, low, high) in (("cpr", found.cpr), ("cmd", found.cmd))
        ),
    ]
    arrays = _arrays(sizes, shares, found, deviation)
    controls: list[Control] = []
    if params.n_random:
        few = few_prompts(m, runs, params.random_prompts)
        random = _random(few, universe, sizes, params)
        m.runner.forward_passes += few.runner.forward_passes
        arrays["random_faithfulness"] = random
        arrays["random_cpr"] = np.array([area(shares, row) for row in random])
        arrays["random_cmd"] = np.array([area(shares, np.abs(1 - row)) for row in random])
        p = rank_p(-found.cmd.value, -arrays["random_cmd"])
        estimates.append(Estimate(name="rank_p", value=p, n=params.n_random, unit="probability"))
        controls.append(Control(name="random rankings", observed=p, expected="rank p of the CMD", array="random_cmd"))
    table = [
        {"size": k, "share": round(s, 4), "faithfulness": round(float(f), 4), "deviation": round(float(d), 4)}
        for k, s, f, d in zip(sizes, shares, found.f, deviation, strict=True)
    ]
    by = "the given order" if params.components else params.ranking
    return m.result(
        "circuit-curve",
        1,
        f"components ranked by {by}: CPR {found.cpr.value:.3f}, CMD {found.cmd.value:.3f} over {len(order)} components.",
        estimates,
        controls=controls,
        tables={"curve": table},
        labels={"ranking": [str(c) for c in order]},
        arrays=arrays,
    )


def _arrays(sizes: list[int], shares: list[float], found: Curve, deviation: Floats) -> dict[str, np.ndarray]:
    return {
        "curve_size": np.array(sizes),
        "curve_share": np.array(shares),
        "curve_faithfulness": found.f,
        "curve_low": found.low,
        "curve_high": found.high,
        "curve_deviation": deviation,
    }


def _ranking(m: Measurement, params: CircuitCurve, universe: tuple[Component, ...]) -> list[Component]:
    """The universe in order. Raises ExperimentError for a given component outside it."""
    if params.components is not None:
        given = read_components(params.components, m.lab.model)
        outside = [c for c in given if c not in universe]
        if outside:
            raise ExperimentError(f"{outside[0]} is not one of the {params.universe}; choose another universe.")
        rest = [c for c in universe if c not in given]
        order = np.random.default_rng(params.seed).permutation(len(rest))
        return given + [rest[int(i)] for i in order]
    scores = _scores(m, params, universe)
    return [universe[int(i)] for i in np.argsort(-(scores if params.signed else np.abs(scores)), kind="stable")]


def _scores(m: Measurement, params: CircuitCurve, universe: tuple[Component, ...]) -> Floats:
    """One score each, from prompts that are not tested on; positive where the component helps."""
    runner = runner_for(m.lab, training_prompts(m, params, params.n_rank))
    try:
        if params.ranking == "harm":
            variants = [(intervene(c, "corrupted", n_layers=m.lab.model.n_layers),) for c in universe]
            metric = runner.run(variants, text=f"ranking {len(universe)} components").metric
            return (runner.baseline("clean").metric - metric).mean(1) / runner.gap
        if not isinstance(runner, Engine):
            raise ExperimentError(f"gradients are not read from {m.lab.model.name}; rank by harm.")
        atp, ig = node_scores(runner, ig_steps=5 if params.ranking == "ig" else 0)
        scores = ig if params.ranking == "ig" else atp
        heads, mlps = scores.heads.mean(-1) / runner.gap, scores.mlps.mean(-1) / runner.gap
        return np.array([mlps[c.layer] if c.kind == "mlp" else heads[c.layer, c.index or 0] for c in universe])
    finally:
        m.runner.forward_passes += runner.forward_passes


def _random(runs: CircuitRuns, universe: tuple[Component, ...], sizes: list[int], params: CircuitCurve) -> Floats:
    """f of random rankings at the same sizes [J, sizes]."""
    generator = np.random.default_rng(params.seed + 1)
    orders = [[universe[int(i)] for i in generator.permutation(len(universe))] for _ in range(params.n_random)]
    circuits = [frozenset(order[:k]) for order in orders for k in sizes]
    f = runs.faithfulness(runs.alone(circuits, f"{params.n_random} random rankings"))
    return f.reshape(params.n_random, len(sizes))
