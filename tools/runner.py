"""What every way of running interventions shares: batches, plain runs, resolved values, readings.

`Engine` (tools/engine.py) enters the network at the changed layer; `HookEngine` (tools/hook_engine.py) runs the whole
TransformerLens model with hooks. Both are Runners, give the same numbers and say in the provenance which one it was.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from tools.activations import Activations, Readings
from tools.decoder import Site
from tools.engine_batch import Patch
from tools.errors import ExperimentError
from tools.interventions import Intervention, Source, Variant
from tools.means import MeanBank
from tools.prompts import PromptGroup, Prompts

Base = Literal["clean", "corrupted"]
Step = Callable[[float, str], None]
MAX_ROWS = 32
DISTRIBUTIONS = ("kl", "p_answer", "top1", "agree")


def silent(done: float, text: str) -> None:
    """Progress nobody listens to."""


@dataclass
class BatchView:
    """What a value function may look at: one batch of equal-length prompts and its recorded runs."""

    group: PromptGroup
    runs: dict[Base, Activations]
    templates: tuple[str, ...]


@dataclass(kw_only=True)
class Runner(ABC):
    """Interventions on one model and one set of prompts. `means` serves interventions with value `mean`."""

    prompts: Prompts
    device: str = "cpu"
    means: MeanBank | None = None
    step: Step = silent
    forward_passes: int = 0
    plain: dict[Base, Readings] = field(default_factory=dict)

    @property
    @abstractmethod
    def how(self) -> str:
        """How interventions are executed, for the provenance."""

    @abstractmethod
    def record(self, tokens: Tensor, sites: set[tuple[int, Site]]) -> Activations:
        """The sites of one plain run."""

    @abstractmethod
    def run_group(
        self, group: PromptGroup, variants: Sequence[Variant], base: Base, total: Readings, run_noops: bool
    ) -> None:
        """Run every variant on one batch and write the readings into the group's rows of `total`."""

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
            for name in DISTRIBUTIONS:
                setattr(total, name, np.zeros((len(variants), n)))
        if self.means is not None:
            averaged: set[tuple[int, Site]] = {
                (i.layer, i.site) for variant in variants for i in variant if i.value == "mean"
            }
            self.forward_passes += self.means.prepare(averaged, self.step)
        done = 0
        for group in self.groups():
            self.run_group(group, variants, base, total, run_noops)
            done += len(group.rows)
            self.step(done / n, f"{text}: {done} of {n} prompts")
        return total

    def groups(self) -> Iterator[PromptGroup]:
        """The batches of equal-length prompts."""
        return self.prompts.groups(MAX_ROWS)

    def tokens(self, group: PromptGroup, run: Base) -> Tensor:
        """Token ids of one run [rows, positions]."""
        return torch.as_tensor(group.clean if run == "clean" else group.corrupted, device=self.device)

    def baseline(self, run: Base, *, distributions: bool = False) -> Readings:
        """The readings of the plain clean or corrupted run, [1, n]."""
        if run not in self.plain or (distributions and self.plain[run].kl is None):
            self.plain[run] = self.run([()], base=run, distributions=distributions, text=f"{run} run")
        return self.plain[run]

    @property
    def gap(self) -> float:
        """Mean clean minus mean corrupted metric: the denominator of harm and restore."""
        return float(self.baseline("clean").metric.mean() - self.baseline("corrupted").metric.mean())

    def templates(self, group: PromptGroup) -> tuple[str, ...]:
        """The template of each row of a batch."""
        return tuple(self.prompts.template[i] for i in group.rows)

    def resolve(self, variant: Variant, view: BatchView, base: Base) -> list[Patch]:
        """The variant's patches on one batch."""
        return [self._patch(one, view, view.runs[base][one.layer, one.site]) for one in variant]

    def _patch(self, one: Intervention, view: BatchView, like: Tensor) -> Patch:
        source: Source | Callable[[Any], Tensor] = one.value
        if callable(source):
            values = source(view)
        else:
            if source == "zero":
                whole = torch.zeros_like(like)
            elif source == "mean":
                if self.means is None:
                    raise ValueError("an intervention takes a mean, but the runner was given no means")
                whole = self.means.values(one.layer, one.site, view.templates, like.shape[1])
            else:
                whole = view.runs[source][one.layer, one.site]
            values = whole if one.index is None else pick_index(whole, one.site, one.index)
        mask = None if one.where is None else position_mask(one, view.group, self.device)
        return Patch(one.layer, one.site, one.index, values, mask)


def sites_by_run(variants: Sequence[Variant], base: Base) -> dict[Base, set[tuple[int, Site]]]:
    """Which sites of which plain run the variants need."""
    needs: dict[Base, set[tuple[int, Site]]] = {"clean": set(), "corrupted": set()}
    for variant in variants:
        for one in variant:
            needs[base].add((one.layer, one.site))
            if one.value == "clean" or callable(one.value):
                needs["clean"].add((one.layer, one.site))
            if one.value == "corrupted" or callable(one.value):
                needs["corrupted"].add((one.layer, one.site))
            needs["clean"].update(one.needs)
            needs["corrupted"].update(one.needs)
    return needs


def position_mask(one: Intervention, group: PromptGroup, device: str) -> Tensor:
    """[rows, positions] True at the intervention's position; rows that lack it are left alone.

    Raises ExperimentError when no row of the batch's task has such a position label.
    """
    assert one.where is not None
    n, length = group.clean.shape
    label = one.where.label or "END"
    if one.where.token is not None:
        index = np.full(n, one.where.token)
    elif label in group.positions:
        index = np.where(group.positions[label] >= 0, group.positions[label] + one.where.offset, -1)
    else:
        raise ExperimentError(f"this task has no position {label!r}; its positions are {', '.join(group.positions)}.")
    good = np.flatnonzero((index >= 0) & (index < length))
    mask = torch.zeros(n, length, dtype=torch.bool, device=device)
    mask[torch.as_tensor(good), torch.as_tensor(index[good])] = True
    return mask


def pick_index(whole: Tensor, site: Site, index: int) -> Tensor:
    """One head (or group, or neuron) of a site's tensor."""
    return whole[:, index] if site == "pattern" else whole[:, :, index]
