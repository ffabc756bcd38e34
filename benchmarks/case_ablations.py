"""Every ablation and every edge of a folder of compiled models against what their circuit.json says.

For each case, plain and decoy: each component ablated (resample, mean, zero) and each listed edge corrupted or zeroed by
path patching, on the pairs that the case lists. An intervention counts as having an effect when it moves the metric of
any pair by more than 2 % of the gap, or the distribution over answers (KL above 1e-4) at the places that hold a real token
in both members, also where both have the same answer or none is expected. The file measured the largest change of a
logit there; it is above 0.9 or below 0.007, never between. A component counts as found when any of the three ablations
has an effect. Zeroing an edge from `input` leaves what never varies (the constant direction and the BOS flag that
compiled heads also read) in place, as the file's measurement did. A decoy's file repeats the plain model's numbers for its
edges; where a decoy's basis is rotated, what never varies cannot be told from the weights, so edges from `input` are
only corrupted there, not zeroed. The last line is one JSON object.

    python -m benchmarks.case_ablations DIR [--n 200] [--cases 2,3,21]
"""

import argparse
import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from tools.cases import case_task
from tools.component import parse_edge
from tools.decoder import Decoder
from tools.engine import Engine
from tools.experiment import Lab
from tools.interventions import Intervention, Source, Variant, intervene
from tools.means import MeanBank
from tools.measurement import runner_for
from tools.models import load_model
from tools.paths import landing, path, read_receiver, reads, received
from tools.prompts import NO_FOIL, Prompts, Readouts
from tools.runner import BatchView
from tools.selection import every_head, every_mlp

THRESHOLD = 0.02
KL = 1e-4
METHODS: tuple[tuple[str, Source], ...] = (("resample", "corrupted"), ("mean", "mean"), ("zero", "zero"))
EDGE_METHODS: tuple[Literal["resample", "zero"], ...] = ("resample", "zero")


@dataclass
class Tally:
    """How many decisions agree, and the ones that do not."""

    agree: int = 0
    differ: list[str] = field(default_factory=list)

    def add(self, what: str, ours: bool, theirs: bool) -> None:
        """Count one decision."""
        if ours == theirs:
            self.agree += 1
        else:
            self.differ.append(f"{what}: {'an' if ours else 'no'} effect here, {'an' if theirs else 'no'} effect there")


@dataclass
class Tallies:
    """Single ablations against the file's own; components against its circuit; edges against its own."""

    ablations: Tally = field(default_factory=Tally)
    components: Tally = field(default_factory=Tally)
    edges: Tally = field(default_factory=Tally)


def has_effect(engine: Engine, variants: list[Variant], gap: float) -> list[bool]:
    """Whether each variant moves the metric of any prompt, or the distribution where it is read."""
    read = engine.run(variants, distributions=True)
    assert read.kl is not None
    moved = np.abs(read.metric - engine.baseline("clean").metric).max(1) / abs(gap)
    return [bool(m > THRESHOLD or kl > KL) for m, kl in zip(moved, read.kl.max(1), strict=True)]


def listed_effect(effect: dict[str, float]) -> bool:
    """Whether the file's own measurement saw an effect."""
    return effect["max_abs_logit_change"] > THRESHOLD


def scored_everywhere(prompts: Prompts, special: tuple[int, ...]) -> Prompts:
    """The same pairs, read at every place that holds a real token in both members; the new places weigh nothing."""
    r = prompts.readouts
    taken = set(zip(r.row.tolist(), r.position.tolist(), strict=True))
    more = [
        (i, place)
        for i, (clean, corrupted) in enumerate(zip(prompts.clean_tokens, prompts.corrupted_tokens, strict=True))
        for place in np.flatnonzero(~np.isin(clean, special) & ~np.isin(corrupted, special)).tolist()
        if (i, place) not in taken
    ]
    row = np.array([*r.row.tolist(), *(i for i, _ in more)], np.int64)
    position = np.array([*r.position.tolist(), *(place for _, place in more)], np.int64)
    answer, foil = (np.concatenate([old, np.full(len(more), fill)]) for old, fill in ((r.answer, 0), (r.foil, NO_FOIL)))
    weight = np.concatenate([r.weight, np.zeros(len(more))])
    order = np.argsort(row, kind="stable")
    return replace(prompts, readouts=Readouts(row[order], position[order], answer[order], foil[order], weight[order]))


def check_model(case: Path, folder: Path, n: int, tallies: Tallies) -> None:
    """Count one model's components and edges."""
    circuit: dict[str, Any] = json.loads((folder / "circuit.json").read_text(encoding="utf-8"))
    lab, task = Lab(load_model(f"case:{folder}", models_dir=folder)), case_task(folder)
    prompts = task.as_given()
    prompts = scored_everywhere(prompts.subset(list(range(min(n, len(prompts))))), task.special_ids)
    engine = runner_for(lab, prompts)
    assert isinstance(engine, Engine), engine.how
    engine.means = MeanBank(engine.record, prompts, lab.model.device)
    model, gap = lab.model, engine.gap
    everything = every_head(model) + every_mlp(model)
    seen: dict[str, bool] = dict.fromkeys(map(str, everything), False)
    for method, source in METHODS:
        variants: list[Variant] = [(intervene(c, source, n_layers=model.n_layers),) for c in everything]
        for component, found in zip(map(str, everything), has_effect(engine, variants, gap), strict=True):
            listed = circuit["components"][component]["ablation_effect"][method]
            tallies.ablations.add(f"{model.name} {component} {method}", found, listed_effect(listed))
            seen[component] |= found
    for component, found in seen.items():
        tallies.components.add(f"{model.name} {component}", found, circuit["components"][component]["in_circuit"])
    for method in EDGE_METHODS:
        rows = [edge for edge in circuit["edges"] if edge.get("effect")]
        if method == "zero" and circuit.get("basis_change") == "rotation":
            rows = [edge for edge in rows if edge["src"] != "input"]
        variants = [(edge_change(engine.decoder, e, method, task.special_ids),) for e in rows]
        for edge, found in zip(rows, has_effect(engine, variants, gap), strict=True):
            tallies.edges.add(f"{model.name} {name(edge)} {method}", found, listed_effect(edge["effect"][method]))


def edge_change(
    decoder: Decoder, edge: dict[str, Any], method: Literal["resample", "zero"], special: tuple[int, ...]
) -> Intervention:
    """The edge corrupted or zeroed."""
    end = receiver(edge)
    if edge["src"] != "input" or method == "resample":
        return path(decoder, (parse_edge(name(edge)).source,), end, method=method)
    assert decoder.w_pos is not None
    ordinary = [token for token in range(len(decoder.w_e)) if token not in special]
    words = decoder.w_e[ordinary][:, None] + decoder.w_pos[None, 1:]
    varies = (words - words[:1, :1]).abs().amax((0, 1)) > 1e-6
    layers = len(decoder.blocks)

    def value(view: BatchView) -> Tensor:
        clean = view.runs["clean"]
        return received(decoder, clean, end, torch.where(varies, -clean[0, "resid_pre"], 0.0))

    return Intervention(*landing(end, layers), value, None, ((0, "resid_pre"), *reads(end, layers)))


def name(edge: dict[str, Any]) -> str:
    """The edge as this program prints it."""
    channel = f"<{edge['channel']}>" if edge["channel"] in ("q", "k", "v") else ""
    return f"{edge['src']}->{edge['dst']}{channel}"


def receiver(edge: dict[str, Any]) -> Any:
    """The receiving end."""
    return read_receiver(name(edge).split("->")[1])


def main() -> None:
    """Check every case of the folder and print the tally."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n", type=int, default=200, help="pairs per case, of those listed")
    parser.add_argument("--cases", help="only these, e.g. 2,3,21")
    options = parser.parse_args()
    tallies = Tallies()
    names = {f"case_{one}" for one in options.cases.split(",")} if options.cases else None
    for case in sorted(options.folder.glob("case_*")):
        for folder in (case, case / "decoy"):
            if (folder / "circuit.json").is_file() and (names is None or case.name in names):
                check_model(case, folder, options.n, tallies)
    report: dict[str, int] = {}
    for tally in fields(tallies):
        counted: Tally = getattr(tallies, tally.name)
        for line in counted.differ:
            print(f"{tally.name}: {line}")
        report |= {tally.name: counted.agree + len(counted.differ), f"{tally.name}_differ": len(counted.differ)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
