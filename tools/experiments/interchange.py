"""Interchange interventions: does a component's value, taken from another run, carry the answer over (Geiger et al. 2021)?

Reports: estimates `restore:<component>` (share of the way from the base's metric to the source's) and `iia:<component>`
(share of prompts whose answer becomes the source's), without the component's name when there is one; for one component
with controls `rank_p`; arrays `restore`, `iia` [components], `restore_per_prompt`, `right_per_prompt` [components, n],
`control_restore` [J]; labels `components`, `controls`; control `base` (the share that is right before anything is
swapped). Every result has `gap`, `accuracy`.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from tools.component import Component
from tools.costs import Cost, Sizes, named, patched, whole
from tools.crossed import crossed
from tools.experiment import Lab, TaskParams, experiment
from tools.interventions import Where
from tools.measurement import Measurement, control_row, measure, runner_for
from tools.result import Control, Estimate, Result
from tools.selection import read_components
from tools.statistics import rank_p
from tools.sweep import Plan, plan_sweep, printed, variants_of

SourceRun = Literal["paired", "other"]


class Interchange(TaskParams):
    """What is swapped, from which run."""

    components: list[str] | None = Field(
        default=None,
        description="heads (a5.h1), MLPs (m3), residual sites (resid7@END); the stream at every layer when absent",
    )
    source: SourceRun = Field(
        default="paired",
        description="paired: a prompt's clean run into its corrupted one; other: another clean prompt of the same form "
        "into this one, whose answer should then be the other's",
    )
    joint: bool = Field(default=False, description="swap all listed components together instead of one by one")
    position: str = Field(default="END", description="position label of the swap; 'all' for every position")
    controls: list[str] | None = Field(default=None, description="matched control components, named one by one")
    n_controls: int = Field(default=0, ge=0, le=999, description="random matched controls to draw (METHOD: 39)")
    band: int = Field(default=4, ge=0, description="controls come from layers within this distance")
    exclude: list[str] = Field(default_factory=list, description="never drawn as controls")
    control_seed: int = Field(default=0, ge=0, description="seed the controls are drawn with")


def _cost(params: Interchange, model: Sizes) -> Cost:
    streams = [Component("resid", layer) for layer in range(model.n_layers + 1)]
    targets = streams if params.components is None else named(params.components)
    return whole(2 * params.n) + patched(targets + targets[:1] * params.n_controls, params.n, model)


@experiment("interchange", version=1, kind="causal", cost=_cost)
def interchange(lab: Lab, params: Interchange) -> Result:
    """Whether swapping a component's value between two runs swaps the answer: interchange intervention accuracy.

    Every prompt keeps its own run except for the component, which comes from a source run; counted is how often the
    answer becomes the source's (`iia`) and how far the metric moves there (`restore`). With source `other`, two
    ordinary prompts trade values: a stronger test than undoing a corruption, because both sides are in distribution.
    A swap of a whole component says that the answer passes there, not which part of the activation holds it.
    """
    m = measured(lab, params, params.source)
    if params.components is None:
        components = [f"resid{layer}" for layer in range(lab.model.n_layers + 1)]
    else:
        components = params.components
    plan = plan_sweep(m, read_components(components, lab.model), joined=params.joint, options=params)
    where = None if params.position == "all" else Where(params.position)
    variants = variants_of([*plan.targets, *plan.controls], "clean", where, lab.model.n_layers)
    metric = m.runner.run(variants, base="corrupted", text=f"{len(variants)} swaps").metric
    n = len(plan.targets)
    shares, right = m.restored(metric[:n]), (metric[:n] > 0).astype(np.float64)
    estimates = m.behaviour_estimates() + _estimates(m, plan, shares, right)
    arrays = {
        "restore": shares.mean(1),
        "iia": right.mean(1),
        "restore_per_prompt": shares,
        "right_per_prompt": right,
    }
    before = float((m.corrupted > 0).mean())
    controls = [Control(name="base", observed=before, expected="share right before anything is swapped")]
    if plan.controls:
        arrays["control_restore"] = m.restored(metric[n:]).mean(1)
        p = rank_p(float(shares.mean()), arrays["control_restore"])
        estimates.append(Estimate(name="rank_p", value=p, n=len(plan.controls), unit="probability"))
        controls.append(control_row("matched components", p, "control_restore"))
    best = int(right.mean(1).argmax())
    rows = [
        {"component": name, "iia": round(float(i), 4), "restore": round(float(r), 4)}
        for name, i, r in zip(plan.names(), right.mean(1), shares.mean(1), strict=True)
    ]
    return m.result(
        "interchange",
        1,
        f"swapping {plan.names()[best]} gives the source's answer on {right[best].mean():.2f} of {shares.shape[1]} prompts "
        f"({before:.2f} without a swap)" + ("." if plan.single else f", the most of {n} components."),
        estimates,
        controls=controls,
        tables={"components": rows},
        labels={"components": plan.names(), "controls": [printed(c) for c in plan.controls]},
        arrays=arrays,
    )


def measured(lab: Lab, params: TaskParams, source: SourceRun) -> Measurement:
    """The measurement on the task's pairs, or on pairs of two clean prompts."""
    m = measure(lab, params)
    if source == "paired":
        return m
    pairs = crossed(m.prompts, params.seed)
    return replace(m, prompts=pairs, runner=runner_for(lab, pairs))


def _estimates(m: Measurement, plan: Plan, shares: np.ndarray, right: np.ndarray) -> list[Estimate]:
    suffix = [""] if plan.single else [f":{name}" for name in plan.names()]
    found = m.estimates([f"restore{s}" for s in suffix], shares)
    return found + m.estimates([f"iia{s}" for s in suffix], right, "share of prompts")
