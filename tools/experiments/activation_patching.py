"""Activation patching over any site, in both directions, by layer, head and position.

Reports: array `effect` [layers, items, positions] (items: heads, key/value groups or chosen neurons, one item for whole
sites; one position "all" unless positions are asked for), `effect_per_prompt` [layers x items x positions, n] in the
same order; labels `layers`, `items`, `positions`; table `sites`, largest first; estimate `strongest` and `gap`,
`accuracy`. Effects are restore (denoise) or harm (noise), as shares of the gap.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from tools.component import Component
from tools.costs import Cost, patched, whole
from tools.decoder import Site
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.interventions import Intervention, Source, Variant, Where
from tools.measurement import Measurement, measure
from tools.models import LoadedModel
from tools.result import Result
from tools.runner import Base

MAX_RUNS = 20_000
PER_HEAD: tuple[Site, ...] = ("z", "q", "pattern")
PER_GROUP: tuple[Site, ...] = ("k", "v")


class ActivationPatching(TaskParams):
    """Which activations are exchanged between the two runs."""

    site: Site = Field(default="resid_pre", description="the activation, by its TransformerLens name")
    direction: Literal["denoise", "noise"] = Field(
        default="denoise", description="denoise: clean into the corrupted run (restore); noise: the other way (harm)"
    )
    layers: list[int] | None = Field(default=None, description="layers to patch; all when absent")
    neurons: list[int] | None = Field(
        default=None, description="for site neurons: which ones; the whole layer when absent"
    )
    positions: list[str] | None = Field(
        default=None,
        description="position labels such as END, each patched on its own; every position at once when absent",
    )
    by_token: bool = Field(
        default=False, description="patch every token position on its own (prompts of one length only)"
    )


def _cost(params: ActivationPatching, model: LoadedModel) -> Cost:
    per_layer = {True: model.n_heads, False: model.n_kv_heads if params.site in PER_GROUP else 1}[
        params.site in PER_HEAD
    ]
    items = len(params.neurons) if params.site == "neurons" and params.neurons else per_layer
    places = 16 if params.by_token else len(params.positions or [""])
    layers = range(model.n_layers) if params.layers is None else params.layers
    targets = [Component("mlp", layer) for layer in layers] * (items * places)
    return whole(2 * params.n) + patched(targets, params.n, model)


@experiment("activation-patching", version=1, kind="causal", cost=_cost)
def activation_patching(lab: Lab, params: ActivationPatching) -> Result:
    """Where the behaviour's information sits: a sweep of patches over layers, heads and positions at any site.

    Denoising puts clean activations into the corrupted run and asks what they restore; noising puts corrupted ones into
    the clean run and asks what that costs. Sites: resid_pre/mid/post, attn_out, mlp_out, z, q, k, v, pattern, neurons. In
    grouped-query models k and v are patched per key/value group. The two directions answer different questions:
    denoising finds what suffices, noising what is needed.
    """
    m = measure(lab, params)
    layers = _layers(m, params)
    items = _items(m, params)
    places = _places(m, params)
    base: Base = "corrupted" if params.direction == "denoise" else "clean"
    value: Source = "clean" if params.direction == "denoise" else "corrupted"
    variants: list[Variant] = [
        (Intervention(layer, params.site, index, value, where),)
        for layer in layers
        for _, index in items
        for _, where in places
    ]
    if len(variants) > MAX_RUNS:
        raise ExperimentError(
            f"{len(variants)} patches are too many for one run (at most {MAX_RUNS}); name fewer layers."
        )
    metric = m.runner.run(variants, base=base, text=f"{len(variants)} patches of {params.site}").metric
    shares = m.restored(metric) if params.direction == "denoise" else m.harm(metric)
    mean = shares.mean(1)
    names = [_name(params.site, layer, item, place) for layer in layers for item, _ in items for place, _ in places]
    top = int(np.abs(mean).argmax())
    quantity = "restores" if params.direction == "denoise" else "costs"
    order = np.argsort(-np.abs(mean), kind="stable")[:100]
    return m.result(
        "activation-patching",
        1,
        f"patching {names[top]} {quantity} {mean[top]:+.3f} of the gap, the most of {len(names)} patches.",
        [*m.behaviour_estimates(), m.estimate("strongest", shares[top])],
        tables={"sites": [{"site": names[int(i)], "effect": round(float(mean[int(i)]), 5)} for i in order]},
        labels={
            "layers": [str(layer) for layer in layers],
            "items": [name for name, _ in items],
            "positions": [name for name, _ in places],
        },
        arrays={
            "effect": mean.reshape(len(layers), len(items), len(places)),
            "effect_per_prompt": shares.astype(np.float32),
        },
    )


def _layers(m: Measurement, params: ActivationPatching) -> list[int]:
    n_layers = m.lab.model.n_layers
    layers = list(range(n_layers)) if params.layers is None else params.layers
    wrong = [layer for layer in layers if not 0 <= layer < n_layers]
    if wrong or not layers:
        raise ExperimentError(f"layers {wrong or layers} do not exist: this model has layers 0 to {n_layers - 1}.")
    if params.site in ("neurons", "mlp_out") and not m.lab.model.d_mlp:
        raise ExperimentError(f"{m.lab.model.name} has no MLPs, so it has no site {params.site}.")
    return layers


def _items(m: Measurement, params: ActivationPatching) -> list[tuple[str, int | None]]:
    """What is patched within a layer: names and indices."""
    model = m.lab.model
    if params.site in PER_HEAD:
        return [(f"h{i}", i) for i in range(model.n_heads)]
    if params.site in PER_GROUP:
        kind = "h" if model.n_kv_heads == model.n_heads else "g"
        return [(f"{kind}{i}", i) for i in range(model.n_kv_heads)]
    if params.site == "neurons" and params.neurons is not None:
        wrong = [i for i in params.neurons if not 0 <= i < model.d_mlp]
        if wrong or not params.neurons:
            raise ExperimentError(f"neurons {wrong} do not exist: each MLP has neurons 0 to {model.d_mlp - 1}.")
        return [(f"n{i}", i) for i in params.neurons]
    return [("", None)]


def _places(m: Measurement, params: ActivationPatching) -> list[tuple[str, Where | None]]:
    if params.by_token and params.positions:
        raise ExperimentError("choose either position labels or by_token, not both.")
    if params.by_token:
        lengths = sorted(set(m.prompts.lengths.tolist()))
        if len(lengths) > 1:
            raise ExperimentError(f"by_token needs prompts of one length, these have {lengths}; keep one template.")
        return [(str(token), Where(token=token)) for token in range(lengths[0])]
    if params.positions is None:
        return [("all", None)]
    for label in params.positions:
        m.prompts.position(label)
    return [(label, Where(label)) for label in params.positions]


def _name(site: Site, layer: int, item: str, place: str) -> str:
    """A patch in the product's own words where it has one, else the site's."""
    at = "" if place == "all" else f"@{place}"
    if site == "z":
        return f"{Component('head', layer, int(item[1:]))}{at}"
    names = {"resid_pre": f"resid{layer}", "attn_out": f"a{layer}", "mlp_out": f"m{layer}", "neurons": f"m{layer}"}
    stem = names.get(site, f"{site}{layer}")
    return stem + (f".{item}" if item else "") + at
