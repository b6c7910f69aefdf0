"""The identity of a guard: the client that an MCP server's guard is here, and the file with its key (RS-11)."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ..keys import pair
from ..protocol import credential
from ..protocol.audit import Event
from ..protocol.client import AuthMethod, Client, ClientKind
from ..services.deployment import Deployment

ALGORITHM = "ES256"


@contextmanager
def identity(found: Deployment, resource: str, path: Path) -> Iterator[None]:
    """Make an identity for the guard of *resource* when the block has succeeded; its private key goes to *path*.

    The key is the file's alone: its owner may read it, and here only the public half is kept. A file that is there
    is never overwritten, and nothing is left of one if anything fails.
    """
    key = pair.generate(ALGORITHM)
    client = _client(resource, key)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as refused:
        raise click.ClickException(f"{path}: {refused.strerror}; the key's file must be a new one") from None
    try:
        with os.fdopen(handle, "w") as file:
            json.dump({**key.private_jwk(), "client_id": client.client_id}, file, indent=1)
        yield
        event = Event("client.added", "system", client_id=client.client_id, resource=resource)
        found.stores.clients.register(client, event)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    click.echo(f"client_id: {client.client_id}\nits guard's key: {path} (keep it secret; it is nowhere else)")


def _client(resource: str, key: pair.KeyPair) -> Client:
    return Client(
        client_id=credential.identifier(),
        kind=ClientKind.RESOURCE_SERVER,
        name=f"MCP server {resource}",
        redirect_uris=(),
        auth_method=AuthMethod.PRIVATE_KEY_JWT,
        grant_types=(),
        created_at=int(time.time()),
        jwks={"keys": [key.public_jwk]},
        metadata={"resource": resource},
    )
