"""Attribution patching (AtP) with the QK fix of AtP*: gradient estimates per head, MLP, query, key and value.

Reports: arrays `atp`, `atp_q`, `atp_k`, `atp_v` [layers, heads], `atp_mlp` [layers]; table `nodes`, largest first; label
`nominated`; estimates `gap`, `accuracy`.
"""

import numpy as np
from pydantic import Field

from tools.costs import Cost, Sizes, backward, whole
from tools.experiment import Lab, TaskParams, experiment
from tools.gradients import channel_scores, node_scores
from tools.measurement import measure
from tools.result import Result
from tools.selection import every_head


class AttributionPatching(TaskParams):
    """What is estimated beside whole heads and MLPs."""

    channels: bool = Field(default=True, description="also each head's queries, keys and values, with the QK fix")
    top: int = Field(default=40, ge=1, le=400, description="nodes to nominate")


def _cost(params: AttributionPatching, model: Sizes) -> Cost:
    return whole(3 * params.n) + backward(params.n * (2 if params.channels else 1))


@experiment("attribution-patching", version=1, kind="nominator", cost=_cost)
def attribution_patching(lab: Lab, params: AttributionPatching) -> Result:
    """Gradient estimates of what corrupting each head, MLP, query, key or value would cost: a nominator only.

    AtP is the first-order estimate of resample harm at the clean run. For queries and keys the attention pattern is
    recomputed exactly (the fix of AtP*), because gradients vanish where attention is saturated. Sizes and signs can be
    wrong; test what it nominates with head-ablation or path-patching.
    """
    m = measure(lab, params)
    estimates, gap = m.behaviour_estimates(), m.gap
    atp, _ = node_scores(m.engine, ig_steps=0)
    arrays: dict[str, np.ndarray] = {"atp": atp.heads.mean(-1) / gap, "atp_mlp": atp.mlps.mean(-1) / gap}
    scored = {str(c): float(arrays["atp"][c.layer, c.index or 0]) for c in every_head(lab.model)}
    if lab.model.d_mlp:
        scored |= {f"m{layer}": float(value) for layer, value in enumerate(arrays["atp_mlp"])}
    if params.channels:
        channels = channel_scores(m.engine)
        for name in ("q", "k", "v"):
            arrays[f"atp_{name}"] = getattr(channels, name).mean(-1) / gap
            values = arrays[f"atp_{name}"]
            scored |= {f"{c}<{name}>": float(values[c.layer, c.index or 0]) for c in every_head(lab.model)}
    names = sorted(scored, key=lambda name: -abs(scored[name]))[: params.top]
    return m.result(
        "attribution-patching",
        1,
        f"{len(names)} of {len(scored)} nodes nominated by attribution patching; strongest {names[0]}. Nothing is shown yet.",
        estimates,
        tables={"nodes": [{"node": name, "atp": round(scored[name], 5)} for name in names]},
        labels={"nominated": names},
        arrays=arrays,
    )
