"""Gradient scores that nominate components: attribution patching and integrated gradients (METHOD 5.4). Never evidence.

AtP (Nanda 2023): (corrupted - clean activation) . d metric / d activation at the clean run, the first-order estimate
of resample harm. IG over inputs (Sundararajan 2017; EAP-IG, Hanna 2024): the same with the gradient averaged over runs
whose token embeddings lie between corrupted and clean. Both are signed so that positive means harm, in shares of the gap
once divided by it. They are wrong where attention saturates and where effects cancel.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tools.activations import Activations, DecoderUnembedder, ReadoutPlan
from tools.decoder import Decoder, Site, run_layers
from tools.engine import Engine
from tools.prompts import Floats, PromptGroup

GRADIENT_ROWS = 16


@dataclass
class NodeScores:
    """Estimated loss of the metric per prompt: heads [layers, heads, n], mlps [layers, n]."""

    heads: Floats
    mlps: Floats


def node_sites(decoder: Decoder) -> list[tuple[int, Site]]:
    """Every layer's z and MLP output."""
    sites: list[tuple[int, Site]] = []
    for layer, block in enumerate(decoder.blocks):
        sites.append((layer, "z"))
        if block.mlp is not None:
            sites.append((layer, "mlp_out"))
    return sites


def forward_with_graph(
    decoder: Decoder, x: Tensor, plan: ReadoutPlan, wanted: Iterable[tuple[int, Site]]
) -> tuple[Tensor, Activations]:
    """Per-row metric [n] and the wanted activations, with the graph that connects them."""
    asked = set(wanted)
    kept: Activations = {}

    def keep(layer: int, site: Site, value: Tensor) -> Tensor:
        if (layer, site) in asked:
            kept[layer, site] = value
        return value

    positions = torch.arange(x.shape[1], device=x.device)
    x = run_layers(decoder, x, positions, layers=range(len(decoder.blocks)), tap=keep)
    return plan.metric(DecoderUnembedder(decoder), x[None][:, :, plan.columns])[0], kept


def gradients(
    decoder: Decoder, embedded: Tensor, plan: ReadoutPlan, sites: list[tuple[int, Site]]
) -> tuple[dict[tuple[int, Site], Tensor], Activations]:
    """d metric_i / d activation of row i at each site, and the activations, from one run on `embedded`."""
    with torch.enable_grad():
        metric, acts = forward_with_graph(decoder, embedded.detach().requires_grad_(True), plan, sites)
        found = torch.autograd.grad(metric.sum(), [acts[site] for site in sites])
    return dict(zip(sites, found, strict=True)), {site: acts[site].detach() for site in sites}


def node_scores(engine: Engine, *, ig_steps: int) -> tuple[NodeScores, NodeScores]:
    """AtP and IG scores of every head and MLP, per prompt, in units of the metric."""
    decoder, n = engine.decoder, len(engine.prompts)
    layers, heads = len(decoder.blocks), decoder.blocks[0].attn.n_heads
    atp = NodeScores(np.zeros((layers, heads, n)), np.zeros((layers, n)))
    ig = NodeScores(np.zeros((layers, heads, n)), np.zeros((layers, n)))
    sites = node_sites(decoder)
    done = 0
    for group in engine.prompts.groups(GRADIENT_ROWS):
        plan = ReadoutPlan(group.readouts, len(group.rows), engine.device)
        with torch.no_grad():
            clean = decoder.embed(engine.tokens(group, "clean"))
            corrupted = decoder.embed(engine.tokens(group, "corrupted"))
            other = engine.record(engine.tokens(group, "corrupted"), set(sites))
        slopes, acts = gradients(decoder, clean, plan, sites)
        _add(atp, group, slopes, acts, other)
        engine.step(done / n, f"gradients: {done} of {n} prompts")
        total = {site: torch.zeros_like(value) for site, value in slopes.items()}
        for step in range(ig_steps):
            share = (step + 0.5) / ig_steps
            between, _ = gradients(decoder, corrupted + share * (clean - corrupted), plan, sites)
            for site in sites:
                total[site] += between[site] / ig_steps
            engine.step(done / n, f"gradients: {done} of {n} prompts")
        _add(ig, group, total, acts, other)
        done += len(group.rows)
        engine.forward_passes += (3 + 2 * ig_steps) * len(group.rows)
    return atp, ig


@dataclass
class ChannelScores:
    """Estimated loss of the metric per prompt when only a head's queries, keys or values are corrupted, [layers, heads, n]."""

    q: Floats
    k: Floats
    v: Floats


def channel_scores(engine: Engine) -> ChannelScores:
    """AtP for queries, keys and values with the QK fix of AtP* (Kramar et al. 2024), all positions at once.

    The attention pattern under the corrupted queries (keys) is computed exactly, because the gradient through a saturated
    softmax vanishes; only what follows z is linearised.
    """
    decoder, n = engine.decoder, len(engine.prompts)
    shape = (len(decoder.blocks), decoder.blocks[0].attn.n_heads, n)
    scores = ChannelScores(np.zeros(shape), np.zeros(shape), np.zeros(shape))
    zs: list[tuple[int, Site]] = [(layer, "z") for layer in range(shape[0])]
    inputs: set[tuple[int, Site]] = set()
    for layer in range(shape[0]):
        inputs |= {(layer, "q"), (layer, "k"), (layer, "v")}
    done = 0
    for group in engine.prompts.groups(GRADIENT_ROWS):
        plan = ReadoutPlan(group.readouts, len(group.rows), engine.device)
        with torch.no_grad():
            embedded = decoder.embed(engine.tokens(group, "clean"))
            clean = engine.record(engine.tokens(group, "clean"), inputs)
            other = engine.record(engine.tokens(group, "corrupted"), inputs)
        slopes, acts = gradients(decoder, embedded, plan, zs)
        for layer in range(shape[0]):
            now = {site: clean[layer, site] for site in ("q", "k", "v")}
            for site in ("q", "k", "v"):
                z = _heads_with(decoder, layer, now | {site: other[layer, site]})
                loss = ((acts[layer, "z"] - z) * slopes[layer, "z"]).double().sum((1, 3)).T
                getattr(scores, site)[layer][:, group.rows] = loss.cpu().numpy()
        done += len(group.rows)
        engine.forward_passes += 4 * len(group.rows)
        engine.step(done / n, f"query, key and value gradients: {done} of {n} prompts")
    return scores


@torch.no_grad()
def _heads_with(decoder: Decoder, layer: int, inputs: dict[str, Tensor]) -> Tensor:
    """z of a layer from queries, keys and values (before rotary embedding)."""
    attn = decoder.blocks[layer].attn
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    positions = torch.arange(q.shape[1], device=q.device)
    if attn.rotary is not None:
        q, k = attn.rotary(q, positions), attn.rotary(k, positions)
    return attn.mix(attn.pattern(q, k, decoder.hidden_keys(positions, k.shape[1])), v)


def _add(scores: NodeScores, group: PromptGroup, slopes: Activations, clean: Activations, other: Activations) -> None:
    for (layer, site), slope in slopes.items():
        loss = ((clean[layer, site] - other[layer, site]) * slope).double()
        if site == "z":
            scores.heads[layer][:, group.rows] = loss.sum((1, 3)).T.cpu().numpy()
        else:
            scores.mlps[layer, group.rows] = loss.sum((1, 2)).cpu().numpy()
