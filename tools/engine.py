"""Runs many interventions on a task's prompts, exactly, doing only the work that an intervention makes necessary.

A variant that first changes something at layer l enters the network there, from the cached stream of the plain run
(what the changed site writes is added to that stream); positions before the first changed one are not recomputed
(their cached keys and values are used, causal models only); variants that enter at one place go in one batch, bounded
by the memory budget; only the positions that the metric reads go through the last layer's queries and MLP; only the
logits that the metric reads are computed. A variant that changes nothing is not run at all unless `run_noops`.
Equal to running TransformerLens hooks to float32 rounding. Models without a reader go through `tools/hook_engine.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from tools.activations import Activations, DecoderUnembedder, Readings, ReadoutPlan, record
from tools.decoder import Decoder, Site
from tools.engine_batch import group_variants, run_batch
from tools.interventions import Variant
from tools.prompts import PromptGroup
from tools.runner import Base, BatchView, Runner, sites_by_run

FLOATS_PER_TOKEN = 24
TOKENS_AT_ONCE = 2048  # larger batches leave the processor's cache: benchmarks/patching.py


@dataclass(kw_only=True)
class Engine(Runner):
    """Exact suffix execution on a decoder's own weights."""

    decoder: Decoder
    memory_budget: int = 2_000_000_000
    _kept: dict[tuple[bytes, Base], Activations] = field(default_factory=dict)

    @property
    def how(self) -> str:
        """How interventions are executed, for the provenance."""
        return "suffix execution"

    def record(self, tokens: Tensor, sites: set[tuple[int, Site]]) -> Activations:
        """The sites of one plain run, computing no layer above them."""
        return record(self.decoder, tokens, sites, max(layer for layer, _ in sites))

    def run_group(
        self, group: PromptGroup, variants: Sequence[Variant], base: Base, total: Readings, run_noops: bool
    ) -> None:
        """Run every variant on one batch and write the readings into the group's rows of `total`."""
        plan = ReadoutPlan(group.readouts, len(group.rows), self.device)
        view = self._view(group, variants, base, total.kl is not None)
        patched = [self.resolve(variant, view, base) for variant in variants]
        unembed = DecoderUnembedder(self.decoder)
        last = len(self.decoder.blocks) - 1
        clean = None
        if total.kl is not None:
            clean = view.runs["clean"][last, "resid_post"][:, plan.columns]
        at_once = self.tokens_per_batch()
        for numbers, start in group_variants(patched, view.runs[base], self.decoder, at_once, run_noops):
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
        floats = 3 * widest + FLOATS_PER_TOKEN * self.decoder.w_e.shape[1]
        return max(64, min(TOKENS_AT_ONCE, self.memory_budget // 4 // (4 * floats)))

    def _view(self, group: PromptGroup, variants: Sequence[Variant], base: Base, need_clean: bool) -> BatchView:
        """Both runs of a batch, each with the sites that the variants need of it."""
        last: tuple[int, Site] = (len(self.decoder.blocks) - 1, "resid_post")
        needs = sites_by_run(variants, base)
        needs[base] |= entry_sites(self.decoder) | {last}
        if need_clean:
            needs["clean"].add(last)
        runs: dict[Base, Activations] = {run: self.recorded(group, run, sites) for run, sites in needs.items() if sites}
        return BatchView(group, runs, self.templates(group))

    def recorded(self, group: PromptGroup, run: Base, sites: set[tuple[int, Site]]) -> Activations:
        """The sites of one plain run of a batch (at least these); kept for the next call when memory allows."""
        key = (group.rows.tobytes(), run)
        have = self._kept.get(key)
        if have is not None and sites <= set(have):
            return have
        keep = self._keeping()
        wanted = sites | set(have or ()) | (standard_sites(self.decoder) if keep else set())
        acts = record(self.decoder, self.tokens(group, run), wanted)
        self.forward_passes += len(group.rows)
        if keep:
            self._kept[key] = acts
        return acts

    def _keeping(self) -> bool:
        """Whether both runs of all prompts, standard sites, fit into half of the memory budget."""
        width = self.decoder.w_e.shape[1]
        per_token = 5 * width * len(self.decoder.blocks) * self.decoder.w_e.element_size()
        return 2 * int(self.prompts.lengths.sum()) * per_token < self.memory_budget // 2


def entry_sites(decoder: Decoder) -> set[tuple[int, Site]]:
    """What the base run must have recorded so that a variant can enter anywhere."""
    sites: tuple[Site, ...] = ("resid_pre", "resid_mid", "k", "v")
    return {(layer, site) for layer in range(len(decoder.blocks)) for site in sites}


def standard_sites(decoder: Decoder) -> set[tuple[int, Site]]:
    """What most experiments ask of a run: entries, heads, MLPs, the final stream."""
    found = entry_sites(decoder)
    found.add((len(decoder.blocks) - 1, "resid_post"))
    for layer, block in enumerate(decoder.blocks):
        found.add((layer, "z"))
        if block.mlp is not None:
            found.add((layer, "mlp_out"))
    return found
