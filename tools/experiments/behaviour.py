"""Does the model do the task at all (METHOD 1.5)? Nothing is claimed about a mechanism before this passes.

Reports: estimates `accuracy` (answer above foil), `top1`, `gap`, `clean_metric`, `corrupted_metric`; table
`templates` (template, n, accuracy, top1, clean_metric, gap, passed); label `kept_templates`; arrays `clean_metric`,
`corrupted_metric` [n]; control `gate`.
"""

from pydantic import Field

from tools.experiment import TaskParams


class Behaviour(TaskParams):
    """The gate's numbers; the defaults are METHOD 1.5."""

    min_accuracy: float = Field(default=0.80, ge=0, le=1, description="accuracy asked of all prompts together")
    min_template_accuracy: float = Field(default=0.70, ge=0, le=1, description="accuracy asked of each template")
    min_gap: float | None = Field(
        default=None,
        description="lower bound of the gap in logits; 1.0, or a tenth of the metric's own scale on hand-built models, when absent",
    )
    max_corrupted: float = Field(default=0.25, ge=0, description="largest corrupted metric, as a share of the gap")
