"""Is a set of components a faithful, complete, minimal circuit (METHOD T5)?

Reports: estimates `faithfulness`, `faithfulness_mean` (mean ablation), `complement` (the rest without the circuit),
`deviation` (mean |m(C) - m(all)| per prompt over the gap), `agreement` (top-1 with the full model), `kl`, `incompleteness`,
`random_beaten` (share of layer-matched random circuits with larger |1 - f|), `random_beaten_any`, `smallest_part`
(the member that contributes least: most over the sets K that were tried) and the p values `p_random`, `p_equivalence`;
arrays `random_faithfulness`, `random_faithfulness_any`, `incompleteness` [subsets], `circuit_metric`, `full_metric`,
`empty_metric` [n]; table `members` (component, contribution, alone, p_minimal); labels `components`, and `not_measured`:
what was asked for and could not be measured, with the reason. Every result has `gap`, `accuracy`.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from pydantic import Field

from tools.circuit_tests import beats_random_p, equivalence_p, minimality_p
from tools.circuits import Circuit, CircuitRuns, incompleteness, inflation, minimality, random_like
from tools.component import Component
from tools.costs import Cost, Sizes, whole
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import Measurement, measure, runner_for
from tools.result import Control, Estimate, Result
from tools.selection import every_head, every_mlp, read_components
from tools.statistics import LEVEL, ratio_interval

Universe = Literal["heads", "heads+mlps"]
INFLATED = 39


class CircuitEvaluation(TaskParams):
    """The circuit, the components it is chosen from, and how hard it is tried."""

    components: list[str] = Field(min_length=1, description="the circuit's members: heads (a5.h1) and MLPs (m3)")
    universe: Universe | None = Field(
        default=None,
        description="what is ablated around the circuit: heads (MLPs stay live) or heads+mlps; heads unless the circuit "
        "names an MLP",
    )
    mean: bool = Field(default=True, description="measure faithfulness under mean ablation too")
    n_random: int = Field(default=99, ge=0, le=499, description="random circuits with the same layer profile")
    n_random_any: int = Field(default=30, ge=0, le=499, description="random circuits of the same size anywhere")
    random_prompts: int = Field(default=28, ge=2, le=256, description="prompts the random circuits are run on")
    n_subsets: int = Field(default=20, ge=0, le=200, description="random halves for completeness")
    minimal: bool = Field(default=True, description="also what each member contributes")
    minimal_sets: int = Field(
        default=4, ge=0, le=64, description="random halves K that are taken away when members are tried, beside none"
    )
    mean_prompts: int = Field(default=100, ge=8, le=1024, description="corrupted prompts per template for the mean")


@dataclass
class Found:
    """What has been measured so far, and what could not be."""

    estimates: list[Estimate] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    controls: list[Control] = field(default_factory=list)
    members: list[dict[str, Any]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def _cost(params: CircuitEvaluation, model: Sizes) -> Cost:
    members = len(params.components)
    parts = (members + params.minimal_sets * (1 + members // 2) + INFLATED) if params.minimal else 0
    rivals = (params.n_random + params.n_random_any) * min(params.random_prompts, params.n)
    means = params.mean_prompts * 8 if params.mean else 0
    return whole(params.n * (6 + 2 * params.n_subsets + parts) + rivals + means)


@experiment("circuit-evaluation", version=2, kind="causal", cost=_cost)
def circuit_evaluation(lab: Lab, params: CircuitEvaluation) -> Result:
    """Whether a set of heads and MLPs does the task on its own, and whether anything in it or outside it is missing.

    Everything outside the circuit takes its value from the corrupted prompt (and, as a second opinion, the mean).
    Faithfulness is the share of the behaviour that remains: 1 is perfect, above 1 is a defect (the circuit left out what
    holds it back). Mean faithfulness alone deceives, so the deviation per prompt, agreement with the model's top token,
    random circuits with the same layer profile, the complement, completeness over random halves and each member's
    contribution, also with others taken away, are reported beside it.
    """
    m = measure(lab, params, mean_prompts=params.mean_prompts if params.mean else None)
    circuit = frozenset(read_components(params.components, lab.model))
    universe = universe_of(lab, params.universe, circuit)
    runs = CircuitRuns(m.runner, universe, lab.model.n_layers)
    found = Found()
    _faithful(m, runs, circuit, found)
    if params.mean:
        mean = CircuitRuns(m.runner, universe, lab.model.n_layers, "mean")
        found.estimates.append(faithfulness_of(m, "faithfulness_mean", mean, circuit))
    if params.n_subsets:
        gaps = incompleteness(runs, circuit, params.n_subsets, params.seed)
        found.arrays["incompleteness"] = gaps
        found.estimates.append(Estimate(name="incompleteness", value=float(gaps.mean()), n=len(gaps)))
    _random(m, params, runs, circuit, found)
    if params.minimal:
        _members(runs, circuit, params, found)
    f = found.estimates[0]
    whole = " (the whole universe: nothing was ablated)" if circuit == frozenset(universe) else ""
    return m.result(
        "circuit-evaluation",
        2,
        f"the circuit of {len(circuit)} out of {len(universe)} components{whole} has faithfulness {f.value:.2f} "
        f"[{f.low:.2f}, {f.high:.2f}] under resample ablation.",
        m.behaviour_estimates() + found.estimates,
        controls=found.controls,
        tables={"members": found.members},
        labels={"components": [str(c) for c in sorted(circuit)], "not_measured": found.missing},
        arrays=found.arrays,
    )


def universe_of(lab: Lab, universe: Universe | None, circuit: Circuit) -> tuple[Component, ...]:
    """The components that the circuit is chosen from. Raises ExperimentError when it names one outside."""
    wanted = universe or ("heads+mlps" if any(c.kind == "mlp" for c in circuit) else "heads")
    found = every_head(lab.model) + (every_mlp(lab.model) if wanted == "heads+mlps" else [])
    outside = sorted(circuit - set(found))
    if outside:
        raise ExperimentError(f"{outside[0]} is not one of the {wanted} of {lab.model.name}; choose another universe.")
    return tuple(found)


def faithfulness_of(m: Measurement, name: str, runs: CircuitRuns, circuit: Circuit) -> Estimate:
    """f(C) with its interval over prompts."""
    alone = runs.alone([circuit], name)[0]
    value, low, high = ratio_interval(alone - runs.empty, runs.full - runs.empty, m.prompts.template)
    return Estimate(name=name, value=value, low=low, high=high, level=LEVEL, n=len(alone), unit="share of behaviour")


def _faithful(m: Measurement, runs: CircuitRuns, circuit: Circuit, found: Found) -> None:
    read = runs.alone_fully(circuit)
    assert read.kl is not None and read.agree is not None
    alone, full, empty = runs.alone([circuit], "the circuit")[0], runs.full, runs.empty
    rest = runs.ablated([circuit], "the rest without the circuit")[0]
    value, low, high = ratio_interval(rest - empty, full - empty, m.prompts.template)
    found.estimates += [
        faithfulness_of(m, "faithfulness", runs, circuit),
        Estimate(
            name="complement", value=value, low=low, high=high, level=LEVEL, n=len(rest), unit="share of behaviour"
        ),
        m.estimate("deviation", np.abs(alone - full) / abs(m.gap)),
        m.estimate("agreement", read.agree[0], "share of prompts"),
        m.estimate("kl", read.kl[0], "nats"),
        Estimate(name="p_equivalence", value=equivalence_p(alone, full), n=len(alone), unit="probability"),
    ]
    found.arrays |= {"circuit_metric": alone, "full_metric": full, "empty_metric": empty}


def _random(m: Measurement, params: CircuitEvaluation, runs: CircuitRuns, circuit: Circuit, found: Found) -> None:
    """The circuit among random ones, on the first `random_prompts` prompts."""
    if not params.n_random and not params.n_random_any:
        return
    small = few_prompts(m, runs, params.random_prompts)
    own = float(small.faithfulness(small.alone([circuit], "the circuit"))[0])
    plans = (("", params.n_random, True, "layer profile"), ("_any", params.n_random_any, False, "size"))
    for suffix, count, profile, what in plans:
        if not count:
            continue
        name = f"random circuits, same {what}"
        others = random_like(circuit, runs.universe, count, params.seed, profile=profile)
        if not others:
            reason = f"the circuit is the only one of its {what} among {len(runs.universe)} components"
            names = [f"random_beaten{suffix}"] + (["p_random"] if profile else [])
            found.missing += [f"{one}: {reason}" for one in names]
            found.controls.append(Control(name=name, expected=f"not measured: {reason}"))
            continue
        f = small.faithfulness(small.alone(others, f"{len(others)} random circuits"))
        beaten = float((np.abs(1 - f) > abs(1 - own)).mean())
        array = f"random_faithfulness{suffix}"
        found.arrays[array] = f
        n = len(others)
        found.estimates.append(Estimate(name=f"random_beaten{suffix}", value=beaten, n=n, unit="share of circuits"))
        if profile:
            p = beats_random_p(-abs(1 - own), -np.abs(1 - f))
            found.estimates.append(Estimate(name="p_random", value=p, n=n, unit="probability"))
        expected = f"share beaten of {n}" + (f" (there are no more; {count} were asked for)" if n < count else "")
        found.controls.append(Control(name=name, observed=beaten, expected=expected, array=array))
    m.runner.forward_passes += small.runner.forward_passes


def few_prompts(m: Measurement, runs: CircuitRuns, n: int) -> CircuitRuns:
    """The same circuits on the first n prompts: random circuits differ by more than prompts do (METHOD T5)."""
    few = m.prompts.subset(list(range(min(n, len(m.prompts)))))
    return CircuitRuns(runner_for(m.lab, few), runs.universe, runs.n_layers)


def _members(runs: CircuitRuns, circuit: Circuit, params: CircuitEvaluation, found: Found) -> None:
    parts = minimality(runs, circuit, n_sets=params.minimal_sets, seed=params.seed)
    inflated = inflation(runs, circuit, INFLATED, params.seed)
    p: dict[Component, float] = {}
    if len(inflated):
        p = minimality_p({c: part.alone for c, part in parts.items()}, inflated)
    else:
        found.missing.append("p_minimal: no component is left outside the circuit to compare its members with")
    found.members = [
        {
            "component": str(c),
            "contribution": round(parts[c].most, 5),
            "alone": round(parts[c].alone, 5),
            "p_minimal": round(p[c], 4) if p else None,
        }
        for c in sorted(parts, key=lambda c: -parts[c].most)
    ]
    smallest = min(part.most for part in parts.values())
    found.estimates.append(Estimate(name="smallest_part", value=smallest, n=len(parts), unit="share of behaviour"))
