"""Every experiment on one model: seconds, forward passes and peak memory, each in a process of its own.

    python -m benchmarks.experiments [--model smollm2] [--n 64] [--only NAME,NAME] [--part]

`--part` keeps long sweeps to a few layers, receivers and random sets: the same batches, so the same memory, in less time.
Prints a Markdown table; the last line is one JSON object.
"""

import argparse
import json
import multiprocessing
import resource
import time
from typing import Any

from tools.errors import ToolsError

HEADS = {"smollm2": "a20.h0", "planted": "a1.h0"}
CIRCUITS = {
    "smollm2": [
        "17.4",
        "18.2",
        "18.6",
        "19.2",
        "20.0",
        "21.4",
        "22.4",
        "23.0",
        "23.1",
        "23.2",
        "23.3",
        "24.4",
        "15.1",
        "16.0",
        "19.4",
        "20.4",
    ],
    "planted": ["0.0", "1.0", "1.2", "2.0"],
}


def calls(kind: str, n_layers: int) -> dict[str, dict[str, Any]]:
    """Parameters of each experiment beside task and n."""
    head, circuit = HEADS[kind], CIRCUITS[kind]
    sender = circuit[0]
    return {
        "activation-patching": {"site": "z"},
        "assay": {},
        "attention-pattern": {},
        "attention-targets": {"component": head, "target": "previous"},
        "attribution-patching": {},
        "behaviour": {},
        "circuit-curve": {"ranking": "atp"},
        "circuit-discovery": {},
        "circuit-evaluation": {"components": circuit},
        "circuit-tests": {"components": circuit},
        "composition": {"receiver": head},
        "copy-score": {},
        "cost": {"experiment": "head-ablation"},
        "direct-logit-attribution": {},
        "direction-patching": {"component": f"resid{n_layers - 1}@END"},
        "edge-attribution": {},
        "head-ablation": {"mlps": kind == "smollm2"},
        "head-patching": {},
        "head-scores": {},
        "interchange": {},
        "linear-probe": {"layer": n_layers - 1, "target": "template"},
        "logit-lens": {},
        "mediation": {"senders": [sender]},
        "path-patching": {"receiver": head},
        "predictions": {},
        "screen": {},
        "written-values": {"component": head, "value": "odd-index"},
    }


PART: dict[str, dict[str, Any]] = {
    "activation-patching": {"layers": [0, 20]},
    "assay": {"n_null": 4},
    "circuit-curve": {"n_random": 2},
    "circuit-discovery": {"nominate": 8},
    "circuit-evaluation": {"n_random": 6, "n_random_any": 2, "n_subsets": 2, "minimal": False, "mean_prompts": 16},
    "circuit-tests": {"n_random": 10, "n_inflated": 10},
    "direction-patching": {"steps": 4, "n_permuted": 0, "n_random": 4},
    "head-ablation": {"components": ["0.0", "0.1", "0.2", "10.0", "20.0", "29.0", "m0", "m29"]},
    "head-patching": {"components": ["0.0", "0.1", "0.2", "10.0", "20.0", "29.0"]},
    "linear-probe": {"shuffles": 19},
    "mediation": {"receivers": ["a20.h0", "a23.h0", "m29"]},
    "path-patching": {"senders": ["a0.h0", "a17.h4", "a19.h2"]},
}


def measure_one(name: str, model: str, n: int, part: bool, queue: Any) -> None:
    """Run one experiment and put what it took on the queue. Imports torch in the child only."""
    from tools.experiment import Lab, find_experiment
    from tools.models import load_model
    from ui.settings import load

    loaded = load_model(model, models_dir=load().models_dir)
    kind = "planted" if model.startswith("planted:") else "smollm2"
    params = calls(kind, loaded.n_layers)[name]
    if part and kind == "smollm2":
        params |= PART.get(name, {})
    found = find_experiment(name)
    fields = found.params.model_fields
    if "task" in fields:
        params = {"task": model.replace(":", "-") if kind == "planted" else "ioi", **params}
    if "n" in fields:
        params = {"n": n, **params}
    lab, began = Lab(loaded), time.monotonic()
    wanted = found.params(**params)
    expected = found.cost(wanted, loaded)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    estimated = expected.work * loaded.seconds_per_pass
    try:
        result = found.run(lab, wanted)
        outcome = result.summary
        passes = result.provenance.forward_passes
    except ToolsError as error:
        outcome, passes = f"{type(error).__name__}: {error}", 0
    took = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    queue.put(
        {
            "experiment": name,
            "seconds": round(took, 1),
            "estimated": round(estimated, 1),
            "passes": passes,
            "expected": int(expected.passes),
            "loaded_gb": round(before / 1e6, 2),
            "peak_gb": round(peak / 1e6, 2),
            "outcome": outcome,
        }
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--n", type=int, default=64)
    parser.add_argument("--only", help="some experiments, by name, with commas")
    parser.add_argument("--part", action="store_true", help="a few layers and random sets of each long sweep")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else sorted(calls("smollm2", 30))
    spawn = multiprocessing.get_context("spawn")
    rows = []
    print("| experiment | seconds | estimated | passes | expected | peak GB |\n|---|---|---|---|---|---|", flush=True)
    for name in names:
        queue = spawn.Queue()
        child = spawn.Process(target=measure_one, args=(name, options.model, options.n, options.part, queue))
        child.start()
        row = queue.get()
        child.join()
        rows.append(row)
        print(
            f"| {name} | {row['seconds']} | {row['estimated']} | {row['passes']:,} | {row['expected']:,} "
            f"| {row['peak_gb']} |",
            flush=True,
        )
    worst = max(rows, key=lambda row: row["peak_gb"])
    report = {"model": options.model, "n": options.n, "peak_gb": worst["peak_gb"], "of": worst["experiment"]}
    report["failed"] = [f"{r['experiment']}: {r['outcome']}" for r in rows if "Error" in r["outcome"][:20]]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
