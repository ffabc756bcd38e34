"""Waits for a run on the command line: shows its events while they come, hands back how it ended.

Ctrl-C cancels the run before it ends the command. The worker that computes may belong to anybody
(`ui/session.py` makes sure that there is one).
"""

from agent.cards import RunCard
from agent.court import Court
from agent.errors import WorkerError
from agent.events import Event
from ui.cli_output import ProgressLine


def follow(court: Court, run_id: str, line: ProgressLine) -> RunCard:
    """Show the run's events until it ends; return it when it is done.

    Raises WorkerError with the run's own sentence when it failed or was cancelled.
    """
    try:
        for event in court.follow(run_id):
            show(event, line)
    except KeyboardInterrupt:
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
        case "tool":
            line.show(f"{payload['tool']} …")
        case "tool-result" | "delta" | "answer" | "ended":
            pass
