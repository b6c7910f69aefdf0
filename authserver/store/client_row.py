"""Between a client of the protocol and its row."""

from typing import Any

from ..protocol.client import AuthMethod, Client, ClientKind
from .models import ClientRow

LASTING = ("client_id", "kind", "created_at")
CHANGEABLE = (
    "name", "redirect_uris", "auth_method", "grant_types", "secret_digest", "registration_digest", "extra",
)  # fmt: skip


def lasting(client: Client) -> dict[str, Any]:
    """The columns that are written once."""
    return {"client_id": client.client_id, "kind": client.kind, "created_at": client.created_at}


def changeable(client: Client) -> dict[str, Any]:
    """The columns that an update replaces."""
    return {
        "name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "auth_method": client.auth_method,
        "grant_types": client.grant_types,
        "secret_digest": client.secret_digest,
        "registration_digest": client.registration_digest,
        "extra": client.metadata,
    }


def client_of(row: ClientRow) -> Client:
    """The client of *row*."""
    return Client(
        client_id=row.client_id,
        kind=ClientKind(row.kind),
        name=row.name,
        redirect_uris=tuple(row.redirect_uris),
        auth_method=AuthMethod(row.auth_method),
        grant_types=row.grant_types,
        created_at=row.created_at,
        secret_digest=row.secret_digest,
        registration_digest=row.registration_digest,
        suspended=row.suspended_at is not None,
        metadata=row.extra,
    )
