"""Interchange within a few directions of a site: find them by gradient descent, swap them, split them by what is read.

Distributed alignment search (Geiger et al. 2023): U with k orthonormal columns is trained so that swapping only the part
of an activation inside U, x <- x + U U'(source - x), gives the source run's metric. The loss is the squared distance to
that metric over the squared gap, so a direction gains nothing by overshooting. Makelov et al. 2023: such a direction can
work through a dormant pathway. `read_part` splits U by the matrices that read what is written there: the part that none
of them reads must not be needed. Only positions from the swapped one on are recomputed.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tools.activations import DecoderUnembedder, ReadoutPlan, prefix_of
from tools.decoder import Decoder, Norm, Prefix, Site, run_layers
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.interventions import Intervention
from tools.prompts import Floats, PromptGroup
from tools.runner import BatchView, pick_index, position_mask

ROWS = 16  # prompts of a gradient step
ROWS_WHOLE = 4  # run at once where every position is recomputed: the graph of a deep model is large
UNREAD = 1e-9
Basis = Float[Tensor, "d k"]


def project(x: Tensor, basis: Basis) -> Tensor:
    """The part of x [..., d] inside the span of the basis."""
    return (x.to(basis.dtype) @ basis @ basis.T).to(x.dtype)


def swap(one: Intervention, basis: Basis | None) -> Intervention:
    """The intervention that puts the clean run's part inside `basis` (all of it when None) into the corrupted run."""
    if basis is None:
        return Intervention(one.layer, one.site, one.index, "clean", one.where)

    def value(view: BatchView) -> Tensor:
        base, source = (_of(view.runs[run][one.layer, one.site], one) for run in ("corrupted", "clean"))
        return base + project(source - base, basis)

    return Intervention(one.layer, one.site, one.index, value, one.where)


def _of(whole: Tensor, one: Intervention) -> Tensor:
    return whole if one.index is None else pick_index(whole, one.site, one.index)


def width_of(decoder: Decoder, one: Intervention) -> int:
    """How many dimensions the site's activation has. Raises ExperimentError for sites that are no vectors."""
    block = decoder.blocks[one.layer]
    if one.site == "z" and one.index is not None:
        return block.attn.d_head
    if one.site == "neurons" and one.index is None and block.mlp is not None:
        return block.mlp.w_in.shape[0]
    if one.site in ("resid_pre", "resid_post", "resid_mid", "attn_out", "mlp_out"):
        return decoder.w_u.shape[1]
    raise ExperimentError("directions are searched in a head's output, an MLP, an attention layer or the stream.")


def random_basis(width: int, k: int, generator: torch.Generator) -> Basis:
    """k random orthonormal directions."""
    return torch.linalg.qr(torch.randn(width, k, generator=generator)).Q


@dataclass
class _Batch:
    """What one gradient step needs of a batch: the stream that enters, where, and what is to come out."""

    entering: Tensor
    positions: Tensor
    prefix: Prefix | None
    source: Tensor
    mask: Tensor
    plan: ReadoutPlan
    target: Tensor


@dataclass(frozen=True)
class Trained:
    """Directions found and the loss of every step."""

    basis: Basis
    loss: Floats


@dataclass
class Search:
    """Trains directions at one site on the engine's prompts; recorded runs are kept between trainings."""

    engine: Engine
    one: Intervention
    steps: int
    rate: float

    def __post_init__(self) -> None:
        self.width = width_of(self.engine.decoder, self.one)
        self._batches: list[_Batch] | None = None

    @torch.no_grad()
    def batches(self) -> list[_Batch]:
        """Every batch, recorded once."""
        if self._batches is None:
            self._batches = [self._batch(group) for group in self.engine.prompts.groups(ROWS // self.parts)]
        return self._batches

    @property
    def parts(self) -> int:
        """How many batches make one gradient step."""
        narrow = self.one.where is not None and self.engine.decoder.causal
        return 1 if narrow else ROWS // ROWS_WHOLE

    def _batch(self, group: PromptGroup) -> _Batch:
        engine, one, decoder = self.engine, self.one, self.engine.decoder
        plan = ReadoutPlan(group.readouts, len(group.rows), engine.device)
        length = group.clean.shape[1]
        mask = torch.ones(len(group.rows), length, dtype=torch.bool, device=engine.device)
        if one.where is not None:
            mask = position_mask(one, group, engine.device)
        start = int(mask.any(0).nonzero()[0, 0]) if decoder.causal and bool(mask.any()) else 0
        start = min(start, int(plan.columns.min()))
        wanted: set[tuple[int, Site]] = {(one.layer, "resid_pre")}
        wanted |= {(layer, site) for layer in range(one.layer, len(decoder.blocks)) for site in ("k", "v")}
        base = engine.record(engine.tokens(group, "corrupted"), wanted)
        source = engine.record(engine.tokens(group, "clean"), {(one.layer, one.site)})[one.layer, one.site]
        engine.forward_passes += 2 * len(group.rows)
        positions = torch.arange(start, length, device=engine.device)
        target = torch.as_tensor(engine.baseline("clean").metric[0][group.rows], device=engine.device)
        return _Batch(
            base[one.layer, "resid_pre"][:, start:],
            positions,
            prefix_of(decoder, base, start, 1, one.layer),
            _of(source, one)[:, start:],
            mask[:, start:],
            plan,
            target,
        )

    def metric(self, batch: _Batch, basis: Basis, source: Tensor) -> Float[Tensor, " rows"]:
        """The metric of each row with the part inside `basis` swapped; differentiable in the basis."""
        one, decoder = self.one, self.engine.decoder

        def tap(layer: int, site: Site, value: Tensor) -> Tensor:
            if (layer, site) != (one.layer, one.site):
                return value
            now = _of(value, one)
            new = torch.where(batch.mask[..., None], now + project(source - now, basis), now)
            if one.index is None:
                return new
            rest = [new if i == one.index else value[:, :, i] for i in range(value.shape[2])]
            return torch.stack(rest, dim=2)

        layers = range(one.layer, len(decoder.blocks))
        x = run_layers(decoder, batch.entering, batch.positions, layers=layers, tap=tap, prefix=batch.prefix)
        columns = batch.plan.columns - int(batch.positions[0])
        return batch.plan.metric(DecoderUnembedder(decoder), x[None][:, :, columns])[0]

    def train(self, k: int, seed: int, *, permuted: bool = False) -> Trained:
        """k directions by Adam from a random start. `permuted`: each row gets another row's source (the control)."""
        generator = torch.Generator().manual_seed(seed)
        free = random_basis(self.width, k, generator).to(self.engine.device).requires_grad_(True)
        optimizer = torch.optim.Adam([free], lr=self.rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps, eta_min=0.1 * self.rate)
        scale, batches, losses = self.engine.gap**2, self.batches(), []
        for step in range(self.steps):
            optimizer.zero_grad()
            total = 0.0
            for part in range(self.parts):
                batch = batches[(step * self.parts + part) % len(batches)]
                source = batch.source
                if permuted and len(source) > 1:
                    source = source.roll(1 + int(torch.randint(len(source) - 1, (1,), generator=generator)), 0)
                with torch.enable_grad():
                    metric = self.metric(batch, torch.linalg.qr(free).Q, source)
                    loss = ((metric.double() - batch.target) ** 2).mean() / (scale * self.parts)
                    loss.backward()
                total += float(loss.detach())
                self.engine.forward_passes += 2 * len(batch.target)
            optimizer.step()
            schedule.step()
            losses.append(total)
            self.engine.step((step + 1) / self.steps, f"searching directions: step {step + 1} of {self.steps}")
        return Trained(torch.linalg.qr(free.detach()).Q, np.array(losses))


def readers(decoder: Decoder, one: Intervention) -> Float[Tensor, "d d"]:
    """Gram matrix, in the site's own coordinates, of every weight matrix that reads what the site writes; float64.

    Readers are queries, keys, values and MLPs that come later, and the unembedding. The null space is what nobody
    reads (norms' scales aside).
    """
    last = len(decoder.blocks)
    after = one.site in ("neurons", "mlp_out", "resid_post")
    first = one.layer + 1 if after else one.layer
    total = _gram(decoder.w_u, decoder.final_norm)
    for layer in range(first, last):
        block = decoder.blocks[layer]
        if layer > one.layer or one.site == "resid_pre":
            for weight in (block.attn.w_q, block.attn.w_k, block.attn.w_v):
                total = total + _gram(weight, block.ln1)
        parallel_here = block.parallel and layer == one.layer and one.site != "resid_pre"
        if block.mlp is not None and not parallel_here:
            total = total + _gram(block.mlp.w_in, block.ln2)
            if block.mlp.w_gate is not None:
                total = total + _gram(block.mlp.w_gate, block.ln2)
    writes = _writes(decoder, one)
    return total if writes is None else writes.T @ total @ writes


def _writes(decoder: Decoder, one: Intervention) -> Tensor | None:
    """The matrix by which the site writes into the stream; None where it is the stream or in its coordinates."""
    block = decoder.blocks[one.layer]
    if one.site == "z" and one.index is not None:
        d = block.attn.d_head
        return block.attn.w_o[:, one.index * d : (one.index + 1) * d].detach().double()
    if one.site == "neurons" and block.mlp is not None:
        return block.mlp.w_out.detach().double()
    return None


def _gram(weight: Tensor, norm: Norm) -> Tensor:
    folded = weight.detach() if norm.weight is None else weight.detach() * norm.weight.detach()
    if norm.kind == "layer":
        folded = folded - folded.mean(-1, keepdim=True)
    return folded.double().T @ folded.double()


@dataclass(frozen=True)
class Split:
    """The parts of a basis that are read and that are not (None where there is none); `unread` is the latter's share."""

    read: Basis | None
    null: Basis | None
    unread: float


def read_part(basis: Basis, gram: Float[Tensor, "d d"]) -> Split:
    """Split a basis by the null space of `gram`."""
    values, vectors = torch.linalg.eigh(gram)
    null = vectors[:, values <= UNREAD * values.max()]
    wide = basis.double()
    inside = null @ (null.T @ wide)
    share = float((inside**2).sum() / (wide**2).sum())
    return Split(_span(wide - inside, basis.dtype), _span(inside, basis.dtype), share)


def _span(x: Tensor, dtype: torch.dtype) -> Basis | None:
    left, values, _ = torch.linalg.svd(x, full_matrices=False)
    kept = left[:, values > 1e-4]
    return kept.to(dtype) if kept.shape[1] else None
