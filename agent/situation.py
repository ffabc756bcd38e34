"""What is known before a claim is registered: the model, the task, and what the explore prompts showed.

All of it goes into the registration (METHOD section 7: the access disclosure), because a preregistration that hides
what its writer had seen proves nothing. Nothing here may be used as evidence.
"""

import random
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from tools.component import Component, parse_component
from tools.result import content_hash

CONTROLS = 39
BAND = 4
CLEAR_SCORE = 0.01
NOMINATED = 0.02


class Facts(BaseModel):
    """Strict and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelFacts(Facts):
    """The model under study, as far as claims about it need it."""

    spec: str
    name: str
    sha256: str
    revision: str = ""
    dtype: str = "float32"
    n_layers: int
    n_heads: int
    has_mlps: bool = True
    causal: bool = True

    @property
    def n_components(self) -> int:
        """Heads and MLPs together."""
        return self.n_layers * (self.n_heads + self.has_mlps)

    def heads(self) -> list[str]:
        """Every head, by layer."""
        return [str(Component("head", layer, h)) for layer in range(self.n_layers) for h in range(self.n_heads)]

    def mlps(self) -> list[str]:
        """Every MLP, by layer."""
        return [str(Component("mlp", layer)) for layer in range(self.n_layers)] if self.has_mlps else []


class TaskFacts(Facts):
    """The task, before any model sees it."""

    name: str
    version: str
    title: str = ""
    templates: list[str] = Field(default_factory=list)
    corruption: str = ""
    positions: list[str] = Field(default_factory=list)
    metric: str = "logit_diff"
    control_tasks: list[str] = Field(default_factory=list)


class GateFacts(Facts):
    """What the behaviour gate said on explore prompts."""

    passed: bool
    accuracy: float
    gap: float
    kept_templates: list[str]
    reason: str = ""
    result_id: str


class ScreenFacts(Facts):
    """What the screen said on explore prompts: who was nominated, how strongly, and the model's own floor."""

    nominated: dict[str, float] = Field(description="component -> largest |score|, strongest first")
    delta1: float = Field(description="never below 0.05 (METHOD 5.8)")
    scores: dict[str, float] = Field(
        default_factory=dict, description="small models: |resample harm| of every component"
    )
    zeroed: dict[str, float] = Field(default_factory=dict, description="small models: |zero harm| of every component")
    exact: bool = Field(description="whether the scores are exact harms (small models) or gradient estimates")
    n: int
    result_id: str

    direct: dict[str, float] = Field(
        default_factory=dict, description="small models: |direct effect| of every component"
    )

    def partners(self, parts: Sequence[str], wanted: int = 3) -> list[str]:
        """The components most worth removing together with these: strongest by total, zeroed or direct effect."""
        tables = (self.scores, self.zeroed, self.direct)
        names = {name for table in tables for name in table} - set(parts)
        strength = {name: max(table.get(name, 0.0) for table in tables) for name in names}
        return sorted((n for n in names if strength[n] >= CLEAR_SCORE), key=lambda n: (-strength[n], n))[:wanted]

    def direct_writers(self) -> tuple[str, ...]:
        """Small models: components that write toward the answer themselves.

        Where either of two is enough, removal nominates neither; each restores, so neither is a control of the other.
        """
        return tuple(sorted(name for name, score in self.direct.items() if score >= NOMINATED))

    def strongest_method(self, component: str) -> Literal["resample", "zero"]:
        """The intervention that showed most on explore prompts; resample unless a small model's sweep says zero."""
        return "zero" if self.zeroed.get(component, 0.0) > self.scores.get(component, 0.0) else "resample"


class ControlFacts(Facts):
    """Another behaviour that the model shows too: what a claim of specificity is tested against."""

    task: str
    version: str
    kept_templates: list[str]
    all_templates: list[str]
    result_id: str

    def params(self) -> dict[str, Any]:
        """The parameters that run an experiment on it."""
        kept = {} if sorted(self.kept_templates) == sorted(self.all_templates) else {"templates": self.kept_templates}
        return {"task": self.task, **(kept if self.kept_templates else {})}


class Situation(Facts):
    """Everything a claim's predictions are built from."""

    model: ModelFacts
    task: TaskFacts
    gate: GateFacts
    screen: ScreenFacts | None = None
    seen: tuple[str, ...] = Field(default=(), description="what an investigation looked at besides, with result ids")
    nominees: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="components that this claim's own exploration chose, by what they are for"
    )
    controls: tuple[ControlFacts, ...] = Field(default=(), description="control behaviours of a claim of specificity")

    @model_serializer(mode="wrap")
    def _without_unused(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Fields that a claim has no use for are left out, so that they do not change its hash."""
        optional = ("nominees", "controls")
        return {name: value for name, value in plain(self).items() if name not in optional or value}

    def disclosure(self) -> list[str]:
        """What the proposer could have seen, in words, with result ids."""
        seen = [f"explore: behaviour gate ({self.gate.result_id})"]
        if self.screen is not None:
            what = "exact harms" if self.screen.exact else "AtP and IG ranks"
            seen.append(f"explore: {what} of all components, n = {self.screen.n} ({self.screen.result_id})")
        return [*seen, *self.seen]

    def excluded(self) -> list[str]:
        """Components that the screen nominated: never drawn as controls (METHOD 1.2, 5.2)."""
        return list(self.screen.nominated) if self.screen else []

    def template_params(self) -> dict[str, Any]:
        """The parameter that keeps the templates which passed the gate; empty when all did."""
        kept = self.gate.kept_templates
        return {} if not kept or sorted(kept) == sorted(self.task.templates) else {"templates": kept}


def matched_controls(
    component: str, situation: Situation, *, also_exclude: tuple[str, ...] = (), wanted: int = CONTROLS
) -> list[str]:
    """Up to `wanted` components of the same kind within four layers that the screen did not nominate.

    When that band holds too few, the whole depth is used, then nominees with a score below 0.01, then, in small
    models, components of the other kind. The draw depends on the component and the model, on nothing else.
    """
    part = parse_component(component)
    nominated = situation.screen.nominated if situation.screen else {}
    banned = {component, *also_exclude}
    heads, mlps = situation.model.heads(), situation.model.mlps()
    same, other = (heads, mlps) if part.kind in ("head", "attn", "neuron") else (mlps, heads)
    strong = {name for name, score in nominated.items() if score >= CLEAR_SCORE}
    near = [name for name in same if abs(parse_component(name).layer - part.layer) <= BAND]
    pools = [
        [name for name in near if name not in nominated],
        [name for name in same if name not in nominated],
        [name for name in same if name not in strong],
        [name for name in [*same, *other] if name not in strong],
    ]
    chosen: list[str] = []
    draw = random.Random(content_hash({"component": component, "model": situation.model.sha256}))
    for pool in pools:
        rest = [name for name in pool if name not in banned and name not in chosen]
        chosen += draw.sample(rest, min(wanted - len(chosen), len(rest)))
    return chosen
