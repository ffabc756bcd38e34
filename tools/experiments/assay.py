"""Is the instrument sound on this task (METHOD 1.5)? Run beside every verdict; one failure means no verdict.

Reports: controls `no-op patch`, `full residual patch`, `quiet heads`, `deterministic`, `tokenisation`, each with
`passed` and `observed`; estimates `gap`, `accuracy`, `noop_change`, `full_patch`, `null_median`; array `null_harm`.
"""

from pydantic import Field

from tools.experiment import TaskParams


class Assay(TaskParams):
    """The assay's sizes; the defaults are METHOD 1.5."""

    n_null: int = Field(default=20, ge=1, le=200, description="random heads that should be quiet")
    exclude: list[str] = Field(default_factory=list, description="heads nominated by the screen, never drawn as quiet")
    delta0: float = Field(default=0.02, gt=0, description="their median |harm| must stay below this")
    control_seed: int = Field(default=0, ge=0, description="seed the quiet heads are drawn with")
