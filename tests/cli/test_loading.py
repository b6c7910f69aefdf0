"""A command loads what it needs, and no more: programs that start for one answer start soon."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from authserver.cli import main
from authserver.cli.main import COMMANDS

HEAVY = {"alembic", "authlib", "babel", "cryptography", "flask", "gunicorn", "pydantic", "sqlalchemy", "webauthn"}
OF_PAGES = {"alembic", "authserver.web", "flask_babel", "flask_wtf", "gunicorn", "prometheus_client", "segno"}
LOADED = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
RUN = f"{LOADED}; from authserver.cli import main; main(sys.argv[1:])"


def loaded_by(*arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def commands(group: click.Group, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_what_there_is_is_told_without_loading_it(argument):
    loaded = loaded_by(argument)
    assert "click" in loaded
    assert HEAVY.isdisjoint(loaded)


def test_a_command_over_the_deployment_loads_neither_pages_nor_migrations(run):
    loaded = loaded_by("client", "list")
    assert "authserver.services.composition" in loaded
    assert OF_PAGES.isdisjoint(loaded)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_command_itself_says(name):
    assert main.commands[name].get_short_help_str(limit=1000) == COMMANDS[name][1]


def test_every_command_goes_by_its_own_name():
    assert {words for words, command in commands(main) if command.name != words[-1]} == set()
