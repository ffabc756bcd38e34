"""How the command line prints: JSON for programs, short tables for people, progress on the error stream."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

F = Callable[..., Any]


def json_option(command: F) -> F:
    """`--json`: print one JSON document on standard output and nothing else there."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(command)


def print_json(value: Any) -> None:
    """One JSON document, readable, with Korean as Korean."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def say(text: str) -> None:
    """A line for people who wait; never mixed into what programs read."""
    click.echo(text, err=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their contents; the last one runs free."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(headings), *texts]) for i in range(len(headings))]
    for number, row in enumerate([list(headings), *texts]):
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        line = "  ".join([*cells, row[-1]])
        click.echo(click.style(line, dim=True) if number == 0 else line)


class ProgressLine:
    """One line that redraws itself on a terminal, and is silent when nobody watches."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self._drawn = False

    def show(self, text: str, done: float | None = None) -> None:
        """Replace the line by `text`, with a bar when `done` (0 to 1) is known."""
        if not self.live:
            return
        bar = "" if done is None else "▕" + ("█" * round(done * 20)).ljust(20, "·") + f"▏ {done:4.0%} "
        click.echo(f"\r\x1b[2K{bar}{text[:90]}", err=True, nl=False)
        self._drawn = True

    def note(self, text: str) -> None:
        """A line that stays."""
        if self.live:
            self.clear()
            click.echo(text, err=True)

    def clear(self) -> None:
        """Leave the terminal as it was."""
        if self._drawn:
            click.echo("\r\x1b[2K", err=True, nl=False)
            self._drawn = False
