"""Nominates components by gradients (METHOD 5.4): attribution patching and integrated gradients. Never evidence.

Reports: label `nominated` (union of the top by |AtP| and by |IG|, strongest first, heads and MLPs); table
`nominated` (component, atp, ig, rank_atp, rank_ig); arrays `atp`, `ig` [layers, heads], `atp_mlp`, `ig_mlp` [layers];
estimates `gap`, `accuracy`, `delta1` (max of 0.05 and the 95th percentile of |AtP| over heads).
"""

from pydantic import Field

from tools.experiment import TaskParams


class Screen(TaskParams):
    """How many components to nominate."""

    top: int = Field(default=40, ge=1, le=400, description="nominees per score; the union is returned")
    ig_steps: int = Field(default=5, ge=1, le=32, description="points on the path from corrupted to clean inputs")
