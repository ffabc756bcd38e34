"""Denoising activation patching: how much of the behaviour does a clean component restore (METHOD 1, T2)?

Reports, for one component or a joint set: estimates `restore`, `p_answer`, `top1`, with controls `rank_p`, with
neighbours `neighbour_restore` (the largest over neighbours) and `localisation` (half of restore minus the largest
neighbour's, positive when the effect is local); arrays `restore_per_prompt` [n], `control_restore` [J],
`neighbour_restore_per_prompt` [neighbours, n]; labels `components`, `controls`, `neighbours`, `prompts`. For a sweep:
arrays `restore` [layers, heads], `restore_mlp` [layers], `restore_per_prompt` [components, n], and an estimate
`restore:<component>` each. Every result has `gap`, `accuracy`.
"""

from pydantic import Field

from tools.experiment import TaskParams


class HeadPatching(TaskParams):
    """What is patched from the clean run into the corrupted run, where, and against which controls."""

    components: list[str] | None = Field(
        default=None,
        description="heads (a5.h1), attention layers (a5), MLPs (m3) or residual sites (resid7@END); every head when absent",
    )
    mlps: bool = Field(default=False, description="in a sweep over everything, also patch each MLP")
    joint: bool = Field(default=False, description="patch all listed components together instead of one by one")
    position: str | None = Field(default=None, description="position label, e.g. END; all positions when absent")
    neighbours: int = Field(
        default=0, ge=0, le=8, description="the same patch at this many nearest other positions (METHOD T2-C3: 3)"
    )
    controls: list[str] | None = Field(default=None, description="matched control components, named one by one")
    n_controls: int = Field(default=0, ge=0, le=999, description="random matched controls to draw (METHOD: 39)")
    band: int = Field(default=4, ge=0, description="controls come from layers within this distance")
    exclude: list[str] = Field(default_factory=list, description="never drawn as controls, e.g. the screen's nominees")
    control_seed: int = Field(default=0, ge=0, description="seed the controls are drawn with")
