"""How much of a component's effect goes through another one: total, direct and indirect effects on the same prompts.

Reports, for one receiver (or several as one with `joint`): estimates `total`, `direct`, `indirect` (shares of the gap),
`interaction` (total minus direct minus indirect), `mediated` (indirect over total, only where the total is clearly not
0) and with controls `rank_p`; arrays `total_per_prompt`, `direct_per_prompt`, `indirect_per_prompt` [n],
`control_indirect` [J]. For a sweep over receivers: estimates `indirect:<receiver>` and `direct:<receiver>`, arrays
`indirect` [layers, heads], `indirect_mlp` [layers] (0 where a component cannot mediate), `indirect_per_prompt`
[receivers, n]. Labels `senders`, `receivers`, `controls`. Every result has `gap`, `accuracy`.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from tools.component import Component
from tools.costs import Cost, Sizes, everything, named, patched, whole
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import Measurement, control_row, measure
from tools.mediation import Mediation as Route
from tools.mediation import comes_after
from tools.prompts import Floats
from tools.result import Control, Estimate, Result
from tools.selection import draw_controls, every_head, every_mlp, read_components
from tools.statistics import LEVEL, rank_p, ratio_interval
from tools.sweep import printed


class Mediation(TaskParams):
    """Who sends, who is asked whether it passes on."""

    senders: list[str] = Field(min_length=1, description="heads (a5.h1), MLPs (m3), attention layers; changed together")
    receivers: list[str] | None = Field(
        default=None, description="heads or MLPs; every later head and MLP, one by one, when absent"
    )
    joint: bool = Field(default=False, description="all listed receivers together")
    method: Literal["resample", "zero"] = Field(
        default="resample", description="what the sender is changed to: its corrupted value, or nothing"
    )
    n_controls: int = Field(default=0, ge=0, le=999, description="random matched receivers (METHOD: 39)")
    band: int = Field(default=4, ge=0, description="controls come from layers within this distance of the receiver")
    exclude: list[str] = Field(default_factory=list, description="never drawn as controls")
    control_seed: int = Field(default=0, ge=0, description="seed the controls are drawn with")


def _cost(params: Mediation, model: Sizes) -> Cost:
    """Indirect runs enter at the receiver's layer, direct ones at the sender's."""
    senders = named(params.senders)
    first = min((s.layer for s in senders), default=0)
    later = [c for c in everything(model, mlps=True) if c.layer > first]
    receivers = later if params.receivers is None else named(params.receivers)
    controls = receivers[:1] * params.n_controls
    direct = [Component("head", first)] * len(receivers)
    return whole(4 * params.n) + patched([*receivers, *controls, *direct], params.n, model)


@experiment("mediation", version=1, kind="causal", cost=_cost)
def mediation(lab: Lab, params: Mediation) -> Result:
    """How much of a sender's effect on the behaviour goes through a receiver, by whatever route into it.

    Total: the sender changes. Direct: it changes while the receiver is held at its clean value. Indirect: only the
    receiver changes, to what the sender's change makes of it. Where these do not add up, sender and receiver interact
    (a backup, a saturated attention), which is reported and not shared out. Random receivers of the same layers say how
    special the indirect effect is.
    """
    m = measure(lab, params)
    senders = tuple(read_components(params.senders, lab.model))
    route = Route(m.engine, senders, "corrupted" if params.method == "resample" else "zero")
    targets = _receivers(m, params, senders)
    variants = [route.change(), *(route.indirect(t) for t in targets), *(route.direct(t) for t in targets)]
    shares = m.harm(m.engine.run(variants, text=f"{len(targets)} receivers").metric)
    n = len(targets)
    total, indirect, direct = shares[0], shares[1 : n + 1], shares[n + 1 :]
    estimates = [*m.behaviour_estimates(), m.estimate("total", total)]
    labels = {"senders": [str(s) for s in senders], "receivers": [printed(t) for t in targets]}
    arrays: dict[str, np.ndarray] = {"total_per_prompt": total, "indirect_per_prompt": indirect}
    controls: list[Control] = []
    if n == 1:
        arrays |= {"indirect_per_prompt": indirect[0], "direct_per_prompt": direct[0]}
        estimates += _one(m, total, direct[0], indirect[0])
        if params.n_controls:
            extra, control, names = _controls(m, params, route, targets[0], indirect[0])
            estimates.append(extra)
            controls.append(control_row("other receivers", extra.value, "control_indirect"))
            arrays["control_indirect"], labels["controls"] = control, names
    else:
        if params.n_controls:
            raise ExperimentError("controls belong to one receiver or one joint set; name one, or set joint.")
        estimates += m.estimates([f"indirect:{name}" for name in labels["receivers"]], indirect)
        estimates += m.estimates([f"direct:{name}" for name in labels["receivers"]], direct)
        arrays |= _grids(m, targets, indirect)
    best = int(np.abs(indirect.mean(1)).argmax())
    rows = [
        {"receiver": name, "indirect": round(float(i), 5), "direct": round(float(d), 5)}
        for name, i, d in zip(labels["receivers"], indirect.mean(1), direct.mean(1), strict=True)
    ]
    return m.result(
        "mediation",
        1,
        f"of the {total.mean():+.3f} of the gap that {printed(senders)} costs, {indirect[best].mean():+.3f} goes through "
        f"{labels['receivers'][best]}" + ("." if n == 1 else f", the most of {n} receivers."),
        estimates,
        controls=controls,
        tables={"receivers": sorted(rows, key=lambda row: -abs(float(str(row["indirect"]))))},
        labels=labels,
        arrays=arrays,
    )


def _receivers(m: Measurement, params: Mediation, senders: tuple[Component, ...]) -> list[tuple[Component, ...]]:
    if params.receivers is not None:
        named = read_components(params.receivers, m.lab.model)
        wrong = [c for c in named if c.kind not in ("head", "mlp", "attn", "neuron")]
        if wrong:
            raise ExperimentError(f"{wrong[0]} is no receiver; name heads (a7.h2), attention layers, MLPs or neurons.")
        return [tuple(named)] if params.joint else [(c,) for c in named]
    everything = every_head(m.lab.model) + every_mlp(m.lab.model)
    later = [c for c in everything if all(comes_after(m.engine.decoder, s, c) for s in senders)]
    if not later:
        raise ExperimentError(f"no head or MLP comes after {printed(senders)}: there is nothing to mediate.")
    return [(c,) for c in later]


def _one(m: Measurement, total: Floats, direct: Floats, indirect: Floats) -> list[Estimate]:
    found = [
        m.estimate("direct", direct),
        m.estimate("indirect", indirect),
        m.estimate("interaction", total - direct - indirect),
    ]
    whole = m.estimate("total", total)
    if whole.low is not None and whole.high is not None and (whole.low > 0.02 or whole.high < -0.02):
        value, low, high = ratio_interval(indirect, total, m.prompts.template)
        found.append(
            Estimate(name="mediated", value=value, low=low, high=high, level=LEVEL, n=len(total), unit="share of total")
        )
    return found


def _controls(
    m: Measurement, params: Mediation, route: Route, target: tuple[Component, ...], indirect: Floats
) -> tuple[Estimate, Floats, list[str]]:
    exclude = [*route.senders, *(read_components(params.exclude, m.lab.model) if params.exclude else [])]
    drawn = draw_controls(target, m.lab.model, n=10_000, band=params.band, exclude=exclude, seed=params.control_seed)
    decoder = m.engine.decoder
    good = [s for s in drawn if all(comes_after(decoder, one, c) for one in route.senders for c in s)]
    if not good:
        raise ExperimentError(f"no other receiver comes after {printed(route.senders)} within {params.band} layers.")
    good = good[: params.n_controls]
    variants = [route.indirect(one) for one in good]
    values = m.harm(m.engine.run(variants, text=f"{len(good)} other receivers").metric).mean(1)
    p = rank_p(float(indirect.mean()), values)
    return Estimate(name="rank_p", value=p, n=len(good), unit="probability"), values, [printed(one) for one in good]


def _grids(m: Measurement, targets: list[tuple[Component, ...]], indirect: Floats) -> dict[str, np.ndarray]:
    """Mean indirect effects by layer and head, and by MLP; 0 where there is no later component."""
    model = m.lab.model
    heads, mlps = np.zeros((model.n_layers, model.n_heads)), np.zeros(model.n_layers)
    for (component, *_), values in zip(targets, indirect, strict=True):
        if component.kind == "mlp":
            mlps[component.layer] = values.mean()
        elif component.kind == "head":
            heads[component.layer, component.index or 0] = values.mean()
    return {"indirect": heads, **({"indirect_mlp": mlps} if model.d_mlp else {})}
