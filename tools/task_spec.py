"""What every task has in common, whatever it is drawn from: a name, a gate, and `draw(vocab, draw) ->
Prompts`.

A task may come from a YAML file (`tools/task_templates.py`, `tools/task_tokens.py`), from a planted model
(`tools/planted.py`) or from a folder with a compiled model (`tools/cases.py`). This module holds the contract
only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from tools.errors import ExperimentError
from tools.prompts import Prompts, Split
from tools.vocab import Vocab

Metric = Literal["logit_diff", "signed_value"]


class Gate(BaseModel):
    """What a model must do before any mechanism is tested on a task (METHOD 1.5).

    `corrupted_share`: |corrupted metric| must stay below this share of the gap; None for corruptions that
    flip the answer, where the corrupted metric is as large as the clean one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accuracy: float = Field(default=0.80, ge=0, le=1, description="share of prompts with the answer above the foil")
    template_accuracy: float = Field(default=0.70, ge=0, le=1, description="the same within each template")
    gap: float = Field(default=1.0, ge=0, description="lower bound of mean clean minus mean corrupted metric")
    relative: bool = Field(
        default=False, description="right means above the corrupted run, not above 0: for numbers read without a foil"
    )
    corrupted_share: float | None = Field(default=0.25, gt=0, description="largest |corrupted metric| over the gap")


@dataclass(frozen=True)
class Draw:
    """Which prompts to draw. `templates` and `corruption` are the task's first choice when None."""

    n: int
    split: Split = "explore"
    seed: int = 0
    templates: tuple[str, ...] | None = None
    corruption: str | None = None


@dataclass(frozen=True)
class TaskInfo:
    """What is known of a task before a model sees it. `unit` is what the metric is measured in."""

    name: str
    version: str
    title: str
    description: str
    templates: tuple[str, ...]
    corruptions: tuple[str, ...]
    gate: Gate
    metric: Metric = "logit_diff"
    unit: str = "logits"
    positions: tuple[str, ...] = ("END",)
    literature: tuple[str, ...] = ()
    literature_says: str = ""
    needs_tokenizer: bool = True


class Task(Protocol):
    """A behaviour with data."""

    @property
    def info(self) -> TaskInfo:
        """Name, version, templates, gate, literature."""
        ...

    def draw(self, vocab: Vocab | None, draw: Draw) -> Prompts:
        """Clean/corrupted pairs. The same draw gives the same prompts; a larger n begins with the smaller n's
        rows.

        Raises ExperimentError when the tokenizer splits what must be one token or too few prompts exist.
        """
        ...


def chosen(name: str, what: str, wanted: Iterable[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The wanted ones in the task's own order; all when None. Raises ExperimentError listing what there is."""
    if wanted is None:
        return known
    names = set(wanted)
    if unknown := sorted(names - set(known)):
        raise ExperimentError(f"task {name!r} has no {what} {unknown[0]!r}; it has {', '.join(known)}.")
    if not names:
        raise ExperimentError(f"no {what} of task {name!r} was chosen; it has {', '.join(known)}.")
    return tuple(one for one in known if one in names)
