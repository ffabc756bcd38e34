"""The four matrices of every head, the norm's weight folded in, and what follows from them alone (Elhage et al. 2021).

W_Q, W_K, W_V [heads, d_head, d_model] read the stream, W_O [heads, d_model, d_head] writes it; with grouped queries the
heads of a group share K and V. Composition is |reader x writer| over |reader| |writer| (Frobenius), computed through
d_head-sized products. Rotary positions, biases and query/key norms are left out, so that a query-key match that depends
on distance is not seen. Weights only: no prompt, no behaviour.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tools.decoder import Attention, Decoder, Norm


@dataclass(frozen=True)
class LayerMatrices:
    """One layer's heads."""

    q: Float[Tensor, "heads d_head d_model"]
    k: Float[Tensor, "heads d_head d_model"]
    v: Float[Tensor, "heads d_head d_model"]
    o: Float[Tensor, "heads d_model d_head"]


def layer_matrices(decoder: Decoder, layer: int) -> LayerMatrices:
    """The heads of one layer, K and V repeated over the heads of their group."""
    block = decoder.blocks[layer]
    attn = block.attn
    return LayerMatrices(
        q=_heads(attn.w_q, attn.n_heads, attn, block.ln1),
        k=_heads(attn.w_k, attn.n_groups, attn, block.ln1),
        v=_heads(attn.w_v, attn.n_groups, attn, block.ln1),
        o=attn.w_o.detach().unflatten(1, (attn.n_heads, attn.d_head)).transpose(0, 1),
    )


def _heads(weight: Tensor, n: int, attn: Attention, norm: Norm) -> Tensor:
    folded = weight.detach() if norm.weight is None else weight.detach() * norm.weight.detach()
    split = folded.unflatten(0, (n, attn.d_head))
    return split.repeat_interleave(attn.n_heads // n, dim=0)


def composition(
    writers: LayerMatrices, receivers: LayerMatrices, receiver: int
) -> tuple[Float[Tensor, " heads"], Float[Tensor, " heads"], Float[Tensor, " heads"]]:
    """Q-, K- and V-composition of each writer head into one receiver head, each [writer heads]."""
    q, k, v, o = receivers.q[receiver], receivers.k[receiver], receivers.v[receiver], receivers.o[receiver]
    reach = writers.v @ writers.v.mT
    size = _norm(writers.o.mT @ writers.o, reach)
    qk, ov = _norm(q @ q.T, k @ k.T), _norm(o.T @ o, v @ v.T)

    def share(reader: Tensor, other: Tensor, scale: Tensor) -> Tensor:
        moved = reader @ writers.o
        squared = torch.einsum("ef,hfg,hgi,hei->h", other, moved, reach, moved)
        return squared.clamp(min=0).sqrt() / (scale * size).clamp(min=1e-12)

    return share(q, k @ k.T, qk), share(k, q @ q.T, qk), share(v, o.T @ o, ov)


def _norm(left: Tensor, right: Tensor) -> Tensor:
    """Frobenius norm of A B from A'A and B B'."""
    return (left * right.mT).sum((-2, -1)).clamp(min=0).sqrt()


def rotated(writers: LayerMatrices, generator: torch.Generator) -> LayerMatrices:
    """The same heads writing into random directions: singular values kept, output basis replaced."""
    left, values, right = torch.linalg.svd(writers.o, full_matrices=False)
    noise = torch.randn(left.shape, generator=generator, dtype=left.dtype).to(left.device)
    basis = torch.linalg.qr(noise).Q
    return LayerMatrices(writers.q, writers.k, writers.v, basis @ torch.diag_embed(values) @ right)


def copying(decoder: Decoder) -> Float[Tensor, "layers heads"]:
    """Sum of the eigenvalues of each head's token-to-token OV circuit over the sum of their sizes: 1 copies, -1 erases."""
    final = decoder.final_norm.weight
    readout = decoder.w_u.detach() if final is None else decoder.w_u.detach() * final.detach()
    inner = decoder.w_e.detach().T @ readout
    layers = [layer_matrices(decoder, layer) for layer in range(len(decoder.blocks))]
    return torch.stack([_positivity(one.v @ inner @ one.o) for one in layers])


def matching(decoder: Decoder) -> Float[Tensor, "layers heads"]:
    """The same for each head's token-to-token QK circuit: 1 attends to equal tokens, -1 away from them."""
    inner = decoder.w_e.detach().T @ decoder.w_e.detach()
    layers = [layer_matrices(decoder, layer) for layer in range(len(decoder.blocks))]
    return torch.stack([_positivity(one.k @ inner @ one.q.mT) for one in layers])


def _positivity(matrix: Float[Tensor, "heads d d"]) -> Float[Tensor, " heads"]:
    values = torch.linalg.eigvals(matrix.double().cpu())
    total = values.abs().sum(-1)
    return torch.where(total > 1e-9, values.real.sum(-1) / total.clamp(min=1e-9), 0.0)
