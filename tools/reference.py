"""Writes the manual's reference of experiments from the laboratory itself: `python -m tools.reference`.

A test compares docs/experiments.md with what this prints, so that no experiment and no parameter goes unnamed.
"""

import sys
from typing import Any

from tools.experiment import Experiment, experiments

HEAD = """# Reference: experiments

Written by `python -m tools.reference > docs/experiments.md`; a test keeps it true. Run one with
`circuit-court experiments run NAME --parameter value`, from the chat, or over MCP; `--estimate` says what it would cost
here instead of running it. Kinds: *observational* looks, *causal* intervenes, a *nominator* proves nothing, an *assay*
tests the instrument.

How long each takes on SmolLM2 and how much memory it needs is printed by `python -m benchmarks.experiments`; whether
every ablation and edge of a folder of compiled models comes out as its files say, by
`python -m benchmarks.case_ablations DIR`; how far our numbers are from plain TransformerLens, by
`python -m tests.tools.outside_check`.
"""
SHARED = "task", "n", "split", "seed", "templates", "corruption"


def reference() -> str:
    """The whole reference as Markdown."""
    found = experiments()
    parts = [HEAD, "| experiment | kind | what it measures |\n|---|---|---|"]
    parts += [f"| [`{name}`](#{name}) | {one.kind} | {_first_line(one)} |" for name, one in found.items()]
    parts += ["\nOn a task's prompts each also takes:\n", "| parameter | default | what it is |\n|---|---|---|"]
    fields = found["predictions"].params.model_json_schema()["properties"]
    parts += [_row(name, fields[name]) for name in SHARED]
    for name, one in found.items():
        parts.append(_section(name, one))
    return "\n".join(parts) + "\n"


def _first_line(one: Experiment) -> str:
    return " ".join(one.doc.split("\n\n")[0].split())


def _section(name: str, one: Experiment) -> str:
    body = "\n\n".join(" ".join(part.split()) for part in one.doc.split("\n\n")[1:])
    fields = {k: v for k, v in one.params.model_json_schema().get("properties", {}).items() if k not in SHARED}
    lines = [f"\n## {name}\n", _first_line(one), "", body]
    if fields:
        lines += ["", "| parameter | default | what it is |", "|---|---|---|"]
        lines += [_row(key, field) for key, field in fields.items()]
    return "\n".join(lines)


def _row(name: str, field: dict[str, Any]) -> str:
    default = field.get("default")
    shown = "required" if "default" not in field and "default_factory" not in field else ""
    shown = shown if default is None else f"`{default}`"
    return f"| `{name}` | {shown} | {str(field.get('description', '')).replace('|', '/')} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
