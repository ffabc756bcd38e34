"""Records activations of a batch of equal-length prompts, and reads logits from the stream that leaves the model.

`Activations` maps (layer, site) to a tensor [rows, positions, ...] in the shapes of `tools/decoder.py`. The
read-out is a task's linear metric; whole distributions are computed only when asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from tools.decoder import Decoder, Prefix, Site, run_layers
from tools.prompts import NO_FOIL, Floats, Readouts

Activations = dict[tuple[int, Site], Tensor]
WHOLE_HEADS: tuple[Site, ...] = ("q", "k", "v", "z")


def record(
    decoder: Decoder, tokens: Int[Tensor, "b t"], wanted: Iterable[tuple[int, Site]], last_layer: int | None = None
) -> Activations:
    """The wanted sites of one plain run; layers after `last_layer` are not computed when it is given."""
    asked = set(wanted)
    kept: Activations = {}

    def keep(layer: int, site: Site, value: Tensor) -> Tensor:
        if (layer, site) in asked:
            kept[layer, site] = value
        return value

    stop = len(decoder.blocks) if last_layer is None else last_layer + 1
    positions = torch.arange(tokens.shape[1], device=tokens.device)
    run_layers(decoder, decoder.embed(tokens), positions, layers=range(stop), tap=keep)
    missing = asked - set(kept)
    if missing:
        raise ValueError(f"these sites do not exist in this model: {sorted(missing)[:5]}")
    return kept


def prefix_of(decoder: Decoder, acts: Activations, n_prefix: int, copies: int, first_layer: int) -> Prefix | None:
    """Rotated keys and values of the first `n_prefix` positions from `first_layer` on, repeated for `copies` variants."""
    if n_prefix == 0:
        return None
    keys: dict[int, Tensor] = {}
    values: dict[int, Tensor] = {}
    for layer in range(first_layer, len(decoder.blocks)):
        block = decoder.blocks[layer]
        k, v = acts[layer, "k"][:, :n_prefix], acts[layer, "v"][:, :n_prefix]
        if block.attn.rotary is not None:
            k = block.attn.rotary(k, torch.arange(n_prefix, device=k.device))
        keys[layer] = k.repeat(copies, 1, 1, 1)
        values[layer] = v.repeat(copies, 1, 1, 1)
    return Prefix(keys, values)


@dataclass
class Readings:
    """What was read from V variants on n prompts, each array [V, n]; the last four only when asked for.

    `kl` is KL(clean || intervened) in nats, `top1` whether the most likely token is an answer, `agree` whether it is the
    clean run's.
    """

    metric: Floats
    kl: Floats | None = None
    p_answer: Floats | None = None
    top1: Floats | None = None
    agree: Floats | None = None


class Unembedder(Protocol):
    """Something that can turn the final stream into logits."""

    def answer_logits(self, x: Tensor, tokens: Tensor) -> Tensor: ...
    def all_logits(self, x: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class DecoderUnembedder:
    """Logits of a decoder: for chosen tokens one dot product each, or all of them."""

    decoder: Decoder

    def answer_logits(self, x: Float[Tensor, "v r model"], tokens: Int[Tensor, " r"]) -> Float[Tensor, "v r"]:
        """The logit of `tokens[r]` at read-out r."""
        logits = torch.einsum("vrm,rm->vr", self.decoder.final_norm(x), self.decoder.w_u[tokens])
        return logits if self.decoder.b_u is None else logits + self.decoder.b_u[tokens]

    def all_logits(self, x: Float[Tensor, "*rest model"]) -> Float[Tensor, "*rest vocab"]:
        """Every token's logit."""
        return self.decoder.logits(x)


@dataclass
class ReadoutPlan:
    """A batch's read-outs as tensors: which computed columns are read, and which row/column each read-out uses."""

    readouts: Readouts
    n_rows: int
    device: Any
    columns: Tensor = field(init=False)
    row: Tensor = field(init=False)
    column: Tensor = field(init=False)

    def __post_init__(self) -> None:
        where, index = np.unique(self.readouts.position, return_inverse=True)
        self.columns = torch.as_tensor(where, device=self.device)
        self.row = torch.as_tensor(self.readouts.row, device=self.device)
        self.column = torch.as_tensor(index.reshape(-1), device=self.device)

    def metric(self, unembed: Unembedder, x: Float[Tensor, "v n r model"]) -> Float[Tensor, "v n"]:
        """Per-row metric of each variant; differentiable. `x` holds the streams at `columns`."""
        answer = torch.as_tensor(self.readouts.answer, device=self.device)
        foil = torch.as_tensor(self.readouts.foil, device=self.device)
        weight = torch.as_tensor(self.readouts.weight, device=self.device).to(x.dtype)
        read = x[:, self.row, self.column]
        margin = unembed.answer_logits(read, answer)
        if bool((foil != NO_FOIL).any()):
            foils = unembed.answer_logits(read, foil.clamp(min=0))
            margin = margin - foils * (foil != NO_FOIL)
        total = torch.zeros(x.shape[0], self.n_rows, dtype=x.dtype, device=x.device)
        return total.index_add(1, self.row, margin * weight)

    def _spots(self) -> tuple[Tensor, Tensor, Tensor]:
        """Distinct (row, column) pairs read, and for each read-out the number of its pair."""
        pairs = torch.stack([self.row, self.column], dim=1)
        spots, of = torch.unique(pairs, dim=0, return_inverse=True)
        return spots[:, 0], spots[:, 1], of

    def _answering(self, of: Tensor) -> Tensor:
        """Which read-outs name an answer: those with a foil or a positive weight, or all of a place that has none."""
        weight = torch.as_tensor(self.readouts.weight, device=of.device)
        good = (weight > 0) | (torch.as_tensor(self.readouts.foil, device=of.device) != NO_FOIL)
        has = torch.zeros(int(of.max()) + 1, dtype=torch.bool, device=of.device)
        has[of[good]] = True
        return good | ~has[of]

    def distributions(
        self, unembed: Unembedder, x: Float[Tensor, "v n r model"], clean: Float[Tensor, "n r model"]
    ) -> dict[str, Float[Tensor, "v n"]]:
        """kl, p_answer, top1 and agree per row, averaged over the distinct positions read in the row."""
        rows, columns, of = self._spots()
        base = functional.log_softmax(unembed.all_logits(clean[rows, columns]).float(), -1)
        answer = torch.as_tensor(self.readouts.answer, device=self.device)
        is_answer = torch.zeros(len(rows), base.shape[-1], dtype=torch.bool, device=x.device)
        right = self._answering(of)
        is_answer[of[right], answer[right]] = True
        per_row = torch.bincount(rows, minlength=self.n_rows).to(base.dtype)
        found: dict[str, list[Tensor]] = {"kl": [], "p_answer": [], "top1": [], "agree": []}
        for variant in x:
            now = functional.log_softmax(unembed.all_logits(variant[rows, columns]).float(), -1)
            best = now.argmax(-1)
            spots = {
                "kl": (base.exp() * (base - now)).sum(-1),
                "p_answer": (now.exp() * is_answer).sum(-1),
                "top1": is_answer.gather(1, best[:, None])[:, 0].to(base.dtype),
                "agree": (best == base.argmax(-1)).to(base.dtype),
            }
            for name, value in spots.items():
                total = torch.zeros(self.n_rows, dtype=base.dtype, device=x.device).index_add(0, rows, value)
                found[name].append(total / per_row)
        return {name: torch.stack(values) for name, values in found.items()}
