"""``authserver document``: the metadata documents of clients that name themselves by a URL."""

from pathlib import Path
from typing import Any

import click

from ..protocol.audit import Event
from ..services.deployment import Deployment
from ..services.metadata_documents import MetadataDocuments
from .deployment import with_deployment
from .plain import plain

MOST_BYTES = 64 * 1024


@click.group()
def document() -> None:
    """Metadata documents of clients."""


@document.command("show")
@click.argument("url")
@with_deployment
def show(found: Deployment, url: str) -> None:
    """Show what is known of the document at URL, and the change that waits, if one does."""
    kept = found.stores.fetched.find(url)
    if kept is None:
        raise click.ClickException("no client has named this URL: nothing was ever fetched from it")
    state = "pinned" if kept.pinned else f"fetched {kept.age} s ago" if kept.body is not None else "never fetched"
    click.echo(f"state: {state}")
    if kept.failure:
        click.echo(f"last failure: {plain(kept.failure)}")
    for line in (kept.body or "").splitlines():
        click.echo(plain(line))
    _tell(_documents(found).held(url))


@document.command("pin")
@click.argument("url")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_deployment
def pin(found: Deployment, url: str, file: Path) -> None:
    """Take FILE for the document at URL from now on; its source is not asked until 'document unpin'."""
    if file.stat().st_size > MOST_BYTES:
        raise click.ClickException(f"{file} is larger than {MOST_BYTES} bytes")
    try:
        body = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} is not UTF-8 text") from None
    _documents(found).pin(url, body, Event("document.pinned", "system"))
    click.echo(f"pinned {plain(url)}")


@document.command("unpin")
@click.argument("url")
@with_deployment
def unpin(found: Deployment, url: str) -> None:
    """Ask the source at URL again."""
    if not _documents(found).unpin(url, Event("document.unpinned", "system")):
        raise click.ClickException("no document is pinned for this URL")
    click.echo(f"unpinned {plain(url)}")


@document.command("accept")
@click.argument("url")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_deployment
def accept(found: Deployment, url: str, yes: bool) -> None:
    """Show the change of a document that waits, and let it in; people who allowed the client are asked again."""
    changed = _documents(found).held(url)
    if not changed:
        raise click.ClickException("no change of this document waits")
    _tell(changed)
    if not yes:
        click.confirm("Let it in?", abort=True)
    if not _documents(found).accept(url, changed, Event("client.changed", "system")):
        raise click.ClickException("it changed just now: look at it again")
    click.echo(f"accepted {plain(url)}")


def _tell(changed: dict[str, Any]) -> None:
    for name, pair in changed.items():
        click.echo(f"waits: {name}: {plain(pair['before'])} -> {plain(pair['after'])}")


def _documents(found: Deployment) -> MetadataDocuments:
    documents = found.known_clients.documents
    if documents is None:
        raise click.ClickException("metadata documents are switched off: see the setting metadata_documents")
    return documents
