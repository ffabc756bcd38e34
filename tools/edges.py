"""Edge scores by gradients: EAP and EAP-IG (Syed et al. 2023; Hanna et al. 2024). Nominators only, never evidence.

    score(A -> B) = sum over positions of (corrupted - clean write of A) . d metric / d (B's input)

with the gradient at the clean run (EAP), averaged over inputs between corrupted and clean (EAP-IG inputs), or over
activations interpolated at every layer's stream (EAP-IG activations). Inputs are those before the norm, one for each
head's query, key and value. Signed as an estimate of harm: minus the predicted change of the metric. Keys and values
of grouped-query models get one gradient per head by running with the groups written out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from tools.activations import Activations, DecoderUnembedder, ReadoutPlan
from tools.component import Channel, Component, Edge
from tools.decoder import Attention, Decoder, Site, run_layers
from tools.engine import Engine
from tools.prompts import Floats

EdgeMethod = Literal["eap", "eap-ig-inputs", "eap-ig-activations"]
ROWS = 4


@dataclass
class EdgeScores:
    """Mean score of each edge: `values` [senders, receivers], zero where there is no such path."""

    senders: list[Component]
    receivers: list[tuple[Component, Channel | None]]
    values: Floats

    def top(self, n: int) -> list[tuple[Edge, float]]:
        """The n edges of largest |score|."""
        order = np.argsort(-np.abs(self.values), axis=None, kind="stable")[:n]
        found = []
        for flat in order:
            row, column = np.unravel_index(int(flat), self.values.shape)
            target, channel = self.receivers[int(column)]
            found.append((Edge(self.senders[int(row)], target, channel), float(self.values[row, column])))
        return found


def write_out_groups(decoder: Decoder) -> Decoder:
    """The same model with each head given its own copy of its group's key and value weights."""

    def own(attn: Attention) -> Attention:
        if attn.n_groups == attn.n_heads:
            return attn
        repeats = attn.n_heads // attn.n_groups

        def spread(weight: Tensor | None) -> Tensor | None:
            if weight is None:
                return None
            return weight.unflatten(0, (attn.n_groups, -1)).repeat_interleave(repeats, 0).flatten(0, 1)

        w_k, w_v = spread(attn.w_k), spread(attn.w_v)
        assert w_k is not None and w_v is not None
        return replace(attn, w_k=w_k, w_v=w_v, b_k=spread(attn.b_k), b_v=spread(attn.b_v), n_groups=attn.n_heads)

    return replace(decoder, blocks=tuple(replace(block, attn=own(block.attn)) for block in decoder.blocks))


def senders_of(decoder: Decoder) -> list[Component]:
    """input, then each layer's heads and MLP."""
    found = [Component("input")]
    for layer, block in enumerate(decoder.blocks):
        found += [Component("head", layer, h) for h in range(block.attn.n_heads)]
        found += [Component("mlp", layer)] if block.mlp is not None else []
    return found


def receivers_of(decoder: Decoder) -> list[tuple[Component, Channel | None]]:
    """Each head's q, k and v, each MLP, the logits."""
    found: list[tuple[Component, Channel | None]] = []
    channels: tuple[Channel, ...] = ("q", "k", "v")
    for layer, block in enumerate(decoder.blocks):
        for head in range(block.attn.n_heads):
            for channel in channels:
                found.append((Component("head", layer, head), channel))
        if block.mlp is not None:
            found.append((Component("mlp", layer), None))
    found.append((Component("logits"), None))
    return found


def writes(decoder: Decoder, acts: Activations) -> Float[Tensor, "senders b t model"]:
    """What every sender adds to the stream."""
    found = [acts[0, "resid_pre"][None]]
    for layer, block in enumerate(decoder.blocks):
        w_o = block.attn.w_o.unflatten(1, (block.attn.n_heads, -1))
        found.append(torch.einsum("bthd,mhd->hbtm", acts[layer, "z"], w_o))
        if block.mlp is not None:
            found.append(acts[layer, "mlp_out"][None])
    return torch.cat(found)


def send_sites(decoder: Decoder) -> set[tuple[int, Site]]:
    """What must be recorded of a run to know every write."""
    found: set[tuple[int, Site]] = {(0, "resid_pre")}
    for layer, block in enumerate(decoder.blocks):
        found.add((layer, "z"))
        if block.mlp is not None:
            found.add((layer, "mlp_out"))
    return found


def input_gradients(
    decoder: Decoder, embedded: Tensor, plan: ReadoutPlan, shift: Callable[[int, Tensor], Tensor] | None = None
) -> Float[Tensor, "receivers b t model"]:
    """d metric_i / d input of each receiver in row i. `shift(layer, stream)` may replace each layer's input stream."""
    wanted: list[tuple[int, Site]] = [(len(decoder.blocks) - 1, "resid_post")]
    for layer, block in enumerate(decoder.blocks):
        read: tuple[Site, ...] = ("q", "k", "v") if block.mlp is None else ("q", "k", "v", "neurons")
        wanted.extend((layer, site) for site in read)
    kept: Activations = {}

    def keep(layer: int, site: Site, value: Tensor) -> Tensor:
        if site == "resid_pre" and shift is not None:
            value = shift(layer, value)
        kept[layer, site] = value
        return value

    with torch.enable_grad():
        x = embedded.detach().requires_grad_(True)
        positions = torch.arange(x.shape[1], device=x.device)
        x = run_layers(decoder, x, positions, layers=range(len(decoder.blocks)), tap=keep)
        metric = plan.metric(DecoderUnembedder(decoder), x[None][:, :, plan.columns])[0]
        slopes = dict(zip(wanted, torch.autograd.grad(metric.sum(), [kept[site] for site in wanted]), strict=True))
    found: list[Tensor] = []
    for layer in range(len(decoder.blocks)):
        found += _layer_gradients(decoder, layer, {s: v.detach() for s, v in kept.items() if s[0] == layer}, slopes)
    found.append(slopes[len(decoder.blocks) - 1, "resid_post"][None])
    return torch.cat(found)


def _layer_gradients(decoder: Decoder, layer: int, acts: Activations, slopes: Activations) -> list[Tensor]:
    """Gradients at one layer's receivers, each pulled back from its projection through the norm to the stream."""
    block = decoder.blocks[layer]
    attn, found = block.attn, []

    def back(norm: Callable[[Tensor], Tensor], x: Tensor, pull: Callable[[Tensor], Tensor]) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_(True)
            return torch.autograd.grad(pull(norm(x)), x)[0]

    heads = []
    parts = (("q", attn.one_query), ("k", attn.one_key), ("v", attn.one_value))
    weights = {"q": attn.w_q, "k": attn.w_k, "v": attn.w_v}
    normed_inside = attn.q_norm is not None or attn.k_norm is not None
    for head in range(attn.n_heads):
        for site, project in parts:
            slope = slopes[layer, site][:, :, head]  # pyright: ignore[reportArgumentType]  # q, k, v are sites
            if normed_inside:
                heads.append(
                    back(block.ln1, acts[layer, "resid_pre"], lambda n, p=project, h=head, s=slope: (p(n, h) * s).sum())
                )
            else:
                d = attn.d_head
                heads.append(slope @ weights[site][head * d : (head + 1) * d])
    if not normed_inside:
        heads = _through_norm(block.ln1, acts[layer, "resid_pre"], torch.stack(heads))
    found.append(heads if isinstance(heads, Tensor) else torch.stack(heads))
    if block.mlp is not None:
        mlp, slope = block.mlp, slopes[layer, "neurons"]
        source = acts[layer, "resid_pre" if block.parallel else "resid_mid"]
        found.append(back(block.ln2, source, lambda n: (mlp.neurons(n) * slope).sum())[None])
    return found


def _through_norm(
    norm: Callable[[Tensor], Tensor], x: Float[Tensor, "b t model"], slopes: Float[Tensor, "heads b t model"]
) -> Float[Tensor, "heads b t model"]:
    """Many gradients at a norm's output pulled back to its input at once."""
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        out = norm(x)
        if out is x:
            return slopes
        return torch.autograd.grad(out, x, slopes, is_grads_batched=True)[0]


def allowed(decoder: Decoder) -> NDArray[np.bool_]:
    """[senders, receivers] True where the sender writes before the receiver reads."""
    senders, receivers = senders_of(decoder), receivers_of(decoder)
    found = np.zeros((len(senders), len(receivers)), bool)
    for column, (target, _) in enumerate(receivers):
        for row, sender in enumerate(senders):
            earlier = sender.kind == "input" or target.kind == "logits" or sender.layer < target.layer
            same = sender.layer == target.layer and target.kind == "mlp" and sender.kind == "head"
            found[row, column] = earlier or (same and not decoder.blocks[target.layer].parallel)
    return found


def edge_scores(engine: Engine, method: EdgeMethod, steps: int) -> EdgeScores:
    """The mean score of every edge over the prompts, in units of the metric."""
    decoder = write_out_groups(engine.decoder)
    senders, receivers = senders_of(decoder), receivers_of(decoder)
    total = np.zeros((len(senders), len(receivers)))
    done, n = 0, len(engine.prompts)
    for group in engine.prompts.groups(ROWS):
        plan = ReadoutPlan(group.readouts, len(group.rows), engine.device)
        streams: set[tuple[int, Site]] = {(layer, "resid_pre") for layer in range(len(decoder.blocks))}
        with torch.no_grad():
            clean = engine.record(engine.tokens(group, "clean"), send_sites(decoder) | streams)
            corrupted = engine.record(engine.tokens(group, "corrupted"), send_sites(decoder) | streams)
            change = writes(decoder, clean) - writes(decoder, corrupted)
        slope = _slopes(decoder, plan, clean, corrupted, method, steps)
        total += (change.flatten(1) @ slope.flatten(1).T).double().cpu().numpy()
        done += len(group.rows)
        engine.forward_passes += (2 + 2 * (1 if method == "eap" else steps)) * len(group.rows)
        engine.step(done / n, f"edge gradients: {done} of {n} prompts")
    return EdgeScores(senders, receivers, np.where(allowed(decoder), total / n, 0.0))


def _slopes(
    decoder: Decoder, plan: ReadoutPlan, clean: Activations, corrupted: Activations, method: EdgeMethod, steps: int
) -> Tensor:
    start, end = corrupted[0, "resid_pre"], clean[0, "resid_pre"]
    if method == "eap":
        return input_gradients(decoder, end, plan)
    total: Tensor | None = None
    for step in range(steps):
        share = (step + 0.5) / steps

        def between(layer: int, stream: Tensor, share: float = share) -> Tensor:
            low, high = corrupted[layer, "resid_pre"], clean[layer, "resid_pre"]
            return stream + (low + share * (high - low) - stream).detach()

        shift = between if method == "eap-ig-activations" else None
        one = input_gradients(decoder, start + share * (end - start), plan, shift) / steps
        total = one if total is None else total + one
    assert total is not None, steps
    return total
