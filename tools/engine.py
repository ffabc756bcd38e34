"""Runs many interventions on a task's prompts, exactly, doing only the work that an intervention makes necessary.

A variant that first changes something at layer l enters the network there, from the cached stream of the plain run
(what the changed site writes is added to that stream); positions before the first changed one are not recomputed
(their cached keys and values are used, causal models only); variants that enter at one place go in one batch, bounded
by the memory budget; only the positions that the metric reads go through the last layer's queries and MLP; only the
logits that the metric reads are computed. A variant that changes nothing is not run at all unless `run_noops`.
Equal to running TransformerLens hooks to float32 rounding. Models without a reader go through `tools/hook_engine.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from tools.activations import Activations, DecoderUnembedder, Readings, ReadoutPlan, record
from tools.decoder import Decoder, Site
from tools.engine_batch import Patch, group_variants, run_batch
from tools.errors import ExperimentError
from tools.interventions import Intervention, Source, Variant
from tools.means import MeanBank
from tools.prompts import PromptGroup, Prompts

Base = Literal["clean", "corrupted"]
Step = Callable[[float, str], None]
FLOATS_PER_TOKEN = 24
MAX_ROWS = 32


@dataclass
class BatchView:
    """What a value function may look at: one batch of equal-length prompts and its recorded runs."""

    group: PromptGroup
    decoder: Decoder
    runs: dict[Base, Activations]
    templates: tuple[str, ...]


def _silent(done: float, text: str) -> None:
    """Progress nobody listens to."""


@dataclass
class Engine:
    """Interventions on one model and one set of prompts. `means` serves interventions with value `mean`."""

    decoder: Decoder
    prompts: Prompts
    device: str = "cpu"
    memory_budget: int = 2_000_000_000
    means: MeanBank | None = None
    step: Step = _silent
    forward_passes: int = 0
    plain: dict[Base, Readings] = field(default_factory=dict)

    @torch.no_grad()
    def run(
        self,
        variants: Sequence[Variant],
        *,
        base: Base = "clean",
        distributions: bool = False,
        run_noops: bool = False,
        text: str = "patching",
    ) -> Readings:
        """The readings of every variant, made in the `base` run. Reports progress and stops where asked to."""
        n = len(self.prompts)
        total = Readings(np.zeros((len(variants), n)))
        if distributions:
            for name in ("kl", "p_answer", "top1", "agree"):
                setattr(total, name, np.zeros((len(variants), n)))
        if self.means is not None:
            averaged: set[tuple[int, Site]] = {
                (i.layer, i.site) for variant in variants for i in variant if i.value == "mean"
            }
            self.forward_passes += self.means.prepare(averaged, self.step)
        done = 0
        for group in self.groups():
            self._run_group(group, variants, base, total, run_noops)
            done += len(group.rows)
            self.step(done / n, f"{text}: {done} of {n} prompts")
        return total

    @classmethod
    def for_model(cls, model: Any, prompts: Prompts, memory_budget: int, step: Step) -> "Engine":
        """The engine for a `LoadedModel`. Raises ExperimentError when no reader knows its family."""
        if model.decoder is None:
            raise ExperimentError(f"{model.name} is of a family that the engine cannot enter layer by layer yet.")
        return cls(model.decoder, prompts, model.device, memory_budget, step=step)

    @property
    def how(self) -> str:
        """How interventions are executed, for the provenance."""
        return "suffix execution"

    def record(self, tokens: Tensor, sites: set[tuple[int, Site]]) -> Activations:
        """The sites of one plain run, computing no layer above them."""
        return record(self.decoder, tokens, sites, max(layer for layer, _ in sites))

    def groups(self) -> Iterator[PromptGroup]:
        """The batches of equal-length prompts."""
        return self.prompts.groups(MAX_ROWS)

    def tokens(self, group: PromptGroup, run: Base) -> Tensor:
        """Token ids of one run [rows, positions]."""
        return torch.as_tensor(group.clean if run == "clean" else group.corrupted, device=self.device)

    @torch.no_grad()
    def baseline(self, run: Base, *, distributions: bool = False) -> Readings:
        """The readings of the plain clean or corrupted run, [1, n]."""
        if run not in self.plain or (distributions and self.plain[run].kl is None):
            self.plain[run] = self.run([()], base=run, distributions=distributions, run_noops=True, text=f"{run} run")
        return self.plain[run]

    @property
    def gap(self) -> float:
        """Mean clean minus mean corrupted metric: the denominator of harm and restore."""
        return float(self.baseline("clean").metric.mean() - self.baseline("corrupted").metric.mean())

    def _run_group(
        self, group: PromptGroup, variants: Sequence[Variant], base: Base, total: Readings, run_noops: bool
    ) -> None:
        plan = ReadoutPlan(group.readouts, len(group.rows), self.device)
        view = self._view(group, variants, base, total.kl is not None)
        patched = [self._resolve(variant, view, base) for variant in variants]
        unembed = DecoderUnembedder(self.decoder)
        clean = None
        last = len(self.decoder.blocks) - 1
        if total.kl is not None:
            clean = view.runs["clean"][last, "resid_post"][:, plan.columns]
        per_batch = max(1, self.tokens_per_batch() // group.clean.size)
        for numbers, start in group_variants(patched, view.runs[base], self.decoder, per_batch, run_noops):
            if start is None:
                x = view.runs[base][last, "resid_post"][:, plan.columns].expand(len(numbers), -1, -1, -1)
            else:
                chosen = [patched[i] for i in numbers]
                x = run_batch(self.decoder, view.runs[base], chosen, start, plan.columns)
                self.forward_passes += len(numbers) * len(group.rows)
            where = np.ix_(np.array(numbers), group.rows)
            total.metric[where] = plan.metric(unembed, x).double().cpu().numpy()
            if clean is not None:
                for name, value in plan.distributions(unembed, x, clean).items():
                    getattr(total, name)[where] = value.double().cpu().numpy()
            self.step(0.0, "")

    def tokens_per_batch(self) -> int:
        """How many computed tokens fit into the memory budget at once."""
        widest = max(b.mlp.w_in.shape[0] if b.mlp else 0 for b in self.decoder.blocks)
        width = self.decoder.w_e.shape[1]
        floats = 3 * widest + FLOATS_PER_TOKEN * width
        return max(64, min(8192, self.memory_budget // 4 // (4 * floats)))

    def _view(self, group: PromptGroup, variants: Sequence[Variant], base: Base, need_clean: bool) -> BatchView:
        """Record both runs of a batch, each with the sites that the variants need of it."""
        layers = range(len(self.decoder.blocks))
        last: tuple[int, Site] = (layers[-1], "resid_post")
        always: set[tuple[int, Site]] = {
            (layer, site) for layer in layers for site in ("resid_pre", "resid_mid", "k", "v")
        }
        touched: set[tuple[int, Site]] = {(i.layer, i.site) for variant in variants for i in variant}
        needs: dict[Base, set[tuple[int, Site]]] = {"clean": set(), "corrupted": set()}
        needs[base] |= always | touched | {last}
        if need_clean:
            needs["clean"].add(last)
        for variant in variants:
            for one in variant:
                if one.value in ("clean", "corrupted"):
                    needs[one.value].add((one.layer, one.site))  # pyright: ignore[reportArgumentType]  # just tested
                elif callable(one.value):
                    needs["clean"].add((one.layer, one.site))
                    needs["corrupted"].add((one.layer, one.site))
        runs: dict[Base, Activations] = {}
        for run, sites in needs.items():
            if sites:
                runs[run] = record(self.decoder, self.tokens(group, run), sites)
                self.forward_passes += len(group.rows)
        return BatchView(group, self.decoder, runs, tuple(self.prompts.template[i] for i in group.rows))

    def _resolve(self, variant: Variant, view: BatchView, base: Base) -> list[Patch]:
        patches = []
        for one in variant:
            shape = view.runs[base][one.layer, one.site]
            value = self._value(one, view, shape)
            mask = None if one.where is None else self._mask(one, view.group)
            patches.append(Patch(one.layer, one.site, one.index, value, mask))
        return patches

    def _value(self, one: Intervention, view: BatchView, like: Tensor) -> Tensor:
        source: Source | Callable[[BatchView], Tensor] = one.value
        if callable(source):
            whole = source(view)
        elif source == "zero":
            whole = torch.zeros_like(like)
        elif source == "mean":
            if self.means is None:
                raise ValueError("an intervention takes a mean, but the engine was given no means")
            whole = self.means.values(one.layer, one.site, view.templates, like.shape[1])
        else:
            whole = view.runs[source][one.layer, one.site]
        return whole if one.index is None or callable(source) else pick_index(whole, one.site, one.index)

    def _mask(self, one: Intervention, group: PromptGroup) -> Tensor:
        """[rows, positions] True at the intervention's position."""
        assert one.where is not None
        n, length = group.clean.shape
        if one.where.token is not None:
            index = np.full(n, one.where.token)
        else:
            index = group.positions[one.where.label or "END"] + one.where.offset
        good = (index >= 0) & (index < length)
        mask = torch.zeros(n, length, dtype=torch.bool, device=self.device)
        mask[torch.as_tensor(np.flatnonzero(good)), torch.as_tensor(index[good])] = True
        return mask


def pick_index(whole: Tensor, site: Site, index: int) -> Tensor:
    """One head (or group, or neuron) of a site's tensor."""
    if site == "pattern":
        return whole[:, index]
    return whole[:, :, index]
