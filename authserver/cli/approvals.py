"""``authserver approval``: everything that waits for a decision."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from ..protocol.audit import Event
from ..services.approvals.kind import Request
from ..services.deployment import Deployment
from .deployment import with_deployment
from .plain import plain
from .table import as_objects, show

PAGE = 200
HEADS = ("id", "name", "what", "who", "since", "until")
AS_SEEN = click.option("--seen", help="Only as it was seen: its 'seen' in what 'approval list --json' tells.")
MOVED = "it changed, or was decided, just now: look at it again ('authserver approval list')"


@click.group()
def approval() -> None:
    """What waits for an administrator: clients, changed documents, what people ask for (docs/notices.md)."""


@approval.command("list")
@click.option("--kind", help="Only those of this kind.")
@as_objects
@with_deployment
def list_requests(found: Deployment, kind: str | None, as_json: bool) -> None:
    """Show what waits: who asks, for what, since when, and when it ends by itself."""
    shown = show(_requests(found, kind), HEADS, _row, _facts, as_json=as_json)
    if not shown and not as_json:
        click.echo("nothing waits")


@approval.command("approve")
@click.argument("request_id", metavar="ID")
@AS_SEEN
@with_deployment
def approve(found: Deployment, request_id: str, seen: str | None) -> None:
    """Let in what waits under ID, as 'approval list' shows it, and show what it was."""
    request = _waiting(found, request_id, seen)
    if not found.approvals.approve(request, Event("approval.approved", "system")):
        raise click.ClickException(MOVED)
    click.echo(f"approved {_words(request)}")


@approval.command("deny")
@click.argument("request_id", metavar="ID")
@AS_SEEN
@with_deployment
def deny(found: Deployment, request_id: str, seen: str | None) -> None:
    """Refuse what waits under ID."""
    request = _waiting(found, request_id, seen)
    if not found.approvals.deny(request, Event("approval.denied", "system")):
        raise click.ClickException(MOVED)
    click.echo(f"denied {_words(request)}")


def _requests(found: Deployment, name: str | None) -> Iterator[Request]:
    names = [kind.name for kind in found.approvals.kinds]
    if name is not None and name not in names:
        raise click.BadParameter(f"one of {', '.join(names)}", param_hint="--kind")
    for kind in found.approvals.kinds:
        if name in (None, kind.name):
            page = kind.page(None, PAGE)
            yield from page
            while page.after:
                page = kind.page(page.after, PAGE)
                yield from page


def _waiting(found: Deployment, request_id: str, seen: str | None) -> Request:
    name, _, identifier = request_id.partition(":")
    request = found.approvals.find(name, identifier)
    if request is None:
        raise click.ClickException("nothing waits under this id: 'authserver approval list' shows what does")
    if seen not in (None, request.seen):
        raise click.ClickException(MOVED)
    return request


def _row(request: Request) -> tuple[str, ...]:
    asks = (request.name or "no name", request.what, request.who)
    return (_id(request), *asks, _moment(request.since), _moment(request.expires_at))


def _facts(request: Request) -> dict[str, Any]:
    return {**asdict(request), "id": _id(request)}


def _words(request: Request) -> str:
    asks = ", ".join(plain(text) for text in (request.name or "no name", request.what, request.who) if text)
    times = f"since {_moment(request.since)}, until {_moment(request.expires_at)}"
    return f"{plain(_id(request))}  {asks}  ({times})"


def _id(request: Request) -> str:
    return f"{request.kind}:{request.id}"


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))
