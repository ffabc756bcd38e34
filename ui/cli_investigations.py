"""`circuit-court investigations`: those that were made, and the report of each."""

import click

from ui.cli_output import json_option, print_json, table


@click.group()
def investigations() -> None:
    """List the investigations, and read a report again."""


@investigations.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List investigations, newest first, with how they ended."""
    from ui.session import open_court

    found = [run for run in open_court().runs() if run.kind == "investigate"]
    if as_json:
        kept = {"run_id", "status", "created_at", "ended_at", "error"}
        print_json([{**run.model_dump(include=kept), **run.request} for run in found])
    elif not found:
        click.echo('No investigations yet. Start one: circuit-court investigate "how does this model do IOI?"')
    else:
        rows = [(run.run_id[:12], run.status, run.request["model"], run.request["question"]) for run in found]
        table(("investigation", "status", "model", "question"), rows)


@investigations.command("show")
@click.argument("run_id")
@json_option
def show(run_id: str, as_json: bool) -> None:
    """Print the report of an investigation (its id or the beginning of it)."""
    from agent.errors import LedgerError
    from agent.report import Report
    from agent.report_text import report_json, report_markdown
    from ui.answer_text import without_markers
    from ui.session import open_court

    found = [run for run in open_court().runs() if run.kind == "investigate" and run.run_id.startswith(run_id)]
    if len(found) != 1:
        known = "fits several" if found else "is none; see: circuit-court investigations list"
        raise LedgerError(f"Investigation {run_id!r} {known}.")
    if found[0].outcome is None:
        raise LedgerError(
            found[0].error or f"Investigation {found[0].run_id[:12]} has no report: it is {found[0].status}."
        )
    report = Report.model_validate(found[0].outcome)
    click.echo(report_json(report) if as_json else without_markers(report_markdown(report)))
