"""`circuit-court tasks`: the behaviours that claims can be about."""

import click

from ui.cli_output import ProgressLine, json_option, print_json, say, table


@click.group()
def tasks() -> None:
    """List the tasks, and check one of your own."""


@tasks.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every task with what the model is to do."""
    from ui.session import catalogue

    found = catalogue("task", ProgressLine())
    if as_json:
        print_json(found)
    else:
        table(("task", "version", "title"), [(t["name"], t["version"], t["title"]) for t in found])


@tasks.command("check")
@click.argument("task")
@click.option("--model", help="The model whose tokenizer and prompts are checked; the configured one when absent.")
@click.option("--n", default=32, show_default=True, type=click.IntRange(2, 4096), help="How many prompts to draw.")
@json_option
def check(task: str, model: str | None, n: int, as_json: bool) -> None:
    """Check a task (a name, or the path of your own file) against a model.

    Every row or field that fails is named.
    """
    from agent.court import absolute
    from agent.heavy import ask_heavy
    from ui.settings import load

    config = load()
    found = ask_heavy("check_task", config, {"task": absolute(task), "model": model or config.model, "n": n}, say)
    if as_json:
        print_json(found)
    elif not found["passed"]:
        click.echo(f"{found['name']} cannot be used on {found['model']}:")
        for one in found["problems"]:
            click.echo(f"  row {one['row']}: {one['problem']}" if one["row"] else f"  {one['problem']}")
    if not found["passed"]:
        raise SystemExit(2)
    if as_json:
        return
    click.echo(
        f"{found['name']} (version {found['version']}) holds on {found['model']}: {found['prompts']} prompt pairs"
    )
    for clean, corrupted in found["examples"]:
        click.echo(f"  clean      {clean}\n  corrupted  {corrupted}")
    for note in found["notes"]:
        click.echo(f"  {note}")
