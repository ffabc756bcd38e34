"""The forward pass of a pre-norm transformer as plain functions over the model's own weights.

    x -> x + attn(ln1(x)) -> x + mlp(ln2(x)), or both from the same x (parallel blocks)

Written out so that it can be entered at any layer and position, changed at any site, and differentiated. The
weights are the loaded model's tensors, not copies; `tools/models.py` compares logits with the model's own at load
and refuses a mismatch. Shapes: batch b, positions t (computed) and s (keys: cached prefix, then computed), heads h,
key/value groups g. It knows no prompts and no experiments.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

Site = Literal["resid_pre", "q", "k", "v", "pattern", "z", "attn_out", "resid_mid", "neurons", "mlp_out", "resid_post"]
SITES: tuple[Site, ...] = (
    "resid_pre", "q", "k", "v", "pattern", "z", "attn_out", "resid_mid", "neurons", "mlp_out", "resid_post"
)  # fmt: skip
Tap = Callable[[int, Site, Tensor], Tensor]


@dataclass(frozen=True)
class Norm:
    """RMS norm, layer norm, or none. `weight` and `bias` may be absent."""

    kind: Literal["rms", "layer", "none"]
    weight: Tensor | None = None
    bias: Tensor | None = None
    eps: float = 1e-5

    def __call__(self, x: Tensor) -> Tensor:
        match self.kind:
            case "rms":
                return functional.rms_norm(x, (x.shape[-1],), self.weight, self.eps)
            case "layer":
                return functional.layer_norm(x, (x.shape[-1],), self.weight, self.bias, self.eps)
            case "none":
                return x

    def frozen(self, x: Tensor, reference: Tensor) -> Tensor:
        """The norm's linear map at `reference`: its scale is held fixed, so parts of a sum stay additive.

        The bias is left out: it belongs to no part.
        """
        if self.kind == "none":
            return x
        centred = self.kind == "layer"
        base = reference - reference.mean(-1, keepdim=True) if centred else reference
        x = x - x.mean(-1, keepdim=True) if centred else x
        scaled = x * torch.rsqrt(base.pow(2).mean(-1, keepdim=True) + self.eps)
        return scaled if self.weight is None else scaled * self.weight


@lru_cache(maxsize=64)
def _turns(rotary: "Rotary", positions: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """cos and sin [t, 1, d] of the angles at these positions: one table serves every layer."""
    frequency = rotary.inverse_frequency.float()
    angle = torch.tensor(positions, dtype=torch.float32, device=frequency.device)[:, None] * frequency
    angle = torch.cat([angle, angle], dim=-1)[:, None, :]
    return (angle.cos() * rotary.scaling).to(dtype), (angle.sin() * rotary.scaling).to(dtype)


@dataclass(frozen=True, eq=False)
class Rotary:
    """Rotary position embedding over the first `2 * len(inverse_frequency)` dimensions of each head."""

    inverse_frequency: Tensor
    scaling: float = 1.0

    def __call__(self, x: Float[Tensor, "b t h d"], positions: Int[Tensor, " t"]) -> Float[Tensor, "b t h d"]:
        cos, sin = _turns(self, tuple(positions.tolist()), x.dtype)
        width = cos.shape[-1]
        turned, rest = x[..., :width], x[..., width:]
        half = torch.cat([-turned[..., width // 2 :], turned[..., : width // 2]], dim=-1)
        turned = torch.addcmul(turned * cos, half, sin)
        return turned if rest.shape[-1] == 0 else torch.cat([turned, rest], dim=-1)


@dataclass(frozen=True)
class Attention:
    """Weights as torch linear layers hold them: `w_q` [h*d, model], `w_k`, `w_v` [g*d, model], `w_o` [model, h*d]."""

    w_q: Tensor
    w_k: Tensor
    w_v: Tensor
    w_o: Tensor
    n_heads: int
    n_groups: int
    scale: float
    b_q: Tensor | None = None
    b_k: Tensor | None = None
    b_v: Tensor | None = None
    b_o: Tensor | None = None
    q_norm: Norm | None = None
    k_norm: Norm | None = None
    rotary: Rotary | None = None

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.w_q.shape[0] // self.n_heads

    def head_out(self, z: Float[Tensor, "*rest d"], head: int) -> Float[Tensor, "*rest model"]:
        """What one head's z writes to the residual stream (the shared bias left out)."""
        d = self.d_head
        return functional.linear(z, self.w_o[:, head * d : (head + 1) * d])

    def queries(self, x: Float[Tensor, "b t model"]) -> Float[Tensor, "b t h d"]:
        """Queries before rotary embedding, from the normed input."""
        q = functional.linear(x, self.w_q, self.b_q).unflatten(-1, (self.n_heads, self.d_head))
        return q if self.q_norm is None else self.q_norm(q)

    def keys(self, x: Float[Tensor, "b t model"]) -> Float[Tensor, "b t g d"]:
        """Keys before rotary embedding, from the normed input."""
        k = functional.linear(x, self.w_k, self.b_k).unflatten(-1, (self.n_groups, self.d_head))
        return k if self.k_norm is None else self.k_norm(k)

    def values(self, x: Float[Tensor, "b t model"]) -> Float[Tensor, "b t g d"]:
        """Values, from the normed input."""
        return functional.linear(x, self.w_v, self.b_v).unflatten(-1, (self.n_groups, self.d_head))

    def pattern(
        self, q: Float[Tensor, "b t h d"], k: Float[Tensor, "b s g d"], hidden: Tensor | None
    ) -> Float[Tensor, "b h t s"]:
        """Attention weights from rotated queries and keys; `hidden` [t, s] is True where looking is forbidden."""
        b, t, _, d = q.shape
        per_group = self.n_heads // self.n_groups
        q = q.transpose(1, 2).reshape(b, self.n_groups, per_group * t, d)
        scores = (q @ k.permute(0, 2, 3, 1)).view(b, self.n_heads, t, -1) * self.scale
        if hidden is not None:
            scores = scores.masked_fill(hidden, -math.inf)
        return scores.float().softmax(-1).to(q.dtype)

    def group_of(self, head: int) -> int:
        """The key/value group that a head reads."""
        return head // (self.n_heads // self.n_groups)

    def one_query(self, x: Float[Tensor, "b t model"], head: int) -> Float[Tensor, "b t d"]:
        """One head's queries before rotary embedding."""
        return self._project(x, self.w_q, self.b_q, head, self.q_norm)

    def one_key(self, x: Float[Tensor, "b t model"], group: int) -> Float[Tensor, "b t d"]:
        """One group's keys before rotary embedding."""
        return self._project(x, self.w_k, self.b_k, group, self.k_norm)

    def one_value(self, x: Float[Tensor, "b t model"], group: int) -> Float[Tensor, "b t d"]:
        """One group's values."""
        return self._project(x, self.w_v, self.b_v, group, None)

    def _project(self, x: Tensor, weight: Tensor, bias: Tensor | None, index: int, norm: Norm | None) -> Tensor:
        d = self.d_head
        rows = slice(index * d, (index + 1) * d)
        projected = functional.linear(x, weight[rows], None if bias is None else bias[rows])
        return projected if norm is None else norm(projected)

    def one_pattern(
        self, q: Float[Tensor, "b t d"], k: Float[Tensor, "b t d"], hidden: Tensor | None
    ) -> Float[Tensor, "b t s"]:
        """One head's attention weights over whole rows, from queries and keys before rotary embedding."""
        if self.rotary is not None:
            positions = torch.arange(q.shape[1], device=q.device)
            q, k = self.rotary(q[:, :, None], positions)[:, :, 0], self.rotary(k[:, :, None], positions)[:, :, 0]
        scores = q @ k.transpose(1, 2) * self.scale
        if hidden is not None:
            scores = scores.masked_fill(hidden, -math.inf)
        return scores.float().softmax(-1).to(q.dtype)

    def mix(self, pattern: Float[Tensor, "b h t s"], v: Float[Tensor, "b s g d"]) -> Float[Tensor, "b t h d"]:
        """z: values averaged with the attention weights."""
        b, _, t, s = pattern.shape
        per_group = self.n_heads // self.n_groups
        grouped = pattern.reshape(b, self.n_groups, per_group * t, s) @ v.transpose(1, 2)
        return grouped.view(b, self.n_heads, t, -1).transpose(1, 2)

    def out(self, z: Float[Tensor, "b t h d"]) -> Float[Tensor, "b t model"]:
        """What the layer's heads write together."""
        return functional.linear(z.flatten(-2), self.w_o, self.b_o)


@dataclass(frozen=True)
class Mlp:
    """A plain or gated MLP; weights as torch linear layers hold them."""

    w_in: Tensor
    w_out: Tensor
    activation: Callable[[Tensor], Tensor]
    w_gate: Tensor | None = None
    b_in: Tensor | None = None
    b_gate: Tensor | None = None
    b_out: Tensor | None = None

    def neurons(self, x: Tensor) -> Tensor:
        """Activations that the output matrix reads."""
        inner = functional.linear(x, self.w_in, self.b_in)
        if self.w_gate is None:
            return self.activation(inner)
        gate = self.activation(functional.linear(x, self.w_gate, self.b_gate))
        return gate * inner if gate.requires_grad or inner.requires_grad else gate.mul_(inner)

    def out(self, neurons: Tensor) -> Tensor:
        """What the neurons write to the residual stream."""
        return functional.linear(neurons, self.w_out, self.b_out)


@dataclass(frozen=True)
class Block:
    """One layer. `parallel`: the MLP reads the layer's input, not the stream after attention."""

    ln1: Norm
    attn: Attention
    ln2: Norm
    mlp: Mlp | None
    parallel: bool = False


@dataclass(frozen=True)
class Decoder:
    """A whole model. `w_u` [vocab, model]; `causal` False lets every position look everywhere."""

    w_e: Tensor
    w_pos: Tensor | None
    embed_scale: float
    blocks: tuple[Block, ...]
    final_norm: Norm
    w_u: Tensor
    b_u: Tensor | None
    causal: bool

    def embed(self, tokens: Int[Tensor, "b t"]) -> Float[Tensor, "b t model"]:
        """The stream entering layer 0."""
        x = functional.embedding(tokens, self.w_e)
        x = x if self.embed_scale == 1.0 else x * self.embed_scale
        return x if self.w_pos is None else x + self.w_pos[: tokens.shape[1]]

    def hidden_keys(self, positions: Int[Tensor, " t"], n_keys: int) -> Tensor | None:
        """[t, s] True where a query at `positions` must not look; None when nothing is hidden."""
        if not self.causal or (len(positions) == 1 and int(positions[0]) >= n_keys - 1):
            return None
        return torch.arange(n_keys, device=positions.device)[None, :] > positions[:, None]

    def logits(self, x: Float[Tensor, "*rest model"]) -> Float[Tensor, "*rest vocab"]:
        """All logits from the stream after the last layer."""
        return functional.linear(self.final_norm(x), self.w_u, self.b_u)


@dataclass
class Prefix:
    """Rotated keys and values of the positions that are not recomputed: by layer, [b, p, g, d]."""

    keys: dict[int, Tensor]
    values: dict[int, Tensor]


def no_tap(layer: int, site: Site, value: Tensor) -> Tensor:
    """Leaves everything as it is."""
    return value


def run_attention(
    block: Block,
    layer: int,
    x: Float[Tensor, "b t model"],
    positions: Int[Tensor, " t"],
    decoder: Decoder,
    *,
    tap: Tap = no_tap,
    prefix: Prefix | None = None,
    queries_at: Int[Tensor, " r"] | None = None,
) -> Float[Tensor, "b r model"]:
    """The attention layer's output; `queries_at` indexes the computed positions whose output is wanted."""
    attn = block.attn
    normed = block.ln1(x)
    asking = normed if queries_at is None else normed[:, queries_at]
    asked = positions if queries_at is None else positions[queries_at]
    q = tap(layer, "q", attn.queries(asking))
    k = tap(layer, "k", attn.keys(normed))
    v = tap(layer, "v", attn.values(normed))
    if attn.rotary is not None:
        q, k = attn.rotary(q, asked), attn.rotary(k, positions)
    if prefix is not None:
        k = torch.cat([prefix.keys[layer], k], dim=1)
        v = torch.cat([prefix.values[layer], v], dim=1)
    pattern = tap(layer, "pattern", attn.pattern(q, k, decoder.hidden_keys(asked, k.shape[1])))
    z = tap(layer, "z", attn.mix(pattern, v))
    return tap(layer, "attn_out", attn.out(z))


def run_mlp(
    block: Block, layer: int, pre: Tensor, mid: Float[Tensor, "b t model"], tap: Tap = no_tap
) -> Float[Tensor, "b t model"]:
    """The stream after the layer's MLP, from the stream before the layer (`pre`) and after its attention (`mid`)."""
    if block.mlp is not None:
        neurons = tap(layer, "neurons", block.mlp.neurons(block.ln2(pre if block.parallel else mid)))
        mid = mid + tap(layer, "mlp_out", block.mlp.out(neurons))
    return tap(layer, "resid_post", mid)


def run_layers(
    decoder: Decoder,
    x: Float[Tensor, "b t model"],
    positions: Int[Tensor, " t"],
    *,
    layers: range,
    tap: Tap = no_tap,
    prefix: Prefix | None = None,
    last_at: Int[Tensor, " r"] | None = None,
) -> Float[Tensor, "b r model"]:
    """The stream after `layers`, entering with `x`.

    In the model's very last layer only the computed positions indexed by `last_at` go through queries and MLP: nobody
    reads the others.
    """
    for layer in layers:
        block = decoder.blocks[layer]
        keep = last_at if layer == len(decoder.blocks) - 1 else None
        x = tap(layer, "resid_pre", x)
        written = run_attention(block, layer, x, positions, decoder, tap=tap, prefix=prefix, queries_at=keep)
        pre = x if keep is None else x[:, keep]
        x = run_mlp(block, layer, pre, tap(layer, "resid_mid", pre + written), tap)
    return x
