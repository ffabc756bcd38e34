"""What each component writes straight toward the answer, with the final norm frozen (METHOD 3.1: rung 1).

Reports: estimates `dla` and `direct_effect` (shares of the gap) for one component, or `dla:<component>` and
`direct_effect:<component>` for each listed one; always `gap` and `accuracy`. Arrays `dla` and `direct_effect`
[layers, heads], `dla_mlp` and `direct_effect_mlp` [layers], `dla_embed` [1], `dla_per_prompt` and
`direct_per_prompt` [components, n]. Control `sum`: all parts add up to the measured logit difference.
"""

import numpy as np
from pydantic import Field

from tools.attribution import attribute, direct_effects, of_components
from tools.costs import Cost, Sizes, whole
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import measure
from tools.result import Control, Result
from tools.selection import every_head, every_mlp, read_components


class DirectLogitAttribution(TaskParams):
    """Which components to report per prompt; the arrays always cover all of them."""

    components: list[str] | None = Field(default=None, description="heads (a5.h1) or MLPs (m3); all when absent")


def _cost(params: DirectLogitAttribution, model: Sizes) -> Cost:
    return whole(4 * params.n)


@experiment("direct-logit-attribution", version=1, kind="observational", cost=_cost)
def direct_logit_attribution(lab: Lab, params: DirectLogitAttribution) -> Result:
    """What every head and MLP writes straight into the answer-minus-foil logits, as shares of the gap.

    `dla` is the write in the clean run; `direct_effect` how much of it is lost when the component's value comes from
    the corrupted prompt, the final norm held at its clean scale. A linear read-out (rung 1): later layers may repair
    or undo a write, so neither number says what removing the component does.
    """
    m = measure(lab, params)
    model = lab.model
    if params.components is None:
        chosen = every_head(model) + every_mlp(model)
    else:
        chosen = read_components(params.components, model)
    wrong = [str(c) for c in chosen if c.kind not in ("head", "mlp") or c.position]
    if wrong:
        raise ExperimentError(f"direct attribution is of whole heads and MLPs, not of {wrong[0]}; write a5.h1 or m3.")
    clean = attribute(m.engine, "clean")
    corrupted = attribute(m.engine, "corrupted", frozen_at="clean")
    gap = m.gap
    effect = direct_effects(clean, corrupted, gap)
    keys = [(c.kind, c.layer, c.index) for c in chosen]
    dla_rows, effect_rows = of_components(clean, keys) / gap, of_components(effect, keys)
    error = float(np.abs(clean.total() - m.clean).max())
    names = [str(c) for c in chosen]
    suffix = [""] if len(names) == 1 else [f":{name}" for name in names]
    estimates = m.behaviour_estimates()
    if params.components is not None:
        estimates += m.estimates([f"dla{s}" for s in suffix], dla_rows)
        estimates += m.estimates([f"direct_effect{s}" for s in suffix], effect_rows)
    strongest = int(np.abs(dla_rows.mean(1)).argmax())
    table = [
        {"component": name, "dla": round(float(d), 5), "direct_effect": round(float(e), 5)}
        for name, d, e in zip(names, dla_rows.mean(1), effect_rows.mean(1), strict=True)
    ]
    return m.result(
        "direct-logit-attribution",
        1,
        f"{names[strongest]} writes {dla_rows[strongest].mean():+.3f} of the gap straight toward the answer"
        + (", the most of all components." if params.components is None else "."),
        estimates,
        controls=[
            Control(
                name="sum",
                passed=error < 1e-3 * max(1.0, float(np.abs(m.clean).max())),
                observed=error,
                expected="all parts add up to the metric within 1e-3",
            )
        ],
        tables={"components": sorted(table, key=lambda row: -abs(row["dla"]))},
        labels={"components": names},
        arrays={
            "dla": clean.heads.mean(-1) / gap,
            "direct_effect": effect.heads.mean(-1),
            "dla_mlp": clean.mlps.mean(-1) / gap,
            "direct_effect_mlp": effect.mlps.mean(-1),
            "dla_embed": clean.embed.mean(-1, keepdims=True) / gap,
            "dla_per_prompt": dla_rows,
            "direct_per_prompt": effect_rows,
        },
    )
