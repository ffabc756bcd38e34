"""Which packaged tasks a model passes: the behaviour gate of each. Prints a Markdown table.

    .venv/bin/python -m benchmarks.task_gates [--model smollm2] [--n 64] [--tasks ioi ...]

The last line is one JSON object: `{"model", "n", "split", "passed", "tasks": {name: {...}}}`.
"""

import argparse
import json
import sys
from typing import Any, get_args

from tools.experiment import Lab, Split
from tools.experiments.behaviour import Behaviour, behaviour
from tools.models import load_model
from tools.tasks import packaged_tasks
from ui.settings import load

COLUMNS = ("task", "passes", "accuracy", "top-1", "clean", "corrupted", "gap", "templates dropped")


def gate_of(lab: Lab, task: str, n: int, split: Split) -> dict[str, Any]:
    """The numbers of one task's gate."""
    result = behaviour(lab, Behaviour(task=task, n=n, split=split))
    values = {one.name: round(one.value, 2) for one in result.estimates}
    templates = [row["template"] for row in result.tables["templates"] if not row["kept"]]
    return {"passed": bool(result.controls[0].passed), **values, "dropped": templates}


def main() -> None:
    """Run every gate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--n", type=int, default=64)
    parser.add_argument("--split", choices=get_args(Split), default="explore")
    parser.add_argument("--tasks", nargs="*", default=list(packaged_tasks()))
    asked = parser.parse_args()
    config = load()
    lab = Lab(model=load_model(asked.model, models_dir=config.models_dir, device=config.device, dtype=config.dtype))
    found: dict[str, Any] = {}
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for name in asked.tasks:
        gate = found[name] = gate_of(lab, name, asked.n, asked.split)
        numbers = [f"{gate[key]:.2f}" for key in ("accuracy", "top1", "clean_metric", "corrupted_metric", "gap")]
        cells = [name, "yes" if gate["passed"] else "no", *numbers, ", ".join(gate["dropped"]) or "none"]
        print("| " + " | ".join(cells) + " |")
        sys.stdout.flush()
    passed = sum(one["passed"] for one in found.values())
    print(json.dumps({"model": lab.model.name, "n": asked.n, "split": asked.split, "passed": passed, "tasks": found}))


if __name__ == "__main__":
    main()
