"""``authserver grant whose``: what a token is that somebody found, and the grant behind it."""

import json
import sys
from dataclasses import asdict

import click

from ..services.deployment import Deployment
from ..services.token_lookup import Kind, Standing, TokenLookup
from .deployment import with_deployment
from .plain import plain


@click.command("whose")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_deployment
def whose(found: Deployment, as_json: bool) -> None:
    """Tell what a token or an id is, read from standard input: no shell's history and no list of processes has it.

    Exit status 1 if nothing goes by it here.
    """
    value = click.prompt("Token or id", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    one = TokenLookup(found.stores, found.token.formats).find(value)
    grant = found.stores.grants.find(one.grant_id) if one.grant_id else None
    told = {**asdict(one), "username": grant.username if grant else None}
    if as_json:
        click.echo(json.dumps(told))
    else:
        for name, said in told.items():
            if said:
                click.echo(f"{name}: {plain(' '.join(said) if isinstance(said, tuple) else str(said))}")
    if one.kind is Kind.UNKNOWN or (one.standing is Standing.UNTOLD and one.grant_id is None):
        sys.exit(1)
