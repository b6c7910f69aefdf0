"""``authserver client``: the clients that have registered."""

import json

import click

from ..services.deployment import Deployment
from .deployment import with_deployment


@click.group()
def client() -> None:
    """Clients."""


@client.command("list")
@click.option("--search", default="", help="Part of a name or of a client id.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_deployment
def list_clients(found: Deployment, search: str, limit: int, as_json: bool) -> None:
    """Show clients, newest first."""
    for row in found.stores.clients.page(search, None, limit):
        shown = {
            "client_id": row.client.client_id,
            "name": row.client.name,
            "kind": str(row.client.kind),
            "grants": row.live_grants,
            "redirect_uris": list(row.client.redirect_uris),
        }
        if as_json:
            click.echo(json.dumps(shown))
        else:
            click.echo(
                f"{shown['client_id']}  {shown['kind']:12} {shown['grants']:5} grants  {_plain(row.client.name)}"
            )


def _plain(text: str) -> str:
    """A stranger's *text* without anything that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)
