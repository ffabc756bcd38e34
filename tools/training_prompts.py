"""Prompts to fit something on, none of which is tested on: explore prompts of another seed."""

from tools.errors import ExperimentError
from tools.experiment import TaskParams
from tools.measurement import Measurement, draw
from tools.prompts import Prompts


def training_prompts(m: Measurement, params: TaskParams, n: int) -> Prompts:
    """Up to n explore prompts without those that `m` tests on. Raises ExperimentError when few are left."""
    explore = params.model_copy(update={"split": "explore"})
    drawn = draw(m.lab, m.task, explore, n=n, seed=params.seed + 1)
    tested = set(m.prompts.row_hashes)
    rows = [i for i, name in enumerate(drawn.row_hashes) if name not in tested]
    if len(rows) < n // 2:
        raise ExperimentError(
            f"of {n} training prompts only {len(rows)} are not tested on; task {params.task!r} has too few "
            "different prompts: lower n, or test on the confirm split."
        )
    return drawn.subset(rows)
