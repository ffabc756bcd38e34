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
from tools.engine_batch import Patch
from tools.errors import ExperimentError
from tools.interventions import Variant
from tools.prompts import NO_FOIL, Floats, PromptGroup
from tools.runner import Base, BatchView, sites_by_run


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


@dataclass(frozen=True)
class ReadDirections:
    """Where a batch is read (read-out r stands at row `row`, position `at`) and along what: [r, model] each."""

    row: Tensor
    at: Tensor
    n_rows: int
    direction: Float[Tensor, "r model"]
    stream: Float[Tensor, "r model"]

    def per_row(self, values: Float[Tensor, "*rest r"]) -> Floats:
        """Read-outs added up in their rows, [*rest, rows]."""
        total = torch.zeros(*values.shape[:-1], self.n_rows, dtype=values.dtype, device=values.device)
        return total.index_add(-1, self.row, values).double().cpu().numpy()


def read_directions(engine: Engine, group: PromptGroup, final: Tensor) -> ReadDirections:
    """The metric's directions after the norm (`direction`, unweighted) and in the stream, its scale taken at `final`."""
    decoder = engine.decoder
    plan = ReadoutPlan(group.readouts, len(group.rows), engine.device)
    answer = torch.as_tensor(group.readouts.answer, device=engine.device)
    foil = torch.as_tensor(group.readouts.foil, device=engine.device)
    weight = torch.as_tensor(group.readouts.weight, device=engine.device).to(final.dtype)
    direction = decoder.w_u[answer] - torch.where((foil != NO_FOIL)[:, None], decoder.w_u[foil.clamp(min=0)], 0)
    at = plan.columns[plan.column]
    stream = pull_back(decoder.final_norm, direction, final[plan.row, at]) * weight[:, None]
    return ReadDirections(plan.row, at, len(group.rows), direction, stream)


@torch.no_grad()
def direct_losses(engine: Engine, variants: Sequence[Variant]) -> Floats:
    """What each variant's sites stop writing straight into the metric, the final norm frozen, [variants, n].

    Sites are heads' z, neurons, and what attention layers and MLPs write. Positions that are not read count for nothing.
    Raises ExperimentError for a site that writes nothing of its own (a residual stream, a query, a pattern).
    """
    found, last = np.zeros((len(variants), len(engine.prompts))), len(engine.decoder.blocks) - 1
    end: tuple[int, Site] = (last, "resid_post")
    needs = sites_by_run(variants, "clean")
    for group in engine.groups():
        runs: dict[Base, Activations] = {
            run: engine.recorded(group, run, sites | ({end} if run == "clean" else set()))
            for run, sites in needs.items()
            if sites
        }
        view = BatchView(group, runs, engine.templates(group))
        reads = read_directions(engine, group, runs["clean"][end])
        for number, variant in enumerate(variants):
            for patch in engine.resolve(variant, view, "clean"):
                now = patch.place(runs["clean"][patch.layer, patch.site])
                lost = (now - patch.new(now, slice(None)))[reads.row, reads.at]
                written = _written(engine.decoder, patch, lost)
                found[number, group.rows] += reads.per_row((written * reads.stream).sum(-1))
    return found


def _written(decoder: Decoder, patch: Patch, value: Tensor) -> Float[Tensor, "r model"]:
    """What a site's value [r, ...] adds to the stream."""
    block = decoder.blocks[patch.layer]
    match patch.site:
        case "z" if patch.index is not None:
            return block.attn.head_out(value, patch.index)
        case "neurons" if block.mlp is not None and patch.index is not None:
            return value[:, None] * block.mlp.w_out[:, patch.index]
        case "neurons" if block.mlp is not None:
            return value @ block.mlp.w_out.T
        case "attn_out" | "mlp_out":
            return value
        case _:
            raise ExperimentError(f"{patch.site} writes nothing of its own, so it has no direct effect.")


def _split(engine: Engine, group: PromptGroup, acts: Activations, final: Tensor, parts: Parts) -> None:
    decoder, reads = engine.decoder, read_directions(engine, group, final)
    row, at, stream, direction = reads.row, reads.at, reads.stream, reads.direction
    answer = torch.as_tensor(group.readouts.answer, device=engine.device)
    foil = torch.as_tensor(group.readouts.foil, device=engine.device)
    weight = torch.as_tensor(group.readouts.weight, device=engine.device).to(final.dtype)

    def add(target: Floats, values: Float[Tensor, "*rest r"]) -> None:
        target[..., group.rows] += reads.per_row(values)

    add(parts.embed, (acts[0, "resid_pre"][row, at] * stream).sum(-1))
    for layer, block in enumerate(decoder.blocks):
        back = (stream @ block.attn.w_o).unflatten(-1, (block.attn.n_heads, -1))
        add(parts.heads[layer], (acts[layer, "z"][row, at] * back).sum(-1).T)
        if block.attn.b_o is not None:
            add(parts.bias, stream @ block.attn.b_o)
        if block.mlp is not None:
            add(parts.mlps[layer], (acts[layer, "mlp_out"][row, at] * stream).sum(-1))
    if decoder.final_norm.bias is not None:
        add(parts.bias, (direction * weight[:, None]) @ decoder.final_norm.bias)
    if decoder.b_u is not None:
        logit_bias = decoder.b_u[answer] - torch.where(foil != NO_FOIL, decoder.b_u[foil.clamp(min=0)], 0)
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
