"""Every ablation and every edge of a folder of compiled models against what their circuit.json says.

For each case, plain and decoy: each component ablated (resample, mean, zero) and each listed edge corrupted or zeroed by
path patching. An intervention counts as having an effect when it moves the metric of any prompt by more than 2 % of the
gap or changes any answer; the file says the same of its own measurement. The last line is one JSON object.

    python benchmarks/case_ablations.py DIR [--n 64]
"""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tools.component import parse_edge
from tools.engine import Engine
from tools.experiment import Lab, TaskParams
from tools.interventions import Source, Variant, intervene
from tools.measurement import measure
from tools.models import load_model
from tools.paths import path, read_receiver
from tools.selection import every_head, every_mlp

THRESHOLD = 0.02
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


def has_effect(engine: Engine, variants: list[Variant], gap: float) -> list[bool]:
    """Whether each variant moves the metric of any prompt, or changes any answer."""
    read = engine.run(variants, distributions=True)
    assert read.agree is not None
    moved = np.abs(read.metric - engine.baseline("clean").metric).max(1) / abs(gap)
    return [bool(m > THRESHOLD or flips > 0) for m, flips in zip(moved, (1 - read.agree).max(1), strict=True)]


def listed_effect(effect: dict[str, float]) -> bool:
    """Whether the file's own measurement saw an effect."""
    return effect["max_abs_logit_change"] > THRESHOLD


def check_model(case: Path, folder: Path, n: int, components: Tally, edges: Tally) -> None:
    """Count one model's components and edges."""
    circuit: dict[str, Any] = json.loads((folder / "circuit.json").read_text(encoding="utf-8"))
    lab = Lab(load_model(f"case:{folder}", models_dir=folder))
    m = measure(lab, TaskParams(task=f"case:{case}", n=n), mean_prompts=n)
    engine, model = m.engine, lab.model
    everything = every_head(model) + every_mlp(model)
    for method, source in METHODS:
        variants: list[Variant] = [(intervene(c, source, n_layers=model.n_layers),) for c in everything]
        for component, found in zip(everything, has_effect(engine, variants, m.gap), strict=True):
            listed = circuit["components"][str(component)]["ablation_effect"][method]
            components.add(f"{model.name} {component} {method}", found, listed_effect(listed))
    if folder.name == "decoy":
        return  # its edges are listed with the plain model's numbers
    for method in EDGE_METHODS:
        rows = [edge for edge in circuit["edges"] if edge.get("effect")]
        variants = [(path(engine.decoder, (parse_edge(name(e)).source,), receiver(e), method=method),) for e in rows]
        for edge, found in zip(rows, has_effect(engine, variants, m.gap), strict=True):
            edges.add(f"{model.name} {name(edge)} {method}", found, listed_effect(edge["effect"][method]))


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
    parser.add_argument("--n", type=int, default=64, help="pairs per case")
    options = parser.parse_args()
    components, edges = Tally(), Tally()
    for case in sorted(options.folder.glob("case_*")):
        for folder in (case, case / "decoy"):
            if (folder / "circuit.json").is_file():
                check_model(case, folder, options.n, components, edges)
    for line in [*components.differ, *edges.differ]:
        print(line)
    report = {
        "components": components.agree + len(components.differ),
        "components_differ": len(components.differ),
        "edges": edges.agree + len(edges.differ),
        "edges_differ": len(edges.differ),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
