"""Head and MLP ablation: what does the behaviour lose without a component (METHOD 1, T1, T1b)?

Reports, for one component or a joint set: estimates `harm`, `direct_effect`, `repair`, `kl`, `p_answer`, `top1`
and, when controls were drawn, `rank_p`; arrays `harm_per_prompt` [n], `direct_per_prompt` [n], `control_harm` [J];
labels `components`, `controls`, `prompts` (template of each prompt). For a sweep (several components, not joint):
arrays `harm` and `harm_mlp` ([layers, heads], [layers]; NaN-free, see `labels["components"]`), `harm_per_prompt`
[components, n], and an estimate `harm:<component>` each. Every result has `gap`, `accuracy`.
"""

from typing import Literal

from pydantic import Field

from tools.experiment import TaskParams

AblationMethod = Literal["resample", "mean", "zero"]


class HeadAblation(TaskParams):
    """What to ablate, how, and against which controls."""

    components: list[str] | None = Field(
        default=None, description="heads (a5.h1), MLPs (m3) or neurons (m3.n17); every head when absent"
    )
    mlps: bool = Field(default=False, description="in a sweep over everything, also ablate each MLP")
    method: AblationMethod = Field(
        default="resample",
        description="resample: the value from the paired corrupted prompt; mean: the mean over corrupted prompts of "
        "the same template, position by position; zero: nothing",
    )
    joint: bool = Field(default=False, description="ablate all listed components together instead of one by one")
    position: str | None = Field(default=None, description="position label, e.g. END; all positions when absent")
    controls: list[str] | None = Field(default=None, description="matched control components, named one by one")
    n_controls: int = Field(default=0, ge=0, le=999, description="random matched controls to draw (METHOD: 39)")
    band: int = Field(default=4, ge=0, description="controls come from layers within this distance")
    exclude: list[str] = Field(default_factory=list, description="never drawn as controls, e.g. the screen's nominees")
    control_seed: int = Field(default=0, ge=0, description="seed the controls are drawn with")
    mean_prompts: int = Field(default=128, ge=8, le=1024, description="corrupted prompts per template for the mean")
