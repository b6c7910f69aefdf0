"""``authserver settings``: what is in force, and where it comes from."""

import json
from dataclasses import asdict

import click

from ..settings.told import told
from .deployment import settings
from .plain import plain


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a setting, a line each.")
def show(as_json: bool) -> None:
    """List all settings with their values, without secrets, and whether the environment or the file says so."""
    for lines in told(settings()).values():
        for line in lines:
            text = json.dumps(asdict(line)) if as_json else f"{line.name} = {plain(line.value)}  ({line.source})"
            click.echo(text)
