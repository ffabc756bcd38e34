"""Mean activations per template and position, for mean ablation (METHOD 1.7).

Averages over the corrupted prompts of one template and one length, position by position, in float64. Sites are
averaged on request, all that a sweep needs in one pass. It says how many prompts each mean rests on; whether that is
enough is the experiment's business.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tools.activations import Activations
from tools.decoder import Site
from tools.errors import ExperimentError
from tools.prompts import Prompts

CHUNK = 64
Recorder = Callable[[Tensor, set[tuple[int, Site]]], Activations]


@dataclass
class MeanBank:
    """Means over the corrupted runs of `prompts`. `record` runs token ids and returns the sites asked for."""

    record: Recorder
    prompts: Prompts
    device: str = "cpu"
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    means: dict[tuple[int, Site, str, int], Tensor] = field(default_factory=dict)
    known: set[tuple[int, Site]] = field(default_factory=set)

    @torch.no_grad()
    def prepare(self, sites: Iterable[tuple[int, Site]], step: Callable[[float, str], None]) -> int:
        """Average the sites that are not averaged yet; returns how many prompts were run for it."""
        new = set(sites) - self.known
        if not new:
            return 0
        sums: dict[tuple[int, Site, str, int], Tensor] = {}
        counts: dict[tuple[str, int], int] = {}
        done = 0
        for group in self.prompts.groups(CHUNK):
            acts = self.record(torch.as_tensor(group.corrupted, device=self.device), new)
            names = [self.prompts.template[i] for i in group.rows]
            length = group.corrupted.shape[1]
            for name in dict.fromkeys(names):
                rows = torch.tensor([i for i, other in enumerate(names) if other == name], device=self.device)
                counts[name, length] = counts.get((name, length), 0) + len(rows)
                for (layer, site), value in acts.items():
                    key = (layer, site, name, length)
                    part = value[rows].double().sum(0)
                    sums[key] = sums[key] + part if key in sums else part
            done += len(group.rows)
            step(0.0, f"means: {done} of {len(self.prompts)} prompts")
        for (layer, site, name, length), total in sums.items():
            self.means[layer, site, name, length] = (total / counts[name, length]).float()
        self.counts.update(counts)
        self.known |= new
        return len(self.prompts)

    def values(self, layer: int, site: Site, templates: tuple[str, ...], length: int) -> Tensor:
        """The mean for each row of a batch [rows, positions, ...].

        Raises ExperimentError when no mean prompt has a row's template and length.
        """
        try:
            return torch.stack([self.means[layer, site, name, length] for name in templates])
        except KeyError as error:
            raise ExperimentError(
                f"no corrupted prompt of {length} tokens was drawn for one of the templates {sorted(set(templates))}, "
                "so there is no mean to ablate with; draw more mean prompts or use method resample."
            ) from error
