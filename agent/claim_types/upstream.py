"""What a suppressing head suppresses: its effect must shrink when the prediction before it is taken away (METHOD T3).

Upstream are the heads and MLPs of earlier layers that write toward the answer themselves, found by direct logit
attribution on explore prompts and frozen in the registration. Critical (U1): with all of them resampled, removing the
head changes at most half of what it changes with them in place. A head whose effect does not depend on the prediction
(it works against the answer whatever comes) fails here. This module claims no role.
"""

from typing import Any

import numpy as np

from agent.claims import Claim, Explore
from agent.predictions import Look, Prediction
from agent.rules import ReportRule, ShareRule
from agent.situation import Situation
from tools.component import Component, parse_component

LOOKS = (Look(n=64, alpha=0.01),)
UPSTREAM = "upstream"
WRITES = 0.02


def find_upstream(claim: Claim, situation: Situation, run: Explore) -> Situation:
    """The situation with the earlier components that write toward the answer."""
    head = parse_component(claim.components[0])
    if head.layer == 0:
        return situation
    result_id, result = run("direct-logit-attribution", {})
    seen = (*situation.seen, f"explore: direct writes before {head} ({result_id})")
    writes: dict[str, float] = {}
    for layer in range(head.layer):
        row = np.asarray(result.arrays["direct_effect"])[layer]
        writes |= {str(Component("head", layer, h)): float(value) for h, value in enumerate(row)}
        if "direct_effect_mlp" in result.arrays:
            writes[str(Component("mlp", layer))] = float(result.arrays["direct_effect_mlp"][layer])
    found = tuple(sorted(name for name, value in writes.items() if value >= WRITES))
    nominees = {**situation.nominees, **({UPSTREAM: found} if found else {})}
    return situation.model_copy(update={"seen": seen, "nominees": nominees})


def upstream_predictions(
    claim: Claim, situation: Situation, base: dict[str, Any], *, effect_key: str
) -> list[Prediction]:
    """U1 and the removal of the upstream alone that it subtracts; none when nothing upstream writes the answer."""
    upstream = situation.nominees.get(UPSTREAM)
    if not upstream:
        return []
    head = claim.components[0]
    params = {**base, "method": "resample", "joint": True}
    alone = ReportRule(
        array="harm_per_prompt", quantity="harm of the upstream prediction's removal", delta0=0.0, delta1=WRITES
    )
    shrinks = ShareRule(
        array="harm_per_prompt",
        quantity="what removing the head changes without the upstream prediction",
        of_key=effect_key,
        minus_key="K2",
        sign=-1,
    )
    return [
        Prediction(
            key="K2",
            role="corroborating",
            experiment="head-ablation",
            params={**params, "components": list(upstream)},
            rule=alone,
            looks=LOOKS,
        ),
        Prediction(
            key="U1",
            role="critical",
            experiment="head-ablation",
            params={**params, "components": sorted([*upstream, head])},
            rule=shrinks,
            looks=LOOKS,
        ),
    ]
