"""Between a client of the protocol and its row."""

from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session

from ..protocol.client import HELD_DOCUMENT, REFUSED_DOCUMENT, AuthMethod, Client, ClientKind
from .models import ClientRow

LASTING = ("client_id", "kind", "created_at", "pending_since", "held_since")
CHANGEABLE = (
    "name", "redirect_uris", "auth_method", "grant_types", "secret_digest", "registration_digest", "extra",
    "previous_secret_digest", "previous_secret_until", "jwks", "jwks_uri", "ceilings", "likeness",
)  # fmt: skip
EXISTING = select(ClientRow).where(ClientRow.client_id == bindparam("client_id"), ClientRow.deleted_at.is_(None))
NOT_SAID = frozenset({"document", HELD_DOCUMENT, REFUSED_DOCUMENT})  # digests of documents, which tell nobody anything


def lasting(client: Client) -> dict[str, Any]:
    """The columns that are written once."""
    return {
        "client_id": client.client_id,
        "kind": client.kind,
        "created_at": client.created_at,
        "pending_since": client.created_at if client.pending else None,
        "held_since": client.created_at if HELD_DOCUMENT in client.metadata else None,
    }


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
        "previous_secret_digest": client.previous_secret_digest,
        "previous_secret_until": client.previous_secret_until,
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "ceilings": {resource: list(scopes) for resource, scopes in client.ceilings.items()},
        "likeness": client.likeness,
    }


def said_by(client: Client) -> dict[str, Any]:
    """What a client says of itself, for its history: plain JSON, without secrets; keys by digests of them."""
    return {
        "name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "auth_method": client.auth_method,
        "grant_types": list(client.grant_types),
        "jwks_uri": client.jwks_uri,
        "keys": list(client.key_digests),
        **{name: value for name, value in client.metadata.items() if name not in NOT_SAID},
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
        previous_secret_digest=row.previous_secret_digest,
        previous_secret_until=row.previous_secret_until,
        jwks=row.jwks,
        jwks_uri=row.jwks_uri,
        ceilings={resource: tuple(scopes) for resource, scopes in row.ceilings.items()},
        pending=row.pending_since is not None,
        declared=row.declared,
    )


def unchanged(connection: Connection, expected: Client) -> bool:
    """Whether all that an update replaces is what *expected* says; its row is locked until the transaction ends."""
    with Session(connection) as session:
        row = session.scalars(EXISTING.with_for_update(), {"client_id": expected.client_id}).one_or_none()
        return row is not None and changeable(client_of(row)) == changeable(expected)
