"""Compiles a small transformer from head descriptions: named subspaces, what each head matches and what it writes.

The residual stream is a row of named subspaces (`tok`, `pos`, `prev`, `out`, ...). A head's attention score is a sum
of matches (query subspace against key subspace) plus a pull to the BOS position where nothing matches; what it moves is
a list of copies from one subspace to another. There is no layer norm, so every number is exact: what the head
description says is what the weights do. MLPs are rows of ReLU neurons over the same subspaces. The result is a config
and a state dict for `tools.models.build_hooked`. Nothing here is trained and nothing is named after a behaviour.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

PULL = 40.0


@dataclass(frozen=True)
class Match:
    """Adds `strength * <query subspace at i, key subspace at j moved by shift>` to the score of i attending to j."""

    query: str
    key: str
    strength: float = PULL
    shift: int = 0


@dataclass(frozen=True)
class Copy:
    """Adds `scale` times the attended position's `source` subspace to `target`.

    `gain` scales each dimension, or is the whole map [source, target].
    """

    source: str
    target: str
    scale: float = 1.0
    gain: Tensor | None = None


@dataclass(frozen=True)
class HeadPlan:
    """One head. `sink` is the score of the BOS position for every query: where it looks when nothing matches."""

    matches: tuple[Match, ...] = ()
    writes: tuple[Copy, ...] = ()
    sink: float = PULL / 2


@dataclass(frozen=True)
class Threshold:
    """Neurons `relu(sum of sources - bias)`, one per dimension, times `scale` into `target`."""

    sources: tuple[str, ...]
    target: str
    bias: float
    scale: float


@dataclass
class Blueprint:
    """A model to be compiled: vocabulary (token 0 is BOS), context, extra subspaces and the heads by (layer, head)."""

    n_vocab: int
    n_ctx: int
    n_layers: int
    n_heads: int
    spaces: dict[str, int]
    heads: dict[tuple[int, int], HeadPlan]
    mlps: dict[int, Threshold] = field(default_factory=dict)
    embed: dict[str, Tensor] = field(default_factory=dict)
    seed: int = 0

    def layout(self) -> dict[str, slice]:
        """Where each subspace lies in the residual stream."""
        sizes = {"tok": self.n_vocab, "pos": self.n_ctx, "one": 1, "bos": 1, "out": self.n_vocab, **self.spaces}
        places, start = {}, 0
        for name, size in sizes.items():
            places[name] = slice(start, start + size)
            start += size
        return places

    def compile(self, name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """(config fields, state dict). Heads without a plan get random weights that only write to `junk`."""
        where = self.layout()
        d_model = max(place.stop for place in where.values())
        d_head = max([self._width(plan, where) for plan in self.heads.values()])
        config: dict[str, Any] = {
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "d_model": d_model,
            "d_head": d_head,
            "d_vocab": self.n_vocab,
            "n_ctx": self.n_ctx,
            "attn_only": not self.mlps,
            "d_mlp": self.n_vocab,
            "act_fn": "relu",
            "normalization_type": None,
            "use_attn_scale": False,
            "default_prepend_bos": False,
            "model_name": name,
        }
        state = self._embeddings(where, d_model)
        generator = torch.Generator().manual_seed(self.seed)
        for layer in range(self.n_layers):
            state |= self._attention(layer, where, d_model, d_head, generator)
            if self.mlps:
                state |= self._mlp(layer, where, d_model)
        return config, state

    def _width(self, plan: HeadPlan, where: dict[str, slice]) -> int:
        def size(name: str) -> int:
            return where[name].stop - where[name].start

        return max(1 + sum(size(m.query) for m in plan.matches), sum(size(w.source) for w in plan.writes))

    def _embeddings(self, where: dict[str, slice], d_model: int) -> dict[str, Tensor]:
        tokens = torch.zeros(self.n_vocab, d_model)
        tokens[:, where["tok"]] = torch.eye(self.n_vocab)
        tokens[0, where["bos"]] = 1.0
        tokens[:, where["one"]] = 1.0
        for name, table in self.embed.items():
            tokens[:, where[name]] = table
        positions = torch.zeros(self.n_ctx, d_model)
        positions[:, where["pos"]] = torch.eye(self.n_ctx)
        unembed = torch.zeros(d_model, self.n_vocab)
        unembed[where["out"]] = torch.eye(self.n_vocab)
        return {
            "embed.W_E": tokens,
            "pos_embed.W_pos": positions,
            "unembed.W_U": unembed,
            "unembed.b_U": torch.zeros(self.n_vocab),
        }

    def _attention(
        self, layer: int, where: dict[str, slice], d_model: int, d_head: int, generator: torch.Generator
    ) -> dict[str, Tensor]:
        q, k, v = (torch.zeros(self.n_heads, d_model, d_head) for _ in range(3))
        o = torch.zeros(self.n_heads, d_head, d_model)
        for head in range(self.n_heads):
            if (layer, head) in self.heads:
                _plan_head(self.heads[layer, head], where, (q[head], k[head], v[head], o[head]))
            else:
                _busy_head(where, (q[head], k[head], v[head], o[head]), generator)
        prefix = f"blocks.{layer}.attn."
        zeros = torch.zeros(self.n_heads, d_head)
        weights = {"W_Q": q, "W_K": k, "W_V": v, "W_O": o, "b_O": torch.zeros(d_model)}
        biases = {"b_Q": zeros, "b_K": zeros.clone(), "b_V": zeros.clone()}
        return {prefix + key: tensor for key, tensor in {**weights, **biases}.items()}

    def _mlp(self, layer: int, where: dict[str, slice], d_model: int) -> dict[str, Tensor]:
        w_in, w_out = torch.zeros(d_model, self.n_vocab), torch.zeros(self.n_vocab, d_model)
        b_in = torch.zeros(self.n_vocab)
        if plan := self.mlps.get(layer):
            for source in plan.sources:
                w_in[where[source]] += torch.eye(self.n_vocab)
            b_in -= plan.bias
            w_out[:, where[plan.target]] = plan.scale * torch.eye(self.n_vocab)
        prefix = f"blocks.{layer}.mlp."
        weights = {"W_in": w_in, "b_in": b_in, "W_out": w_out, "b_out": torch.zeros(d_model)}
        return {prefix + key: tensor for key, tensor in weights.items()}


_Weights = tuple[Tensor, Tensor, Tensor, Tensor]


def _plan_head(plan: HeadPlan, where: dict[str, slice], weights: _Weights) -> None:
    """Write one head's matches and copies into its (views of) W_Q, W_K, W_V, W_O."""
    q, k, v, o = weights
    q[where["one"], 0] = 1.0
    k[where["bos"], 0] = plan.sink
    at = 1
    for match in plan.matches:
        size = where[match.query].stop - where[match.query].start
        key = where[match.key]
        q[where[match.query], at : at + size] = torch.eye(size)
        moved = torch.zeros(key.stop - key.start, size)
        for dim in range(moved.shape[0]):
            if 0 <= dim + match.shift < size:
                moved[dim, dim + match.shift] = match.strength
        k[key, at : at + size] = moved
        at += size
    at = 0
    for copy in plan.writes:
        size = where[copy.source].stop - where[copy.source].start
        gain = copy.gain if copy.gain is not None else torch.ones(size)
        v[where[copy.source], at : at + size] = torch.eye(size)
        target = where[copy.target]
        if gain.dim() == 1:
            gain = torch.diag(gain) if target.stop - target.start == size else gain[:, None]
        o[at : at + size, target] = copy.scale * gain
        at += size


def _busy_head(where: dict[str, slice], weights: _Weights, generator: torch.Generator) -> None:
    """A head that reads everything, varies with the input, and writes where nothing is read."""
    q, k, v, o = weights
    for tensor in (q, k, v):
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.3)
    junk = where["junk"]
    o[:, junk] = torch.randn(o.shape[0], junk.stop - junk.start, generator=generator) * 0.3
