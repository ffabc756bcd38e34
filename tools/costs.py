"""What an experiment will cost before it runs: forward passes from its parameters, seconds from a timing on this machine.

Every experiment gives a `Cost` for its parameters and the model's sizes: `passes`, one prompt through the model each,
and `work`, the same with passes that enter at a later layer counted by the share of the layers they run. Seconds are
work times what one whole pass takes here: timed once on a few tokens, later taken from what experiments really took.
An estimate, not a promise: it does not see how busy the machine will be or how long the prompts are.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from tools.component import Component, parse_component
from tools.errors import ToolsError


class Sizes(Protocol):
    """What of a model matters here."""

    n_layers: int
    n_heads: int
    d_mlp: int


class Cost(NamedTuple):
    """Forward passes, and whole-pass equivalents of them."""

    passes: float
    work: float

    def __add__(self, other: "Cost") -> "Cost":  # pyright: ignore[reportIncompatibleMethodOverride]  # sums, not tuples
        return Cost(self.passes + other.passes, self.work + other.work)

    def says(self, seconds: float) -> str:
        """The estimate in words."""
        return f"about {self.passes:,.0f} forward passes, {spoken_seconds(seconds)}"


NOTHING = Cost(0.0, 0.0)


def whole(passes: float) -> Cost:
    """Passes through the whole model."""
    return Cost(float(passes), float(passes))


def backward(passes: float) -> Cost:
    """Runs forward and back: each counts as two passes and takes about three."""
    return Cost(2.0 * passes, 3.0 * passes)


def patched(components: Sequence[Component], n: float, model: Sizes) -> Cost:
    """n prompts with each component changed on its own: a run enters at the component's layer."""
    shares = [1 - min(c.layer, model.n_layers - 1) / model.n_layers for c in components]
    return Cost(float(n) * len(shares), float(n) * sum(shares))


def everything(model: Sizes, *, mlps: bool) -> list[Component]:
    """All heads, and all MLPs."""
    heads = [Component("head", layer, h) for layer in range(model.n_layers) for h in range(model.n_heads)]
    return heads + ([Component("mlp", layer) for layer in range(model.n_layers)] if mlps and model.d_mlp else [])


def named(names: Sequence[str]) -> list[Component]:
    """Components by name; what cannot be read is left for the experiment to refuse."""
    found = []
    for name in names:
        for part in name.split("+"):
            try:
                found.append(parse_component(part))
            except ToolsError:
                continue
    return found


def sweep(params: Any, model: Sizes) -> Cost:
    """Targets and controls of head-ablation and head-patching, with both plain runs."""
    targets = everything(model, mlps=params.mlps) if params.components is None else named(params.components)
    if params.joint and targets:
        targets = [min(targets, key=lambda c: c.layer)]
    controls = len(params.controls or []) or params.n_controls
    extra = targets[:1] * controls
    return whole(2 * params.n) + patched([*targets, *extra], params.n, model)


def spoken_seconds(seconds: float) -> str:
    """`45 s`, `12 min`, `2.5 h`."""
    if seconds < 90:
        return f"{max(1.0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
