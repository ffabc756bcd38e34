"""The shared body of head ablation and head patching: run components and their controls, put numbers into a result.

A `Plan` lists what is measured: each target on its own, or all of them jointly, then the controls. Both experiments
differ only in direction (harm in the clean run, restore in the corrupted one), which is the caller's `share`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tools.component import Component
from tools.errors import ExperimentError
from tools.interventions import Source, Variant, Where, joint
from tools.measurement import Measurement
from tools.prompts import Floats
from tools.result import Estimate
from tools.runner import Base
from tools.selection import draw_controls, read_components
from tools.statistics import rank_p


@dataclass(frozen=True)
class Plan:
    """Targets (sets of components, one run each) and control sets."""

    targets: list[tuple[Component, ...]]
    controls: list[tuple[Component, ...]]

    @property
    def single(self) -> bool:
        """One target: a component, or one joint set."""
        return len(self.targets) == 1

    def names(self) -> list[str]:
        """The targets as printed, members joined by +."""
        return [printed(target) for target in self.targets]


def printed(components: Sequence[Component]) -> str:
    """A set of components in one word."""
    return "+".join(str(component) for component in components)


def plan_sweep(m: Measurement, components: list[Component], *, joined: bool, options: Any) -> Plan:
    """Targets and controls from an experiment's parameters (`controls`, `n_controls`, `band`, `exclude`, ...).

    Raises ExperimentError for controls on a sweep: they are matched to one component or set.
    """
    targets = [tuple(components)] if joined else [(component,) for component in components]
    wants_controls = options.controls is not None or options.n_controls > 0
    if wants_controls and len(targets) > 1:
        raise ExperimentError("controls belong to one component or one joint set; name one, or set joint.")
    controls: list[tuple[Component, ...]] = []
    if options.controls is not None:
        controls = [tuple(read_components(name.split("+"), m.lab.model)) for name in options.controls]
    elif options.n_controls:
        exclude = read_components(options.exclude, m.lab.model) if options.exclude else []
        controls = draw_controls(
            targets[0], m.lab.model, n=options.n_controls, band=options.band, exclude=exclude, seed=options.control_seed
        )
    return Plan(targets, controls)


def variants_of(
    sets: Sequence[tuple[Component, ...]], value: Source, where: Where | None, n_layers: int
) -> list[Variant]:
    """One variant per set."""
    return [joint(members, value, where=where, n_layers=n_layers) for members in sets]


@dataclass
class Swept:
    """Shares per target [targets, n] and the mean share of each control [controls]; readings of a single target."""

    shares: Floats
    controls: Floats
    readings: dict[str, Floats]


def run_sweep(
    m: Measurement, plan: Plan, value: Source, where: Where | None, base: Base, share: Callable[[Floats], Floats]
) -> Swept:
    """Run targets and controls. For a single target KL, P(answer), top-1 and flips of the top token are read too."""
    n_layers = m.lab.model.n_layers
    targets = variants_of(plan.targets, value, where, n_layers)
    controls = variants_of(plan.controls, value, where, n_layers)
    found: dict[str, Floats] = {}
    if plan.single:
        read = m.runner.run(targets, base=base, distributions=True, text=plan.names()[0])
        assert read.kl is not None and read.p_answer is not None and read.top1 is not None and read.agree is not None
        found = {"kl": read.kl[0], "p_answer": read.p_answer[0], "top1": read.top1[0], "flipped": 1 - read.agree[0]}
        metric = read.metric
        if controls:
            control_metric = m.runner.run(controls, base=base, text=f"{len(controls)} controls").metric
        else:
            control_metric = np.zeros((0, len(m.prompts)))
    else:
        metric = m.runner.run(targets, base=base, text=f"{len(targets)} components").metric
        control_metric = np.zeros((0, len(m.prompts)))
    return Swept(share(metric), share(control_metric).mean(1), found)


def sweep_estimates(m: Measurement, plan: Plan, swept: Swept, quantity: str) -> list[Estimate]:
    """`harm`, `kl`, `p_answer`, `top1` and `rank_p` of a single target, or `harm:<name>` of each."""
    if not plan.single:
        return m.estimates([f"{quantity}:{name}" for name in plan.names()], swept.shares)
    found = m.estimates([quantity], swept.shares)
    shares = "share of prompts"
    units = {"kl": "nats", "p_answer": "probability", "top1": shares, "flipped": shares}
    found += [m.estimate(name, values, units[name]) for name, values in swept.readings.items()]
    if len(swept.controls):
        p = rank_p(float(swept.shares.mean()), swept.controls)
        found.append(Estimate(name="rank_p", value=p, n=len(swept.controls), unit="probability"))
    return found


def grids(m: Measurement, plan: Plan, shares: Floats, quantity: str) -> dict[str, np.ndarray]:
    """Mean shares as [layers, heads] and [layers] where the sweep covered all heads, all MLPs."""
    model = m.lab.model
    mean = {
        target[0]: float(value) for target, value in zip(plan.targets, shares.mean(1), strict=True) if len(target) == 1
    }
    heads = [[mean.get(Component("head", layer, h)) for h in range(model.n_heads)] for layer in range(model.n_layers)]
    mlps = [mean.get(Component("mlp", layer)) for layer in range(model.n_layers)]
    found: dict[str, np.ndarray] = {}
    if all(value is not None for row in heads for value in row):
        found[quantity] = np.array(heads, np.float64)
    if all(value is not None for value in mlps):
        found[f"{quantity}_mlp"] = np.array(mlps, np.float64)
    return found


def sweep_rows(plan: Plan, estimates: Sequence[Estimate], quantity: str) -> list[dict[str, Any]]:
    """The table of a sweep, largest first."""
    rows = [
        {
            "component": e.name.partition(":")[2] or plan.names()[0],
            quantity: round(e.value, 5),
            "low": e.low,
            "high": e.high,
        }
        for e in estimates
        if e.name == quantity or e.name.startswith(f"{quantity}:")
    ]
    return sorted(rows, key=lambda row: -abs(float(row[quantity])))
