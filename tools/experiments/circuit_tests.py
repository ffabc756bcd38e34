"""The five hypothesis tests of Shi et al. 2024 on a circuit, each with the claim as its alternative, corrected together.

Reports: table `tests` (test, claim, statistic, p, p_corrected, holds, n); estimates `p_sufficient`, `p_necessary`,
`p_equivalent`, `p_independent`, `p_minimal` (the worst member's), each corrected as `<name>_corrected` (Holm over the
tests made), `wins` (share of prompts on which the circuit scores above the model), `dependence` (of what is left
without the circuit on the model, 0 to 1), `p_dependent` (the paper's permutation test: evidence against the circuit),
`prompts_needed` (for the equivalence test at this epsilon); arrays `random_deviation`, `random_removed` [J],
`inflated` [outsiders]; table `members`; label `not_measured`. Every result has `gap`, `accuracy`.
"""

from typing import Any

import numpy as np
from pydantic import Field
from scipy import stats

from tools.circuit_tests import (
    beats_random_p,
    dependence_p,
    equivalence_p,
    holm,
    independence_p,
    minimality_p,
)
from tools.circuits import Circuit, CircuitRuns, inflation, minimality, random_like
from tools.costs import Cost, Sizes, whole
from tools.experiment import Lab, TaskParams, experiment
from tools.experiments.circuit_evaluation import Found, Universe, few_prompts, universe_of
from tools.measurement import Measurement, measure
from tools.result import Estimate, Result
from tools.selection import read_components

MOST_FOR_KERNELS = 256
CLAIMS = {
    "sufficient": "beats a `quantile` share of random circuits of its size",
    "necessary": "taking it away changes more than taking away a `quantile` share of random sets outside it",
    "equivalent": "scores above the model on about half of the prompts (within epsilon)",
    "independent": "what is left without it depends on the model by less than the bound",
    "minimal": "every member contributes more than a superfluous one",
}


class CircuitTests(TaskParams):
    """The circuit, its rivals, and the tests' constants (the paper's, where it has one)."""

    n: int = Field(default=64, ge=8, le=4096, description="number of clean/corrupted prompt pairs")
    components: list[str] = Field(min_length=1, description="the circuit's members: heads (a5.h1) and MLPs (m3)")
    universe: Universe | None = Field(
        default=None, description="what is ablated around the circuit; heads unless the circuit names an MLP"
    )
    n_random: int = Field(default=100, ge=10, le=999, description="random circuits of the same size")
    profile: bool = Field(default=False, description="random circuits with the same layer profile, a harder test")
    random_prompts: int = Field(default=28, ge=2, le=256, description="prompts the random circuits are run on")
    quantile: float = Field(default=0.9, gt=0, lt=1, description="share of random circuits that must be beaten")
    epsilon: float = Field(default=0.1, gt=0, lt=0.5, description="how far from half the share of wins may lie")
    bound: float = Field(default=0.1, gt=0, lt=1, description="dependence below this counts as none")
    permutations: int = Field(default=1000, ge=99, le=10_000, description="permutations of the dependence test")
    n_inflated: int = Field(default=100, ge=10, le=999, description="outsiders tried as superfluous members, at most")
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="level of the corrected tests")


def _cost(params: CircuitTests, model: Sizes) -> Cost:
    rivals = 2 * params.n_random * min(params.random_prompts, params.n)
    outside = min(params.n_inflated, model.n_layers * (model.n_heads + 1))
    return whole(params.n * (5 + len(params.components) + outside) + rivals)


@experiment("circuit-tests", version=1, kind="causal", cost=_cost)
def circuit_tests(lab: Lab, params: CircuitTests) -> Result:
    """Five tests of a circuit against size-matched rivals: sufficient, necessary, equivalent, independent, minimal.

    After Shi et al. (2024), turned round where the paper takes the claim for the null: a test that finds nothing is never
    support here, so small samples fail. Minimality is corrected over the members and the five tests over each other,
    which the released code leaves out. An equivalence test needs hundreds of prompts; `prompts_needed` says how many.
    """
    m = measure(lab, params)
    circuit = frozenset(read_components(params.components, lab.model))
    universe = universe_of(lab, params.universe, circuit)
    runs, found = CircuitRuns(m.runner, universe, lab.model.n_layers), Found()
    p: dict[str, tuple[float, float, int]] = {}
    p |= _against_random(m, params, runs, circuit, found)
    p |= _against_the_model(m, params, runs, circuit, found)
    p |= _members(params, runs, circuit, found)
    corrected = dict(zip(p, holm([one[1] for one in p.values()]), strict=True))
    for name, (_, value, n) in p.items():
        found.estimates.append(Estimate(name=f"p_{name}", value=value, n=n, unit="probability"))
        found.estimates.append(Estimate(name=f"p_{name}_corrected", value=corrected[name], n=n, unit="probability"))
    rows: list[dict[str, Any]] = [
        {
            "test": name,
            "claim": CLAIMS[name],
            "statistic": round(statistic, 5),
            "p": round(value, 5),
            "p_corrected": round(corrected[name], 5),
            "holds": corrected[name] <= params.alpha,
            "n": n,
        }
        for name, (statistic, value, n) in p.items()
    ]
    holds = [row["test"] for row in rows if row["holds"]]
    return m.result(
        "circuit-tests",
        1,
        f"of {len(rows)} tests of the circuit of {len(circuit)} components, {len(holds)} hold after correction at "
        f"{params.alpha:g}: {', '.join(holds) or 'none'}.",
        m.behaviour_estimates() + found.estimates,
        tables={"tests": rows, "members": found.members},
        labels={"components": [str(c) for c in sorted(circuit)], "not_measured": found.missing},
        arrays=found.arrays,
    )


Tests = dict[str, tuple[float, float, int]]


def _against_random(m: Measurement, params: CircuitTests, runs: CircuitRuns, circuit: Circuit, found: Found) -> Tests:
    """Sufficient and necessary: the circuit and its complement among random ones, on the first prompts."""
    small = few_prompts(m, runs, params.random_prompts)
    tests: Tests = {}
    others = random_like(circuit, runs.universe, params.n_random, params.seed, profile=params.profile)
    if others:
        alone = np.abs(1 - small.faithfulness(small.alone([circuit, *others], f"{len(others)} random circuits")))
        found.arrays["random_deviation"] = alone[1:]
        own = float(alone[0])
        tests["sufficient"] = (own, beats_random_p(-own, -alone[1:], params.quantile), len(others))
    else:
        found.missing.append(
            f"p_sufficient: the circuit is the only one of its kind of {len(runs.universe)} components"
        )
    outside = [c for c in runs.universe if c not in circuit]
    rivals = random_like(circuit, outside, params.n_random, params.seed, profile=params.profile)
    if rivals:
        taken = np.abs(1 - small.faithfulness(small.ablated([circuit, *rivals], f"{len(rivals)} random sets removed")))
        found.arrays["random_removed"] = taken[1:]
        own = float(taken[0])
        tests["necessary"] = (own, beats_random_p(own, taken[1:], params.quantile), len(rivals))
    else:
        found.missing.append(f"p_necessary: no other set of its size can be drawn from the {len(outside)} left outside")
    m.runner.forward_passes += small.runner.forward_passes
    return tests


def _against_the_model(
    m: Measurement, params: CircuitTests, runs: CircuitRuns, circuit: Circuit, found: Found
) -> Tests:
    """Equivalent and independent: the circuit's and its complement's score beside the model's, prompt by prompt."""
    alone = runs.alone([circuit], "the circuit")[0]
    rest = runs.ablated([circuit], "the rest without the circuit")[0]
    wins = (alone > runs.full) + 0.5 * (alone == runs.full)
    few = slice(0, MOST_FOR_KERNELS)
    dependence, p_dependent = dependence_p(
        runs.full[few], rest[few], permutations=params.permutations, seed=params.seed
    )
    n = len(rest[few])
    found.estimates += [
        m.estimate("wins", wins.astype(np.float64), "share of prompts"),
        Estimate(name="dependence", value=dependence, n=n),
        Estimate(name="p_dependent", value=p_dependent, n=n, unit="probability"),
        Estimate(name="prompts_needed", value=_needed(params), unit="prompts"),
    ]
    return {
        "equivalent": (float(wins.mean()), equivalence_p(alone, runs.full, params.epsilon), len(alone)),
        "independent": (dependence, independence_p(runs.full[few], rest[few], params.bound), n),
    }


def _needed(params: CircuitTests) -> float:
    """Prompts for which a circuit that wins half of them passes the equivalence test with probability 0.8."""
    reach = float(stats.norm.ppf(1 - params.alpha) + stats.norm.ppf(0.9))
    return float(np.ceil((0.5 * reach / params.epsilon) ** 2))


def _members(params: CircuitTests, runs: CircuitRuns, circuit: Circuit, found: Found) -> Tests:
    """Minimal: the member that stands out least from superfluous ones."""
    inflated = inflation(runs, circuit, params.n_inflated, params.seed)
    if not len(inflated):
        found.missing.append("p_minimal: no component is left outside the circuit to compare its members with")
        return {}
    parts = {c: part.alone for c, part in minimality(runs, circuit).items()}
    p = minimality_p(parts, inflated)
    found.arrays["inflated"] = inflated
    found.members = [
        {"component": str(c), "contribution": round(parts[c], 5), "p": round(p[c], 5)}
        for c in sorted(parts, key=lambda c: -parts[c])
    ]
    return {"minimal": (min(parts.values()), max(p.values()), len(inflated))}
