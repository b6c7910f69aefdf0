"""``authserver policy waiting``, ``approve`` and ``deny``, and the groups of people that rules speak of."""

import json

import click

from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..store.pending_grants import PendingGrant, State
from .deployment import with_deployment
from .person import person
from .plain import plain

MOST_GROUP = 200
STATES = click.Choice([state.value for state in State])


@click.command("waiting")
@click.option("--state", type=STATES, default=State.WAITING.value, show_default=True, help="What became of them.")
@click.option("--limit", default=50, show_default=True, help="How many at the most, newest first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_deployment
def waiting(found: Deployment, state: str, limit: int, as_json: bool) -> None:
    """Show what people want and a rule lets an administrator allow first."""
    for line in found.stores.pending_grants.page(State(state), None, limit):
        wanted = line.wanted
        if as_json:
            said = {
                "id": line.id,
                "user": line.username,
                "client_id": wanted.by.client_id,
                "resource": wanted.by.resource,
            }
            click.echo(json.dumps({**said, "asked": wanted.asked, "rule": wanted.rule, "state": line.state}))
        else:
            about = f"{plain(line.username)} through {plain(line.client_name)} ({plain(wanted.by.client_id)})"
            click.echo(f"{line.id}  {about} at {plain(wanted.by.resource)}: {plain(' '.join(wanted.asked))}")


@click.command("approve")
@click.argument("request_id", metavar="ID")
@with_deployment
def approve(found: Deployment, request_id: str) -> None:
    """Allow what waits under ID: the person connects again, and is asked as ever."""
    _decide(found, request_id, State.APPROVED)


@click.command("deny")
@click.argument("request_id", metavar="ID")
@with_deployment
def deny(found: Deployment, request_id: str) -> None:
    """Say no to what waits under ID, or take back what was approved."""
    if _request(found, request_id).state is State.WAITING:
        _decide(found, request_id, State.DENIED)
    elif found.stores.pending_grants.withdraw(request_id, Event("approval.withdrawn", "system")):
        click.echo("taken back; tokens lose it at their next refresh")
    else:
        click.echo("nothing to do")


def _decide(found: Deployment, request_id: str, state: State) -> None:
    event = Event("approval.given" if state is State.APPROVED else "approval.refused", "system")
    seen = _request(found, request_id).wanted.asked
    if not found.stores.pending_grants.decide(request_id, seen, state, event):
        raise click.ClickException("it does not wait any more: 'authserver policy waiting' shows what does")
    click.echo(f"{state}: {plain(' '.join(seen))}")


def _request(found: Deployment, request_id: str) -> PendingGrant:
    one = found.stores.pending_grants.find(request_id)
    if one is None:
        raise click.ClickException("there is no request of this id: 'authserver policy waiting' shows them")
    return one


@click.command("join")
@click.argument("username")
@click.argument("group")
@with_deployment
def join(found: Deployment, username: str, group: str) -> None:
    """Put a person into a group, for rules of policy ('group:NAME')."""
    if not group.isprintable() or not 0 < len(group) <= MOST_GROUP:
        raise click.ClickException(f"a group's name has 1 to {MOST_GROUP} printable characters")
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
