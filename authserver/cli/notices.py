"""``authserver notices``: whether they arrive."""

import json
import time
from dataclasses import asdict

import click

from ..services.deployment import Deployment
from ..services.notices.targets import NotTold
from ..store.notices import Message
from .deployment import with_deployment
from .plain import plain
from .table import as_objects

NOBODY = "notices go nowhere: set notice_mail, or notice_webhook (docs/notices.md)"


@click.group()
def notices() -> None:
    """Notices by mail and webhook (docs/notices.md)."""


@notices.command("test")
@with_deployment
def test(found: Deployment) -> None:
    """Send a test to each target, and say what happened. Exit status 1 if one did not take it."""
    if not found.delivery.targets:
        raise click.ClickException(NOBODY)
    refused = 0
    for target in found.delivery.targets:
        try:
            found.delivery.test(target)
        except NotTold as why:
            refused += 1
            click.echo(f"{click.style('failed', fg='red')}  {target.name}: {plain(str(why))}")
        else:
            click.echo(f"{click.style('taken ', fg='green')}  {target.name}")
    click.get_current_context().exit(1 if refused else 0)


@notices.command("list")
@as_objects
@with_deployment
def list_notices(found: Deployment, as_json: bool) -> None:
    """Show what waits, why the last try failed, and what was given up; the newest first."""
    gathering, messages = found.stores.notices.waiting(), found.stores.notices.undelivered()
    if as_json:
        for line in (*map(asdict, gathering), *map(asdict, messages)):
            click.echo(json.dumps(line))
        return
    for each in gathering:
        click.echo(f"gathers  {each.count} of {each.topic}, since {_moment(each.since)}")
    for message in messages:
        click.echo(_row(message))
    if not gathering and not messages:
        click.echo("nothing waits" if found.delivery.targets else NOBODY)


def _row(message: Message) -> str:
    state = "gave up" if message.try_at is None else "waits  "
    head = f"{state}  {message.topic} to {plain(message.target)}, made {_moment(message.created_at)}"
    if message.failure is None:
        return head
    again = "" if message.try_at is None else f", next try {_moment(message.try_at)}"
    return f"{head}: {plain(message.failure)} (tries: {message.tries}{again})"


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
