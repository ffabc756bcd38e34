"""`circuit-court investigate`: from a question to a mechanism, each part of it with its verdict."""

from pathlib import Path

import click

from ui.cli_output import ProgressLine, json_option


@click.command()
@click.argument("question")
@click.option("--model", help="The model under study; the configured one when absent.")
@click.option("--task", help="The task; found in the question when absent.")
@click.option("--seconds", type=click.FloatRange(min=1), help="Longest plan that runs without approval.")
@click.option("--yes", is_flag=True, help="Approve whatever the plan costs.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write the report as one self-contained page.")
@json_option
def investigate(
    question: str,
    *,
    model: str | None,
    task: str | None,
    seconds: float | None,
    yes: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Find and test the mechanism behind a behaviour.

    Explores, states hypotheses, registers their claims, tests them on fresh prompts, and reports what stands, what was
    refuted and what stayed open. A plan over the budget asks first.
    """
    from agent.report import Report
    from agent.report_text import report_json, report_markdown
    from ui.answer_text import without_markers
    from ui.follow import follow, person
    from ui.session import court_with_worker

    line = ProgressLine()
    with court_with_worker(line) as court:
        run_id = court.investigate(question, model=model, task=task, seconds=seconds)
        run = follow(court, run_id, line, (lambda text: True) if yes else person)
    report = Report.model_validate(run.outcome)
    if html is not None:
        from ui.report_page import report_html

        html.write_text(report_html(report), encoding="utf-8")
    if as_json:
        click.echo(report_json(report))
    else:
        click.echo(without_markers(report_markdown(report)))
