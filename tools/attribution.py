"""Direct logit attribution: what each part writes straight into the metric, with the final norm frozen.

The metric is linear in the normed final stream, and with the norm's scale held at its value in the reference run it is
linear in the stream itself; so it splits exactly into the embedding, every head, every MLP and the biases. The norm's
own weight is applied (PITFALLS 8). Direct effects say nothing of what later layers make of a write.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tools.activations import Activations, ReadoutPlan
from tools.decoder import Decoder, Norm, Site
from tools.engine import Engine
from tools.prompts import NO_FOIL, Floats, PromptGroup
from tools.runner import Base


@dataclass
class Parts:
    """Contributions to the metric of n prompts: heads [layers, heads, n], mlps [layers, n], embed [n], bias [n]."""

    heads: Floats
    mlps: Floats
    embed: Floats
    bias: Floats

    def total(self) -> Floats:
        """Everything added up: the metric itself, [n]."""
        return self.heads.sum((0, 1)) + self.mlps.sum(0) + self.embed + self.bias


def pull_back(norm: Norm, direction: Tensor, reference: Tensor) -> Tensor:
    """The direction in the stream whose dot product equals `direction` after the norm, its scale taken at `reference`."""
    if norm.kind == "none":
        return direction
    weighted = direction if norm.weight is None else direction * norm.weight
    centred = norm.kind == "layer"
    base = reference - reference.mean(-1, keepdim=True) if centred else reference
    scaled = weighted * torch.rsqrt(base.pow(2).mean(-1, keepdim=True) + norm.eps)
    return scaled - scaled.mean(-1, keepdim=True) if centred else scaled


def sites_needed(decoder: Decoder) -> set[tuple[int, Site]]:
    """What of a run must be recorded to split it."""
    layers = range(len(decoder.blocks))
    wanted: set[tuple[int, Site]] = {(0, "resid_pre"), (layers[-1], "resid_post")}
    for layer in layers:
        wanted.add((layer, "z"))
        if decoder.blocks[layer].mlp is not None:
            wanted.add((layer, "mlp_out"))
    return wanted


@torch.no_grad()
def attribute(engine: Engine, run: Base = "clean", frozen_at: Base = "clean") -> Parts:
    """Split the metric of one plain run; the norm's scale is that of the `frozen_at` run."""
    decoder, n = engine.decoder, len(engine.prompts)
    layers, heads = len(decoder.blocks), decoder.blocks[0].attn.n_heads
    parts = Parts(np.zeros((layers, heads, n)), np.zeros((layers, n)), np.zeros(n), np.zeros(n))
    wanted, last = sites_needed(decoder), layers - 1
    for group in engine.groups():
        acts = engine.recorded(group, run, wanted)
        final = acts if run == frozen_at else engine.recorded(group, frozen_at, {(last, "resid_post")})
        _split(engine, group, acts, final[last, "resid_post"], parts)
        engine.step(0.5, "splitting the logit difference")
    return parts


def _split(engine: Engine, group: PromptGroup, acts: Activations, final: Tensor, parts: Parts) -> None:
    decoder = engine.decoder
    plan = ReadoutPlan(group.readouts, len(group.rows), engine.device)
    answer = torch.as_tensor(group.readouts.answer, device=engine.device)
    foil = torch.as_tensor(group.readouts.foil, device=engine.device)
    weight = torch.as_tensor(group.readouts.weight, device=engine.device).to(final.dtype)
    has_foil = (foil != NO_FOIL)[:, None]
    direction = decoder.w_u[answer] - torch.where(has_foil, decoder.w_u[foil.clamp(min=0)], 0)
    at = plan.columns[plan.column]
    stream = pull_back(decoder.final_norm, direction, final[plan.row, at]) * weight[:, None]

    def add(target: Floats, values: Float[Tensor, "*rest r"]) -> None:
        total = torch.zeros(*values.shape[:-1], len(group.rows), dtype=values.dtype, device=values.device)
        target[..., group.rows] += total.index_add(-1, plan.row, values).double().cpu().numpy()

    add(parts.embed, (acts[0, "resid_pre"][plan.row, at] * stream).sum(-1))
    for layer, block in enumerate(decoder.blocks):
        back = (stream @ block.attn.w_o).unflatten(-1, (block.attn.n_heads, -1))
        add(parts.heads[layer], (acts[layer, "z"][plan.row, at] * back).sum(-1).T)
        if block.attn.b_o is not None:
            add(parts.bias, stream @ block.attn.b_o)
        if block.mlp is not None:
            add(parts.mlps[layer], (acts[layer, "mlp_out"][plan.row, at] * stream).sum(-1))
    if decoder.final_norm.bias is not None:
        add(parts.bias, (direction * weight[:, None]) @ decoder.final_norm.bias)
    if decoder.b_u is not None:
        logit_bias = decoder.b_u[answer] - torch.where(has_foil[:, 0], decoder.b_u[foil.clamp(min=0)], 0)
        add(parts.bias, logit_bias * weight)


def direct_effects(clean: Parts, other: Parts, gap: float) -> Parts:
    """How much of the metric each part stops writing when its value is taken from the `other` run, over the gap."""
    return Parts(
        (clean.heads - other.heads) / gap,
        (clean.mlps - other.mlps) / gap,
        (clean.embed - other.embed) / gap,
        (clean.bias - other.bias) / gap,
    )


def of_components(parts: Parts, components: Sequence[tuple[str, int, int | None]]) -> Floats:
    """[components, n]: heads as ("head", layer, index), MLPs as ("mlp", layer, None)."""
    rows = [parts.heads[layer, index] if kind == "head" and index is not None else parts.mlps[layer]
            for kind, layer, index in components]  # fmt: skip
    return np.stack(rows)
