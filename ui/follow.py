"""Waits for a run on the command line: shows its events while they come, hands back how it ended.

Ctrl-C cancels the run before it ends the command. A plan over the budget is put before whoever `approve` asks; when
nobody is there to say yes, what fits the budget is done. The worker that computes may belong to anybody
(`ui/session.py` makes sure that there is one).
"""

import sys
from collections.abc import Callable

import click

from agent.cards import RunCard
from agent.court import Court
from agent.errors import WorkerError
from agent.events import Event
from ui.cli_output import ProgressLine

Approve = Callable[[str], bool]


def nobody(text: str) -> bool:
    """No person is asked: a plan over the budget is not approved."""
    return False


def person(text: str) -> bool:
    """Ask on the terminal; no when there is none."""
    if not sys.stdin.isatty():
        click.echo(f"{text} Nobody is here to say yes: use --yes, or a larger budget.", err=True)
        return False
    return click.confirm(f"{text} Go on?", default=False, err=True)


def follow(court: Court, run_id: str, line: ProgressLine, approve: Approve = nobody) -> RunCard:
    """Show the run's events until it ends; return it when it is done.

    Raises WorkerError with the run's own sentence when it failed or was cancelled.
    """
    try:
        for event in court.follow(run_id):
            show(event, line)
            if event.kind == "approval":
                line.clear()
                court.approve(run_id, yes=approve(event.payload["text"]))
    except (KeyboardInterrupt, click.Abort):
        line.clear()
        court.cancel(run_id)
        raise
    line.clear()
    run = court.run(run_id)
    if run.status != "done":
        raise WorkerError(run.error or f"The run {run_id} was {run.status}.")
    return run


def show(event: Event, line: ProgressLine) -> None:
    """One event as people want it on a terminal: what stays is noted, what moves is drawn over."""
    payload = event.payload
    match event.kind:
        case "status" | "approval":
            line.show(payload["text"])
        case "plan":
            line.note(payload["text"])
        case "progress":
            line.show(payload["text"], payload["done"])
        case "registered":
            line.note(f"registered {payload['prereg_hash'][:12]}: {payload['text']}")
            for prediction in payload["predictions"]:
                line.note(f"  {prediction['key']} {prediction['experiment']}: {prediction['says']}")
        case "evidence":
            line.note(f"  {payload['key']} {payload['outcome']}: {payload['text']}")
        case "verdict":
            line.note(f"verdict: {payload['verdict']} (rung {payload['rung']})")
        case "read":
            line.note(f"read by {payload['llm']} as: {payload['claim']}")
        case "tool":
            line.show(f"{payload['tool']} …")
        case "tool-result" | "delta" | "answer" | "approved" | "usage" | "ended":
            pass
