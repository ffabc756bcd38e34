"""What is known of a planted model: circuit, roles, and the effects that follow from its construction.

Effects are shares of the gap on the first corruption of the model's own task. They are derived from the weights by
hand and checked by intervening (tests/tools/test_planted.py).
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tools.planted_build import Blueprint
from tools.task_spec import Task

VOCAB = 26
N_CTX = 20


@dataclass(frozen=True)
class Effect:
    """What follows from the construction for one component, in shares of the gap; None where nothing follows."""

    resample: float | None = None
    zero: float | None = None
    restore: float | None = None


@dataclass(frozen=True)
class Truth:
    """What is true of a planted model.

    `circuit`: the components that take part in the task. `edges`: its connections. `roles`: what a component does, in
    METHOD's words where there is one. `effects` holds every component whose removal or patching has a known size;
    components absent from it have none. `joint`: harm of zeroing a set together. `traps`: what a careless reading gets
    wrong.
    """

    circuit: tuple[str, ...]
    edges: tuple[str, ...]
    roles: dict[str, str]
    effects: dict[str, Effect]
    irrelevant: tuple[str, ...]
    joint: dict[tuple[str, ...], float] = field(default_factory=dict)
    traps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planted:
    """A planted model before it becomes a HookedTransformer."""

    name: str
    config: dict[str, Any]
    state: dict[str, Tensor]
    task: Task
    truth: Truth


def gains(seed: int, size: int = VOCAB) -> Tensor:
    """Per-token gains with mean 1, and 0 for BOS: what makes prompts differ a little."""
    generator = torch.Generator().manual_seed(seed)
    values = 0.9 + 0.2 * torch.rand(size, generator=generator)
    values[1:] /= values[1:].mean()
    values[0] = 0.0
    return values


def words(size: int = VOCAB) -> Tensor:
    """1 for every token, 0 for BOS."""
    column = torch.ones(size)
    column[0] = 0.0
    return column


def direct_noise(seed: int, size: int = VOCAB) -> Tensor:
    """What each token adds to the logits by itself: small, so that metrics of different prompts differ."""
    return 0.3 * torch.randn(size, size, generator=torch.Generator().manual_seed(seed))


def plant(name: str, blueprint: Blueprint, task: Task, truth: Truth) -> Planted:
    """Compile a blueprint into a planted model."""
    config, state = blueprint.compile(f"planted-{name}")
    return Planted(name, config, state, task, truth)
