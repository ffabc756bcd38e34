"""What is changed in a run, in symbols: this site takes its value from that run, at these positions.

An `Intervention` names a site of the model and where its new value comes from; a `Variant` is a set of
interventions made together in one run. Values are resolved per batch by the engine, so one variant serves prompts
of every length. This module knows neither weights nor prompts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tools.component import Component
from tools.decoder import Site
from tools.errors import ExperimentError

Source = Literal["clean", "corrupted", "mean", "zero"]
Channel = Literal["q", "k", "v", "pattern", "z"]


@dataclass(frozen=True)
class Where:
    """A position of each prompt: that of a label (END, S2), moved by `offset` tokens; `token` counts from 0 instead."""

    label: str | None = None
    offset: int = 0
    token: int | None = None


@dataclass(frozen=True)
class Intervention:
    """Set one site to a value. `index` is the head, key/value group or neuron; None means the whole site.

    `value` is a run to take the site from, or a function from the engine's `BatchView` to a tensor of the site's shape
    [rows, positions, ...]; `needs` are the further sites of both runs that such a function looks at. `where` None means
    every position.
    """

    layer: int
    site: Site
    index: int | None
    value: Source | Callable[[Any], Any]
    where: Where | None = None
    needs: tuple[tuple[int, Site], ...] = ()


Variant = tuple[Intervention, ...]


def intervene(
    component: Component,
    value: Source | Callable[[Any], Any],
    *,
    where: Where | None = None,
    channel: Channel = "z",
    n_layers: int,
) -> Intervention:
    """The intervention on a component; its own position label is used when `where` is absent.

    `channel` picks what of a head is set; k and v are meant per key/value group by the caller. Raises
    ExperimentError for components that are no site of one layer.
    """
    if where is None and component.position is not None:
        where = Where(component.position)
    match component.kind:
        case "head":
            return Intervention(component.layer, channel, component.index, value, where)
        case "attn":
            return Intervention(component.layer, "attn_out", None, value, where)
        case "mlp":
            return Intervention(component.layer, "mlp_out", None, value, where)
        case "neuron":
            return Intervention(component.layer, "neurons", component.index, value, where)
        case "resid" if component.layer == n_layers:
            return Intervention(n_layers - 1, "resid_post", None, value, where)
        case "resid" | "input":
            return Intervention(component.layer, "resid_pre", None, value, where)
        case _:
            raise ExperimentError(
                f"{component} cannot be patched here; name a head, an MLP, a neuron or a residual site."
            )


def joint(components: Sequence[Component], value: Source, *, where: Where | None = None, n_layers: int) -> Variant:
    """One variant that changes all the components together."""
    return tuple(intervene(component, value, where=where, n_layers=n_layers) for component in components)
