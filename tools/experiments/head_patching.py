"""Denoising activation patching: how much of the behaviour does a clean component restore (METHOD 1, T2)?

Reports, for one component or a joint set: estimates `restore`, `kl`, `p_answer`, `top1`, `flipped`, with controls `rank_p`, with
neighbours `neighbour_restore` (the largest over neighbours) and `localisation` (half of restore minus the largest
neighbour's, positive when the effect is local); arrays `restore_per_prompt` [n], `control_restore` [J],
`neighbour_restore_per_prompt` [neighbours, n]; labels `components`, `controls`, `neighbours`, `prompts`. For a sweep:
arrays `restore` [layers, heads], `restore_mlp` [layers], `restore_per_prompt` [components, n], and an estimate
`restore:<component>` each. Every result has `gap`, `accuracy`.
"""

import numpy as np
from pydantic import Field

from tools.costs import sweep
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.experiments.head_ablation import estimates_value
from tools.interventions import Where, joint
from tools.measurement import Measurement, control_row, measure
from tools.prompts import Floats
from tools.result import Estimate, Result
from tools.selection import every_head, every_mlp, read_components
from tools.sweep import Plan, grids, plan_sweep, printed, run_sweep, sweep_estimates, sweep_rows


class HeadPatching(TaskParams):
    """What is patched from the clean run into the corrupted run, where, and against which controls."""

    components: list[str] | None = Field(
        default=None,
        description="heads (a5.h1), attention layers (a5), MLPs (m3) or residual sites (resid7@END); every head when absent",
    )
    mlps: bool = Field(default=False, description="in a sweep over everything, also patch each MLP")
    joint: bool = Field(default=False, description="patch all listed components together instead of one by one")
    position: str | None = Field(default=None, description="position label, e.g. END; all positions when absent")
    neighbours: int = Field(
        default=0, ge=0, le=8, description="the same patch at this many nearest other positions (METHOD T2-C3: 3)"
    )
    controls: list[str] | None = Field(
        default=None, description="matched control components, named one by one; sets as a5.h1+a6.h2"
    )
    n_controls: int = Field(default=0, ge=0, le=999, description="random matched controls to draw (METHOD: 39)")
    band: int = Field(default=4, ge=0, description="controls come from layers within this distance")
    exclude: list[str] = Field(default_factory=list, description="never drawn as controls, e.g. the screen's nominees")
    control_seed: int = Field(default=0, ge=0, description="seed the controls are drawn with")


@experiment("head-patching", version=1, kind="causal", cost=sweep)
def head_patching(lab: Lab, params: HeadPatching) -> Result:
    """How much of the behaviour returns when components are patched from the clean into the corrupted run.

    Restore is the regained logit difference as a share of the clean-corrupted gap: 1 means that these components carry
    everything, 0 nothing. With `neighbours`, the same patch is made at nearby positions, to see whether the effect is
    local. Patching finds backups (OR) that ablation misses, and misses serial stages (AND) that ablation finds, so
    a small restore is not absence.
    """
    m = measure(lab, params)
    model = lab.model
    if params.components is None:
        components = every_head(model) + (every_mlp(model) if params.mlps else [])
    else:
        components = read_components(params.components, model)
    plan = plan_sweep(m, components, joined=params.joint, options=params)
    where = Where(params.position) if params.position else None
    swept = run_sweep(m, plan, "clean", where, "corrupted", m.restored)
    estimates = m.behaviour_estimates() + sweep_estimates(m, plan, swept, "restore")
    arrays: dict[str, np.ndarray] = {"restore_per_prompt": swept.shares[0] if plan.single else swept.shares}
    arrays |= grids(m, plan, swept.shares, "restore")
    labels = {"components": plan.names(), "controls": [printed(c) for c in plan.controls]}
    controls = []
    if len(swept.controls):
        arrays["control_restore"] = swept.controls
        controls.append(control_row("matched components", estimates_value(estimates, "rank_p"), "control_restore"))
    if params.neighbours:
        names, shares = _neighbours(m, plan, params)
        labels["neighbours"] = names
        arrays["neighbour_restore_per_prompt"] = shares
        estimates += _local(m, swept.shares[0], shares)
    top = sweep_rows(plan, estimates, "restore")
    return m.result(
        "head-patching",
        1,
        f"patching {top[0]['component']} from clean restores {top[0]['restore']:+.3f} of the gap"
        + ("." if plan.single else f", the most of {len(plan.targets)} components."),
        estimates,
        controls=controls,
        tables={"components": top},
        labels=labels,
        arrays=arrays,
    )


def _neighbours(m: Measurement, plan: Plan, params: HeadPatching) -> tuple[list[str], Floats]:
    """The same patch at the nearest other positions that every prompt has: names, shares [neighbours, n]."""
    members = plan.targets[0]
    labels = {params.position or c.position for c in members}
    if not plan.single or len(labels) != 1 or None in labels:
        raise ExperimentError("neighbours need one component (or joint set) at one position, e.g. resid7@END.")
    label = labels.pop() or "END"
    at, lengths = m.prompts.position(label), m.prompts.lengths
    nearest = sorted((o for o in range(-12, 13) if o), key=lambda o: (abs(o), o > 0))
    offsets = [o for o in nearest if ((at + o >= 0) & (at + o < lengths)).all()][: params.neighbours]
    if len(offsets) < params.neighbours:
        raise ExperimentError(f"{label} has only {len(offsets)} neighbouring positions in every prompt; ask for fewer.")
    variants = [
        joint(members, "clean", where=Where(label, offset), n_layers=m.lab.model.n_layers) for offset in offsets
    ]
    read = m.runner.run(variants, base="corrupted", text="neighbouring positions")
    return [f"{label}{offset:+d}" for offset in offsets], m.restored(read.metric)


def _local(m: Measurement, restored: Floats, neighbours: Floats) -> list[Estimate]:
    largest = int(neighbours.mean(1).argmax())
    return [
        m.estimate("neighbour_restore", neighbours[largest]),
        m.estimate("localisation", 0.5 * restored - neighbours[largest]),
    ]
