from pathlib import Path

import click

from ui.cli_reference import commands, reference
from ui.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def test_the_manual_names_every_command_option_and_setting_as_the_program_does():
    written = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m ui.cli_reference > docs/reference.md"


def test_every_command_and_option_says_what_it_is_for():
    for name, command in commands():
        assert command.help, name
        silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
        assert not silent, (name, silent)


def test_every_setting_says_what_it_is():
    assert all(field.description for field in Settings.model_fields.values())
