"""What each component writes straight toward the answer, with the final norm frozen (METHOD 3.1: rung 1).

Reports: estimates `dla` and `direct_effect` (shares of the gap) for one component, or `dla:<component>` and
`direct_effect:<component>` for each listed one; always `gap` and `accuracy`. Arrays `dla` and `direct_effect`
[layers, heads], `dla_mlp` and `direct_effect_mlp` [layers], `dla_embed` [1], `dla_per_prompt` and
`direct_per_prompt` [components, n]. Control `sum`: all parts add up to the measured logit difference.
"""

from pydantic import Field

from tools.experiment import TaskParams


class DirectLogitAttribution(TaskParams):
    """Which components to report per prompt; the arrays always cover all of them."""

    components: list[str] | None = Field(default=None, description="heads (a5.h1) or MLPs (m3); all when absent")
