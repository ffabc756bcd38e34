"""Head and MLP ablation: what does the behaviour lose without a component (METHOD 1, T1, T1b)?

Reports, for one component or a joint set: estimates `harm`, `direct_effect` (what it stops writing straight into the
metric, the final norm frozen), `repaired` (direct_effect minus harm: what later layers make up for), `kl`, `p_answer`, `top1`, `flipped` (share of read positions whose most likely token changes: harm can be 0 where a wrong
third answer appears) and, when controls were drawn, `rank_p`; arrays `harm_per_prompt`, `direct_per_prompt`, `repaired_per_prompt`,
`flipped_per_prompt` [n], `control_harm` [J]; labels `components`, `controls`, `prompts` (template of each prompt). For a sweep (several
components, not joint): arrays `harm` [layers, heads] and `harm_mlp` [layers] where the sweep covers them all,
`direct` and `direct_mlp` likewise, `harm_per_prompt`, `direct_per_prompt` [components, n], and estimates
`harm:<component>` and `direct_effect:<component>` each. Every result has `gap`, `accuracy`.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from tools.attribution import direct_losses
from tools.costs import Cost, Sizes, sweep, whole
from tools.experiment import Lab, TaskParams, experiment
from tools.interventions import Source, Where
from tools.measurement import Measurement, control_row, measure
from tools.prompts import Floats
from tools.result import Estimate, Result
from tools.selection import every_head, every_mlp, read_components
from tools.sweep import Plan, grids, plan_sweep, printed, run_sweep, sweep_estimates, sweep_rows, variants_of

AblationMethod = Literal["resample", "mean", "zero"]
SOURCES: dict[AblationMethod, Literal["corrupted", "mean", "zero"]] = {
    "resample": "corrupted",
    "mean": "mean",
    "zero": "zero",
}


class HeadAblation(TaskParams):
    """What to ablate, how, and against which controls."""

    components: list[str] | None = Field(
        default=None,
        description="heads (a5.h1), attention layers (a5), MLPs (m3), neurons (m3.n17); every head when absent",
    )
    mlps: bool = Field(default=False, description="in a sweep over everything, also ablate each MLP")
    method: AblationMethod = Field(
        default="resample",
        description="resample: the value from the paired corrupted prompt; mean: the mean over corrupted prompts of "
        "the same template, position by position; zero: nothing",
    )
    joint: bool = Field(default=False, description="ablate all listed components together instead of one by one")
    position: str | None = Field(default=None, description="position label, e.g. END; all positions when absent")
    controls: list[str] | None = Field(
        default=None, description="matched control components, named one by one; sets as a5.h1+a6.h2"
    )
    n_controls: int = Field(default=0, ge=0, le=999, description="random matched controls to draw (METHOD: 39)")
    band: int = Field(default=4, ge=0, description="controls come from layers within this distance")
    exclude: list[str] = Field(default_factory=list, description="never drawn as controls, e.g. the screen's nominees")
    control_seed: int = Field(default=0, ge=0, description="seed the controls are drawn with")
    mean_prompts: int = Field(default=100, ge=8, le=1024, description="corrupted prompts per template for the mean")


def _cost(params: HeadAblation, model: Sizes) -> Cost:
    means = params.mean_prompts * 8 if params.method == "mean" else 0
    return sweep(params, model) + whole(means)


@experiment("head-ablation", version=2, kind="causal", cost=_cost)
def head_ablation(lab: Lab, params: HeadAblation) -> Result:
    """How much of the behaviour is lost when components are ablated, one by one or together.

    Harm is the drop of the logit difference as a share of the clean-corrupted gap: 1 means the behaviour is gone,
    negative means the component was in the way. Resample ablation takes the component's output from the corrupted
    prompt; mean and zero ablation are second opinions. Beside the harm stands the direct effect, for heads, attention
    layers, MLPs and single neurons alike: far above the harm, it means that later layers repair the loss. With matched controls, `rank_p` says how
    special the harm is. Small harm is not absence: backups hide it.
    """
    m = measure(lab, params, mean_prompts=params.mean_prompts if params.method == "mean" else None)
    model = lab.model
    if params.components is None:
        components = every_head(model) + (every_mlp(model) if params.mlps else [])
    else:
        components = read_components(params.components, model)
    plan = plan_sweep(m, components, joined=params.joint, options=params)
    where = Where(params.position) if params.position else None
    swept = run_sweep(m, plan, SOURCES[params.method], where, "clean", m.harm)
    estimates = m.behaviour_estimates() + sweep_estimates(m, plan, swept, "harm")
    arrays: dict[str, np.ndarray] = {"harm_per_prompt": swept.shares[0] if plan.single else swept.shares}
    arrays |= grids(m, plan, swept.shares, "harm")
    if plan.single:
        arrays["flipped_per_prompt"] = swept.readings["flipped"]
    direct = _direct(m, plan, SOURCES[params.method], where)
    if direct is not None:
        extra, more = _accounted(m, plan, swept.shares, direct)
        estimates += extra
        arrays |= more
    controls = []
    if len(swept.controls):
        arrays["control_harm"] = swept.controls
        controls.append(control_row("matched components", estimates_value(estimates, "rank_p"), "control_harm"))
    top = sweep_rows(plan, estimates, "harm")
    return m.result(
        "head-ablation",
        2,
        f"{params.method} ablation of {top[0]['component']} costs {top[0]['harm']:+.3f} of the gap"
        + ("." if plan.single else f", the most of {len(plan.targets)} components."),
        estimates,
        controls=controls,
        tables={"components": top},
        labels={"components": plan.names(), "controls": [printed(c) for c in plan.controls]},
        arrays=arrays,
    )


def estimates_value(estimates: list, name: str) -> float:
    """The value of the estimate of that name."""
    return next(e.value for e in estimates if e.name == name)


def _direct(m: Measurement, plan: Plan, source: Source, where: Where | None) -> Floats | None:
    """Direct effects [targets, n] in shares of the gap; None where a target writes nothing of its own, or by hooks only."""
    writes = all(c.kind in ("head", "attn", "mlp", "neuron") for target in plan.targets for c in target)
    if m.lab.model.decoder is None or not writes:
        return None
    return direct_losses(m.engine, variants_of(plan.targets, source, where, m.lab.model.n_layers)) / m.gap


def _accounted(
    m: Measurement, plan: Plan, harm: Floats, direct: Floats
) -> tuple[list[Estimate], dict[str, np.ndarray]]:
    """Direct beside total: what is repaired, for one target; maps and estimates, for a sweep."""
    if not plan.single:
        names = [f"direct_effect:{name}" for name in plan.names()]
        return m.estimates(names, direct), {"direct_per_prompt": direct, **grids(m, plan, direct, "direct")}
    repaired = direct[0] - harm[0]
    found = [m.estimate("direct_effect", direct[0]), m.estimate("repaired", repaired)]
    return found, {"direct_per_prompt": direct[0], "repaired_per_prompt": repaired}
