"""Writes the manual's reference of commands and settings from the program itself: `python -m ui.cli_reference`.

A test compares docs/reference.md with what this prints, so that no command, option or setting goes unnamed.
"""

import sys
from collections.abc import Iterator

import click

from ui.cli import COMMANDS, cli
from ui.settings import PREFIX, Settings

HEAD = """# Reference: commands and settings

Written by `python -m ui.cli_reference > docs/reference.md`; a test keeps it true. `--json` prints one JSON document on
standard output; progress goes to standard error. The exit status is 0 when a command did what it was asked, whatever
the verdict, 2 for everything a person can correct (with one sentence that says how), 130 after Ctrl-C.
"""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its full name."""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, name
        if isinstance(command, click.Group):
            for below, inner in command.commands.items():
                yield f"{name} {below}", inner
        else:
            yield name, command


def reference() -> str:
    """The whole reference as Markdown."""
    parts = [HEAD, "## Commands\n"]
    for name, command in commands():
        parts.append(_command(name, command))
    parts.append("## Settings\n")
    parts.append("Environment variables, read when a command starts; an empty one counts as absent.\n")
    parts.append("| variable | default | what it is |\n|---|---|---|")
    parts += [_setting(name) for name in Settings.model_fields]
    return "\n".join(parts) + "\n"


def _command(name: str, command: click.Command) -> str:
    usage = " ".join([f"circuit-court {name}", *_usage(command)])
    lines = [f"### `{name}`\n", f"```\n{usage}\n```\n", click.unstyle(_text(command)) + "\n"]
    options = [p for p in command.params if isinstance(p, click.Option) and p.help]
    if options:
        lines += [f"- `{', '.join(option.opts)}`: {option.help}{_default(option)}" for option in options]
        lines.append("")
    return "\n".join(lines)


def _usage(command: click.Command) -> list[str]:
    return command.collect_usage_pieces(click.Context(command))


def _text(command: click.Command) -> str:
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _default(option: click.Option) -> str:
    shown = option.show_default and option.default is not None
    return f" Default: {option.default}." if shown else ""


def _setting(name: str) -> str:
    field = Settings.model_fields[name]
    default = "the platform's user data folder" if field.default_factory else field.default
    shown = "" if default is None else f"`{default}`" if not field.default_factory else str(default)
    return f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
