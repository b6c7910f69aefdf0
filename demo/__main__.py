"""``python -m demo``: set up what is missing, start both servers, say what to paste where, end with Ctrl-C."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from click import ClickException

from authserver.app import create_app
from authserver.cli import main as authserver
from authserver.protocol.metadata import base_path
from authserver.services.deployment import Deployment
from authserver.settings import Settings, SettingsError, load

from . import catalogue, instructions
from .children import Child, await_first_end
from .mail import Inbox
from .people import Accounts
from .place import DemoError, Place


def main() -> int:
    """Run the demo until it is told to end. Returns the exit status."""
    # A shell that starts us in the background has SIGINT ignored, which Python would leave so.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        _run(Place.of(os.environ))
    except (DemoError, SettingsError, ClickException) as problem:
        print(f"make demo: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _run(place: Place) -> None:
    place.check()
    place.write_settings()
    settings = load()
    accounts = _prepare(place, settings)
    with _serving(place, settings) as children:
        print(instructions.text(place, settings.issuer, accounts), flush=True)
        ended = await_first_end(children, Inbox(place.mail).show_new)
        raise DemoError(f"{ended.name} ended:\n{ended.last_words()}")


def _prepare(place: Place, settings: Settings) -> Accounts:
    """Set up database, keys, people and the MCP server, as far as they are missing."""
    _command("init")
    accounts = Accounts.kept(place.home)
    accounts.keep(place.home, settings.issuer, place.resource)
    found: Deployment = create_app(settings).extensions["authserver"]
    accounts.enrol(found)
    catalogue.register(found.stores.resources, place.resource)
    found.stores.database.close()
    if not place.guard_key.exists():
        _command("resource", "credentials", place.resource, "--guard-key", str(place.guard_key))
    return accounts


def _command(*words: str) -> None:
    with redirect_stdout(io.StringIO()):
        authserver(list(words), standalone_mode=False)


@contextmanager
def _serving(place: Place, settings: Settings) -> Iterator[list[Child]]:
    children: list[Child] = []
    try:
        children.append(_authorization_server(place, settings))
        children.append(_notes(place, settings))
        for child in children:
            child.await_ready()
        yield children
    finally:
        for child in children:
            child.process.terminate()
        for child in children:
            child.await_end()


def _authorization_server(place: Place, settings: Settings) -> Child:
    return Child.start(
        "the authorization server",
        [str(Path(sys.executable).with_name("authserver")), "serve"],
        {},
        log=place.home / "authserver.log",
        port=place.as_port,
        path=base_path(settings.issuer) + "/health/ready",
    )


def _notes(place: Place, settings: Settings) -> Child:
    return Child.start(
        "the MCP server",
        [sys.executable, "-m", "demo.notes"],
        {
            "NOTES_ISSUER": settings.issuer,
            "NOTES_RESOURCE": place.resource,
            "NOTES_GUARD_KEY": str(place.guard_key),
            "MCP_PORT": str(place.mcp_port),
        },
        log=place.home / "notes.log",
        port=place.mcp_port,
        path="/.well-known/oauth-protected-resource/mcp",
    )


if __name__ == "__main__":
    sys.exit(main())
