"""``authserver policy requests`` and ``withdraw``, and the groups of people that rules speak of."""

from typing import Any

import click

from ..protocol.audit import Event
from ..protocol.role import MOST_GROUP_NAME, is_group_name
from ..services.deployment import Deployment
from ..store.pending_grants import PendingGrant, State
from .deployment import with_deployment
from .person import person
from .plain import plain
from .table import as_objects, show

HEADS = ("id", "person", "client", "client_id", "server", "asks for")
STATES = click.Choice([state.value for state in State])


@click.command("requests")
@click.option("--state", type=STATES, default=State.WAITING.value, show_default=True, help="What became of them.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@as_objects
@with_deployment
def requests(found: Deployment, state: str, limit: int, as_json: bool) -> None:
    """Show what people want and a rule lets an administrator allow first."""
    lines = found.stores.pending_grants.page(State(state), None, limit)
    show(lines, HEADS, _in_force if state == State.APPROVED else _row, _facts, as_json=as_json)


@click.command("withdraw")
@click.argument("request_id", metavar="ID")
@with_deployment
def withdraw(found: Deployment, request_id: str) -> None:
    """Take back what was approved under ID."""
    one = _request(found, request_id)
    done = found.stores.pending_grants.withdraw(one.id, one.approved, Event("approval.withdrawn", "system"))
    click.echo("taken back; tokens lose it at their next refresh" if done else "nothing to do")


def _row(line: PendingGrant) -> tuple[str, ...]:
    return (*_about(line), " ".join(line.wanted.asked))


def _in_force(line: PendingGrant) -> tuple[str, ...]:
    return (*_about(line), " ".join(line.approved))


def _about(line: PendingGrant) -> tuple[str, ...]:
    by = line.wanted.by
    return line.id, line.username, line.client_name, by.client_id, by.resource


def _facts(line: PendingGrant) -> dict[str, Any]:
    wanted = line.wanted
    return {
        "id": line.id,
        "user": line.username,
        "client_id": wanted.by.client_id,
        "resource": wanted.by.resource,
        "asked": wanted.asked,
        "approved": line.approved,
        "rule": wanted.rule,
        "state": line.state,
    }


def _request(found: Deployment, request_id: str) -> PendingGrant:
    one = found.stores.pending_grants.find(request_id)
    if one is None:
        raise click.ClickException("there is no request of this id: 'authserver policy requests' shows them")
    return one


@click.command("join")
@click.argument("username")
@click.argument("group")
@with_deployment
def join(found: Deployment, username: str, group: str) -> None:
    """Put a person into a group, for rules of policy ('group:NAME')."""
    if not is_group_name(group):
        raise click.ClickException(f"a group's name has 1 to {MOST_GROUP_NAME} printable characters")
    added = found.stores.groups.add(person(found, username).id, group, Event("group.joined", "system"))
    click.echo(f"{plain(username)} is in {plain(group)}" if added else "nothing to do")


@click.command("leave")
@click.argument("username")
@click.argument("group")
@with_deployment
def leave(found: Deployment, username: str, group: str) -> None:
    """Take a person out of a group."""
    gone = found.stores.groups.remove(person(found, username).id, group, Event("group.left", "system"))
    click.echo(f"{plain(username)} has left {plain(group)}" if gone else "nothing to do")
