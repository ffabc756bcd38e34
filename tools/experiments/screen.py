"""Nominates components by gradients (METHOD 5.4): attribution patching and integrated gradients. Never evidence.

Reports: label `nominated` (union of the top by |AtP| and by |IG|, strongest first, heads and MLPs); table
`nominated` (component, atp, ig, rank_atp, rank_ig); arrays `atp`, `ig` [layers, heads], `atp_mlp`, `ig_mlp` [layers];
estimates `gap`, `accuracy`, `delta1` (max of 0.05 and the 95th percentile of |AtP| over heads, METHOD 5.8).
"""

import numpy as np
from pydantic import Field

from tools.component import Component
from tools.costs import Cost, Sizes, backward, whole
from tools.experiment import Lab, TaskParams, experiment
from tools.gradients import NodeScores, node_scores
from tools.measurement import measure
from tools.result import Estimate, Result
from tools.selection import every_head, every_mlp

FLOOR = 0.05


class Screen(TaskParams):
    """How many components to nominate."""

    top: int = Field(default=40, ge=1, le=400, description="nominees per score; the union is returned")
    ig_steps: int = Field(default=5, ge=1, le=32, description="points on the path from corrupted to clean inputs")


def _cost(params: Screen, model: Sizes) -> Cost:
    return whole(3 * params.n) + backward(params.n * (1 + params.ig_steps))


@experiment("screen", version=1, kind="nominator", cost=_cost)
def screen(lab: Lab, params: Screen) -> Result:
    """Which heads and MLPs might matter: a cheap gradient screen that nominates, and proves nothing.

    Scores estimate resample harm as a share of the gap, by attribution patching and by integrated gradients over the
    inputs; the union of both top lists is nominated. Gradient scores can have the wrong size and even the wrong sign,
    so test each nominee with head-ablation before saying anything about it.
    """
    m = measure(lab, params)
    estimates = m.behaviour_estimates()
    gap = m.gap
    atp, ig = node_scores(m.engine, ig_steps=params.ig_steps)
    components = every_head(lab.model) + every_mlp(lab.model)
    by_atp, by_ig = _flat(atp, components) / gap, _flat(ig, components) / gap
    rank_atp, rank_ig = _ranks(by_atp), _ranks(by_ig)
    chosen = [i for i in range(len(components)) if min(rank_atp[i], rank_ig[i]) <= params.top]
    chosen.sort(key=lambda i: -max(abs(by_atp[i]), abs(by_ig[i])))
    table = [
        {
            "component": str(components[i]),
            "atp": round(float(by_atp[i]), 5),
            "ig": round(float(by_ig[i]), 5),
            "rank_atp": int(rank_atp[i]),
            "rank_ig": int(rank_ig[i]),
        }
        for i in chosen
    ]
    heads = atp.heads.mean(-1) / gap
    delta1 = max(FLOOR, float(np.quantile(np.abs(heads), 0.95)))
    estimates.append(Estimate(name="delta1", value=delta1, n=heads.size, unit="share of gap"))
    return m.result(
        "screen",
        1,
        f"{len(chosen)} of {len(components)} components nominated by gradient; strongest {table[0]['component']}. "
        "Nothing is shown yet.",
        estimates,
        tables={"nominated": table},
        labels={"nominated": [str(components[i]) for i in chosen]},
        arrays={
            "atp": heads,
            "ig": ig.heads.mean(-1) / gap,
            "atp_mlp": atp.mlps.mean(-1) / gap,
            "ig_mlp": ig.mlps.mean(-1) / gap,
        },
    )


def _flat(scores: NodeScores, components: list[Component]) -> np.ndarray:
    """Mean scores in the order of `components`."""
    heads, mlps = scores.heads.mean(-1), scores.mlps.mean(-1)
    return np.array([mlps[c.layer] if c.kind == "mlp" else heads[c.layer, c.index or 0] for c in components])


def _ranks(scores: np.ndarray) -> np.ndarray:
    """1 for the largest |score|."""
    ranks = np.empty(len(scores), np.int64)
    ranks[np.argsort(-np.abs(scores), kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks
