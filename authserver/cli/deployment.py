"""How commands reach the deployment of the folder they are run from."""

import functools
import getpass
import os
import secrets
import socket
from collections.abc import Callable
from typing import Concatenate, ParamSpec

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from ..keys.sealing import SealError
from ..observability import logs
from ..protocol.audit import Origin
from ..protocol.errors import OAuthError
from ..services.composition import compose
from ..services.deployment import Deployment
from ..settings import Settings, SettingsError, load
from ..store import schema_version
from ..store.bounds import Bounds
from ..store.database import connect
from ..store.stores import Stores

P = ParamSpec("P")


def settings() -> Settings:
    """The settings of this process, or a message that names the wrong one."""
    try:
        return load()
    except SettingsError as wrong:
        raise click.ClickException(f"settings: {wrong}") from None


def deployment(*, with_secrets: bool = True) -> Deployment:
    """The deployment, migrated, and closed when the command ends; otherwise a message that says what to run first.

    Without secrets it needs no key-encryption key.
    """
    configured = settings()
    try:
        found = _composed(configured, with_secrets)
    except (SealError, SettingsError) as wrong:
        raise click.ClickException(str(wrong)) from None
    click.get_current_context().call_on_close(found.stores.database.close)
    found.stores.database.act_from(operator())
    try:
        version = schema_version.of(found.stores.database)
    except OperationalError as failed:
        raise click.ClickException(f"the database: {failed.orig}") from None
    if (version or "") < schema_version.newest():
        raise click.ClickException("the database is not at this version's schema: run 'authserver migrate' first")
    return found


def _composed(configured: Settings, with_secrets: bool) -> Deployment:
    """Without pages and endpoints, which no command answers with."""
    logs.configure(configured.log_level)
    database = connect(Flask("authserver"), configured.url_of_database, Bounds.of(configured))
    stores = Stores.over(database, session_idle=configured.session_idle)
    return compose(configured, stores, with_secrets=with_secrets)


def operator() -> Origin:
    """Who runs this command on which machine, for the audit trail."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Origin(f"{name}@{socket.gethostname()}", f"cli-{secrets.token_hex(8)}")


def with_deployment(command: Callable[Concatenate[Deployment, P], None]) -> Callable[P, None]:
    """Hand the deployment to a command as its first argument; protocol errors become messages."""
    return _handed(command, with_secrets=True)


def without_secrets(command: Callable[Concatenate[Deployment, P], None]) -> Callable[P, None]:
    """The same for a command that opens nothing that is sealed: it works where the key-encryption key is lost."""
    return _handed(command, with_secrets=False)


def _handed(command: Callable[Concatenate[Deployment, P], None], *, with_secrets: bool) -> Callable[P, None]:
    @functools.wraps(command)
    def wrapped(*arguments: P.args, **options: P.kwargs) -> None:
        try:
            command(deployment(with_secrets=with_secrets), *arguments, **options)
        except OAuthError as wrong:
            raise click.ClickException(str(wrong.description)) from None
        except SealError as wrong:
            raise click.ClickException(str(wrong)) from None

    return wrapped
