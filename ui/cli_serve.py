"""`circuit-court app` and `circuit-court worker`: the processes that stay."""

import signal
import threading
from types import FrameType

import click

from ui.cli_output import say


@click.command()
@click.option("--port", default=8501, show_default=True, type=click.IntRange(1024, 65535), help="Port of this machine.")
def app(port: int) -> None:
    """Start the worker and the app, and look after both.

    Both end with this command: with Ctrl-C, with a signal, or when it is killed. A worker that dies is replaced; the
    job it was on goes on where it was.
    """
    from agent.supervisor import WorkerSupervisor
    from ui.serve import AppServer
    from ui.settings import load

    config = load()
    ending = _ending_signals()
    with AppServer(config, port) as server, WorkerSupervisor(config, warm=True) as supervisor:
        say("starting the app and its worker")
        server.wait_until_ready()
        click.echo(f"Circuit Court is ready: {server.url}  (Ctrl-C ends it)")
        while not ending.wait(0.5):
            supervisor.check()
            server.check()
    say("ended")


@click.command()
def worker() -> None:
    """Run one worker in the foreground.

    With the default SQLite databases one worker serves a data folder; with Postgres any number may share the work.
    """
    from agent.worker import run_worker
    from ui.settings import load

    config = load()
    say(f"worker of {config.home}; its log: {config.logs_dir / 'worker.log'}  (Ctrl-C ends it)")
    run_worker(config)


def _ending_signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set, instead of interrupting what is being ended."""
    ending = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ending.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    return ending
