"""What another experiment would cost on this model and this machine; it is not run.

Reports: estimates `forward_passes` and `seconds`, label `experiment`. The same estimate is the first progress that any
experiment reports.
"""

from typing import Any

from pydantic import Field, ValidationError

from tools.costs import NOTHING, Cost, Sizes
from tools.errors import ExperimentError
from tools.experiment import Lab, Params, experiment, find_experiment
from tools.result import Estimate, Provenance, Result


class CostOf(Params):
    """The experiment asked about, and its parameters."""

    experiment: str = Field(description="the experiment's name, e.g. circuit-evaluation")
    parameters: dict[str, Any] = Field(default_factory=dict, description="its parameters, as one JSON object")


def _cost(params: CostOf, model: Sizes) -> Cost:
    return NOTHING


@experiment("cost", version=1, kind="assay", cost=_cost)
def cost(lab: Lab, params: CostOf) -> Result:
    """How many forward passes and seconds another experiment would take here, without running it.

    Counted from its parameters and the model's sizes; seconds from what a pass took on this machine before, or from one
    timed now. An estimate: prompts' lengths and whatever else the machine does are not known.
    """
    asked = find_experiment(params.experiment)
    try:
        wanted = asked.params.model_validate(params.parameters)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'parameters'}: {e['msg']}" for e in error.errors()[:5])
        raise ExperimentError(f"{asked.name} cannot run with these parameters ({wrong}).") from None
    lab.step(0.5, "timing one pass")
    expected = asked.cost(wanted, lab.model)
    seconds = expected.work * lab.model.seconds_per_pass
    lab.step(1.0, "estimated")
    model = lab.model
    return Result(
        experiment="cost",
        version=1,
        params=params.model_dump(mode="json"),
        summary=f"{asked.name} would take {expected.says(seconds)} on {model.name} here.",
        estimates=[
            Estimate(name="forward_passes", value=expected.passes, unit="passes"),
            Estimate(name="seconds", value=seconds, unit="s"),
        ],
        labels={"experiment": [asked.name]},
        provenance=Provenance(
            model_name=model.name, model_sha256=model.sha256, model_dtype=model.dtype, device=model.device
        ),
    )
