"""`circuit-court experiments`: what the laboratory can measure, and one measurement from the terminal."""

from typing import Any

import click

from ui.cli_output import ProgressLine, json_option, print_json, table


@click.group()
def experiments() -> None:
    """List what can be measured, and run one experiment."""


@experiments.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every experiment with its kind and what it measures."""
    from ui.session import catalogue

    found = catalogue("experiment", ProgressLine())
    if as_json:
        print_json(found)
    else:
        table(
            ("experiment", "kind", "what it measures"), [(e["name"], e["kind"], e["doc"].split("\n")[0]) for e in found]
        )


@experiments.command(
    "run", context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}
)
@click.argument("name")
@click.argument("parameters", nargs=-1, type=click.UNPROCESSED)
def run(name: str, parameters: tuple[str, ...]) -> None:
    """Run one experiment and print its numbers.

    Parameters follow the name as `--components 20.0 --n 64`: those of the experiment itself, which `experiments run
    NAME --help` lists, besides --model NAME, --json, and --estimate, which says what it would cost instead of running it.
    """
    from ui.session import catalogue, court_with_worker

    words, model, flags = _own_options(list(parameters))
    line = ProgressLine()
    found = {entry["name"]: entry for entry in catalogue("experiment", line)}
    if name not in found:
        raise click.UsageError(f"no experiment is called {name!r}; there are: {', '.join(found)}.")
    if {"--help", "-h"} & set(words):
        _print_parameters(found[name])
        return
    from ui.experiment_params import read_params
    from ui.follow import follow

    params = read_params(words, found[name]["params"])
    if "--estimate" in flags:
        name, params = "cost", {"experiment": name, "parameters": params}
    with court_with_worker(line) as court:
        outcome = follow(court, court.run_experiment(name, params, model=model), line).outcome or {}
    result = court.result(outcome["result_id"])
    if "--json" in flags:
        print_json({"result_id": result.result_id, **result.model_dump(mode="json")})
        return
    click.echo(result.summary)
    table(("estimate", "value", "low", "high", "n"), [_estimate_row(e.model_dump()) for e in result.estimates])
    for control in result.controls:
        if control.passed is not None:
            click.echo(f"control {control.name}: {'held' if control.passed else 'FAILED'}")
    for line in result.labels.get("not_measured", []):
        click.echo(f"not measured: {line}")
    click.echo(f"result {result.result_id}")


def _print_parameters(entry: dict[str, Any]) -> None:
    """What an experiment measures and what it can be told."""
    click.echo(f"{entry['doc']}\n")
    fields: dict[str, Any] = entry["params"].get("properties", {})
    rows = [(f"--{name}", field.get("default"), field.get("description", "")) for name, field in fields.items()]
    table(("parameter", "default", "what it is"), [(a, "" if b is None else b, c) for a, b, c in rows])


def _estimate_row(estimate: dict[str, Any]) -> tuple[object, ...]:
    from ui.claim_text import number

    return (estimate["name"], *(number(estimate[k]) for k in ("value", "low", "high")), estimate["n"] or "–")


def _own_options(words: list[str]) -> tuple[list[str], str | None, set[str]]:
    rest: list[str] = []
    model: str | None = None
    flags: set[str] = set()
    while words:
        word = words.pop(0)
        if word in ("--json", "--estimate"):
            flags.add(word)
        elif word == "--model" or word.startswith("--model="):
            model = word.partition("=")[2] or (words.pop(0) if words else "")
        else:
            rest.append(word)
    if model == "":
        raise click.UsageError("--model needs the name of a model.")
    return rest, model, flags
