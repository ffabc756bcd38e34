"""What a job asks of the bench: one experiment on one model, for one registered prediction or for none."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Asked:
    """What somebody wants measured; `prediction_id` names the registered prediction that it is evidence for.

    `afresh`: run it even if the same call was finished before by another run.
    """

    experiment: str
    params: dict[str, Any]
    model: str
    run_id: str
    prediction_id: str | None = None
    look: int = 1
    afresh: bool = False
