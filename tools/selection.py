"""Which components a sweep covers, and which ones serve as matched controls.

Controls are drawn by seed from components of the same kind within a band of layers, never the claimed ones nor those
the screen nominated (METHOD T1-C3); for a set, each control set has the same number of components of each kind in each
layer where that is possible (METHOD T1b). This module knows sizes, not weights.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from tools.component import Component, check_component, parse_component
from tools.errors import ExperimentError


class Sizes(Protocol):
    """What of a model matters here."""

    n_layers: int
    n_heads: int
    d_mlp: int
    name: str


def every_head(model: Sizes) -> list[Component]:
    """All heads, layer by layer."""
    return [Component("head", layer, head) for layer in range(model.n_layers) for head in range(model.n_heads)]


def every_mlp(model: Sizes) -> list[Component]:
    """All MLPs; none in attention-only models."""
    return [Component("mlp", layer) for layer in range(model.n_layers)] if model.d_mlp else []


def read_components(names: Sequence[str], model: Sizes) -> list[Component]:
    """Parse and check names. Raises ExperimentError for one that the model lacks, or an empty or repeated list."""
    found = [parse_component(name) for name in names]
    if not found:
        raise ExperimentError("no component was named; name at least one, e.g. a5.h1, or leave the list out for all.")
    if len(set(found)) != len(found):
        raise ExperimentError(f"a component is named twice in {[str(c) for c in found]}.")
    for component in found:
        check_component(component, model.n_layers, model.n_heads)
        if component.kind in ("mlp", "neuron") and not model.d_mlp:
            raise ExperimentError(f"{component} does not exist: {model.name} has no MLPs.")
        if component.kind == "neuron" and not 0 <= (component.index or 0) < model.d_mlp:
            raise ExperimentError(f"{component} does not exist: each MLP has neurons 0 to {model.d_mlp - 1}.")
    return found


def pool_for(component: Component, model: Sizes, band: int, taken: set[Component]) -> list[Component]:
    """Components of the same kind within `band` layers (same position label), without `taken`."""
    layers = range(max(0, component.layer - band), min(model.n_layers - 1, component.layer + band) + 1)
    match component.kind:
        case "head":
            found = [Component("head", layer, head) for layer in layers for head in range(model.n_heads)]
        case "neuron":
            step = max(1, model.d_mlp // 512)
            found = [Component("neuron", layer, i) for layer in layers for i in range(0, model.d_mlp, step)]
        case _:
            found = [Component(component.kind, layer) for layer in layers]
    bare = {replace(other, position=None) for other in taken}
    return [replace(other, position=component.position) for other in found if other not in bare]


def draw_controls(
    claimed: Sequence[Component], model: Sizes, *, n: int, band: int, exclude: Sequence[Component], seed: int
) -> list[tuple[Component, ...]]:
    """Up to `n` distinct control sets, each matched to `claimed`; fewer when the model has no more."""
    generator = np.random.default_rng(seed)
    taken = set(claimed) | set(exclude)
    if len(claimed) == 1:
        pool = pool_for(claimed[0], model, band, taken)
        if not pool:
            raise ExperimentError(f"no matched control is left for {claimed[0]} within {band} layers; widen the band.")
        order = generator.permutation(len(pool))[:n]
        return [(pool[int(i)],) for i in order]
    return _draw_sets(claimed, lambda c, b: pool_for(c, model, b, taken), n, band, generator)


def _draw_sets(
    claimed: Sequence[Component],
    pool: Callable[[Component, int], list[Component]],
    n: int,
    band: int,
    generator: np.random.Generator,
) -> list[tuple[Component, ...]]:
    """Random sets with the layer profile of `claimed`; a member with no free neighbour in its layer moves in the band."""
    found: dict[tuple[Component, ...], None] = {}
    for _ in range(20 * n):
        if len(found) == n:
            break
        chosen: list[Component] = []
        for member in claimed:
            near = [c for c in pool(member, 0) if c not in chosen] or [c for c in pool(member, band) if c not in chosen]
            if not near:
                raise ExperimentError(f"no matched control is left for {member} within {band} layers; widen the band.")
            chosen.append(near[int(generator.integers(len(near)))])
        found.setdefault(tuple(sorted(chosen)))
    return list(found)
