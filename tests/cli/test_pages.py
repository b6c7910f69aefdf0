"""The commands that a page shows exist, with the options that it shows."""

import re
import shlex
from pathlib import Path

import click
import pytest

from authserver.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "recovery.md"
SHOWN = sorted(
    set(re.findall(r"^ {4}authserver ([^>\n]+)|`authserver ([^`]+)`", PAGE.read_text("utf-8"), re.MULTILINE))
)


@pytest.mark.parametrize("shown", [" ".join(pair).strip() for pair in SHOWN])
def test_a_command_of_the_page_on_recovery_is_one(shown: str):
    words = shlex.split(shown)
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, words[0]
        command, words = found, words[1:]
    command.make_context(command.name, words, resilient_parsing=True)  # an option that it lacks is refused all the same
