"""`circuit-court calibrate`: the court's own error rates."""

from pathlib import Path

import click

from ui.cli_output import json_option, print_json, say, table


@click.command()
@click.option(
    "--cases", type=click.Path(path_type=Path), help="Folder of cases with known truth; planted models when absent."
)
@json_option
def calibrate(cases: Path | None, as_json: bool) -> None:
    """Measure the court's error rates on models whose truth is known.

    Every labelled sentence goes through parsing, registration, trial and judgement like anybody's; true and false
    claims are counted apart. This takes long.
    """
    from agent.heavy import ask_heavy
    from ui.settings import load

    if cases is not None and not cases.is_dir():
        raise click.UsageError(f"there is no folder {cases}.")
    found = ask_heavy("calibrate", load(), {"cases": str(cases.resolve()) if cases else None}, say)
    if as_json:
        print_json(found)
        return
    rows = [("all", found), *found["by_family"].items()]
    headings = ("claims", "false supported", "true supported", "true refuted", "judged")
    keys = ("false_support_rate", "true_support_rate", "true_refuted_rate", "judged_share")
    table(headings, [(name, *(_percent(rates[key]) for key in keys)) for name, rates in rows])


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
