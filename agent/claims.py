"""A claim: one falsifiable statement of a known type about one model and one task, and the registry of the types.

METHOD section 2. The fields of a claim decide its id: two sentences that say the same are the same claim, and any
change of a field is another claim (with the old one as its parent). What a type predicts, how it is worded and which
near misses it must exclude stands in one module of `agent/claim_types/` each. This module knows no experiments.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent.errors import ClaimError
from tools.component import parse_component
from tools.result import content_hash

if TYPE_CHECKING:
    from agent.cards import VerdictWord
    from agent.findings import Finding
    from agent.predictions import Prediction
    from agent.situation import Situation
    from tools.result import Result

METHOD_VERSION = "2"

Direction = Literal["helps", "hurts"]
Strength = Literal["key", "plain", "minor"]

Explore = Callable[[str, dict[str, Any]], "tuple[str, Result]"]
"""Runs an experiment on the task's explore prompts; returns the result id and the result."""

FLOORS: dict[Strength, tuple[float, float]] = {"key": (0.02, 0.10), "plain": (0.02, 0.05), "minor": (0.005, 0.02)}


class Details(BaseModel):
    """Fields that only one claim type has; each type that needs some subclasses this."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(BaseModel):
    """One falsifiable statement. `said` holds the words it was stated in and is not part of its identity."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    model: str = Field(description="spec of the model, e.g. smollm2")
    task: str
    components: tuple[str, ...] = Field(description="printed component names; for an edge claim, its edges' ends")
    direction: Direction = "helps"
    strength: Strength = "plain"
    specific: bool = Field(default=False, description="the sentence says 'specifically': a control behaviour is tested")
    details: dict[str, Any] = Field(default_factory=dict)
    method: str = METHOD_VERSION
    parent_id: str | None = None
    revision: int = Field(default=0, ge=0, description="how many times this statement was revised after a verdict")
    said: str = ""

    @field_validator("components")
    @classmethod
    def _printed(cls, components: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(parse_component(name)) for name in components)

    @property
    def claim_id(self) -> str:
        """Content hash of everything but the words."""
        return "c" + content_hash(self.model_dump(mode="json", exclude={"said"}))[:24]

    @property
    def kind(self) -> "ClaimType":
        """The claim's type."""
        return find_claim_type(self.type)

    @property
    def text(self) -> str:
        """The claim in the court's own words, computed from its fields."""
        return self.kind.wording(self)

    @property
    def floors(self) -> tuple[float, float]:
        """delta0 and delta1 that the wording implies, before a model's own floor is known (METHOD T1)."""
        return FLOORS[self.strength]

    def detail(self) -> Details:
        """The type's own fields, validated. Raises ClaimError naming what is wrong."""
        try:
            return self.kind.details.model_validate(self.details)
        except ValueError as error:
            raise ClaimError(f"A {self.type} claim lacks or misuses a field: {error}") from error


@dataclass(frozen=True)
class ClaimType:
    """What one kind of claim is. `near_misses` maps each false neighbour to the critical keys that exclude it.

    `explore` looks at explore prompts for what this type's predictions still need (readers of a head, a control
    behaviour); what it finds is registered. `untested` names what METHOD asks of this wording and no registered
    prediction tests; then the claim is never supported.
    """

    name: str
    code: str
    rung: Callable[[Claim], int]
    wording: Callable[[Claim], str]
    predictions: "Callable[[Claim, Situation], list[Prediction]]"
    near_misses: "Callable[[Claim, Sequence[Prediction]], dict[str, list[str]]]"
    displayed: "Callable[[Claim, VerdictWord, Mapping[str, Finding]], str]"
    details: type[Details] = Details
    narrower: str = ""
    explore: "Callable[[Claim, Situation, Explore], Situation]" = lambda claim, situation, run: situation
    untested: "Callable[[Claim, Sequence[Prediction]], str]" = lambda claim, predictions: ""


_TYPES: dict[str, ClaimType] = {}


def register_type(kind: ClaimType) -> ClaimType:
    """Add a claim type. Raises ValueError if its name is taken by another one."""
    if _TYPES.get(kind.name, kind) != kind:
        raise ValueError(f"a claim type named {kind.name!r} exists already")
    _TYPES[kind.name] = kind
    return kind


def claim_types() -> dict[str, ClaimType]:
    """Every claim type by name; imports the modules of `agent/claim_types` on first use."""
    package = importlib.import_module("agent.claim_types")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"agent.claim_types.{module.name}")
    return dict(sorted(_TYPES.items()))


def find_claim_type(name: str) -> ClaimType:
    """The type of that name. Raises ClaimError listing what exists."""
    if name not in _TYPES and name not in claim_types():
        raise ClaimError(f"No claim type is called {name!r}; there are: {', '.join(claim_types())}.")
    return _TYPES[name]


def revised(claim: Claim) -> Claim:
    """The same statement as a linked new claim, to be tried again where the old registration no longer holds."""
    return claim.model_copy(update={"parent_id": claim.claim_id, "revision": claim.revision + 1})


def task_word(task: str) -> str:
    """A task's name as it stands in a sentence: IOI, not ioi."""
    return task.upper() if len(task) <= 4 and task.isalpha() else task


def spoken(component: str) -> str:
    """A component as it is said: head a20.h0, MLP m3."""
    part = parse_component(component)
    words = {"head": "head ", "mlp": "MLP ", "attn": "attention layer ", "neuron": "neuron ", "resid": "site "}
    return words.get(part.kind, "") + str(part)


def listed(components: tuple[str, ...] | list[str]) -> str:
    """`a, b and c`."""
    names = list(components)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
