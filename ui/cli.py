"""The command `circuit-court`: one lazily loaded module for each group of commands, one place where errors end.

A command's module is imported only when that command (or its own help) is asked for, so `--help` is immediate.
Whatever a person may have caused becomes one sentence on standard error and exit status 2; only a defect of this
program shows a traceback.
"""

import importlib
import logging
import sys

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "app": ("ui.cli_serve", "Start the worker and the app, and look after both."),
    "worker": ("ui.cli_serve", "Run one worker in the foreground."),
    "ask": ("ui.cli_ask", "Ask the assistant a question and read the answer here."),
    "verify": ("ui.cli_ask", "Put one claim on trial and print its verdict."),
    "investigate": ("ui.cli_investigate", "Find and test the mechanism behind a behaviour."),
    "investigations": ("ui.cli_investigations", "List the investigations, and read a report again."),
    "claims": ("ui.cli_claims", "Read the ledger's claims, judge them again, take them elsewhere."),
    "experiments": ("ui.cli_experiments", "List what can be measured, and run one experiment."),
    "tasks": ("ui.cli_tasks", "List the tasks, and check one of your own."),
    "library": ("ui.cli_library", "Build, fill, search and read the library."),
    "models": ("ui.cli_models", "List, fetch and self-test models."),
    "calibrate": ("ui.cli_calibrate", "Measure the court's error rates on models whose truth is known."),
    "mcp": ("ui.cli_mcp", "Serve the court to other agents over the Model Context Protocol."),
    "doctor": ("ui.cli_doctor", "Check this installation and say what to repair."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and first lines without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of the command that is really wanted."""
        if cmd_name not in COMMANDS:
            return None
        return getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="circuit-court", prog_name="circuit-court")
def cli() -> None:
    """Circuit Court puts claims about the inside of language models on trial.

    Start with `circuit-court app`, or ask here:

        circuit-court verify "head 20.0 is necessary for IOI"
    """


def _fail(sentence: str) -> int:
    click.echo(f"circuit-court: {sentence}", err=True)
    return 2


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 for anything a person can correct, 130 for Ctrl-C."""
    sys.exit(_status(arguments))


def _status(arguments: list[str] | None) -> int:
    from agent.errors import USER_ERRORS

    logging.getLogger().addHandler(logging.NullHandler())  # what libraries log is not for this terminal
    try:
        outcome = cli.main(args=arguments, prog_name="circuit-court", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
        return 0
    except click.UsageError as wrong:
        command = wrong.ctx.command_path if wrong.ctx else "circuit-court"
        return _fail(f"{wrong.format_message()} See: {command} --help")
    except click.ClickException as wrong:
        return _fail(wrong.format_message())
    except click.Abort:
        click.echo("stopped", err=True)
        return 130
    except BrokenPipeError:
        return 0
    except USER_ERRORS as wrong:
        return _fail(str(wrong))
    except OSError as wrong:
        where = f"{wrong.filename}: " if wrong.filename else ""
        return _fail(f"{where}{wrong.strerror or wrong}. Check that the place exists, has room and is yours.")
    return outcome if isinstance(outcome, int) else 0


if __name__ == "__main__":
    main()
