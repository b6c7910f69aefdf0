"""Authorization codes of ours, as many as a load redeems: each client's first one through the store's own verb."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import func, insert, select

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.authorization_code import NewCode
from authserver.protocol.role import Role
from authserver.store.grants import Approval
from authserver.store.models import CodeRow, FamilyRow, RefreshTokenRow
from authserver.store.stores import Stores
from authserver.store.user import User

from .contestant import Code, Refresh

SCOPES = ("notes:read", "notes:write")
REDIRECT_URI = "http://127.0.0.1:33418/callback"
LIFETIME = 3600  # seconds: the load begins when all codes are made
NOBODY = "$argon2id$nobody-signs-in"  # a hash that no password matches
ORIGIN = "system"


class Approvals:
    """Makes codes: a person for each client, who approved it once."""

    def __init__(self, stores: Stores, resource: str) -> None:
        """*stores* are those of the running server, *resource* is registered there."""
        self._stores = stores
        self._resource = resource
        self._first_row = cache(self._approve)

    def codes(self, count: int, client_ids: Sequence[str], lifetime: int = LIFETIME) -> list[Code]:
        """Make *count* codes of so many seconds, of each client in turn, in one transaction."""
        made = [self._new(client_ids[number % len(client_ids)]) for number in range(count)]
        rows = [self._row(code, lifetime) for code in made]  # a client's first one is a transaction of its own
        with self._stores.database.transaction() as connection:
            connection.execute(insert(CodeRow), rows)
        return made

    def refresh_tokens(self, count: int, client_ids: Sequence[str]) -> list[Refresh]:
        """Make *count* families, of each client in turn, each with its first token, in one transaction."""
        made = [
            Refresh(credential.mint(credential.Prefix.REFRESH), client_ids[number % len(client_ids)])
            for number in range(count)
        ]
        families = [self._family(one) for one in made]
        tokens = [_first(one, family) for one, family in zip(made, families, strict=True)]
        with self._stores.database.transaction() as connection:
            connection.execute(insert(FamilyRow).values(status_position=func.nextval("status_positions")), families)
            connection.execute(insert(RefreshTokenRow), tokens)
        return made

    def remembered(self, client_id: str, host: str, device: str) -> User:
        """Let a new person on *device* (the secret of its cookie) allow the client at *host* for good."""
        event = Event("bench.prepared", ORIGIN, client_id=client_id)
        user = self._stores.users.add(f"visitor-{secrets.token_hex(8)}", "Visitor", NOBODY, Role.MEMBER, event)
        client = self._stores.clients.find(client_id)
        approval = replace(
            self._approval(user.id, client_id),
            device_digest=credential.digest(device),
            redirect_host=host,
            client_name=client.name if client else "",
            client_identity=client.identity if client else b"",
        )
        self._stores.grants.approve(approval, _saved(self._new(client_id)), event)
        return user

    def _family(self, made: Refresh) -> dict[str, Any]:
        row = self._first_row(made.client_id)
        same = {name: row[name] for name in ("grant_id", "client_id", "resource", "scopes", "auth_time", "methods")}
        now = int(time.time())
        return {**same, "id": credential.identifier(), "created_at": now, "expires_at": now + LIFETIME}

    def _new(self, client_id: str) -> Code:
        return Code(
            credential.mint(credential.Prefix.CODE), client_id, REDIRECT_URI, secrets.token_urlsafe(32), self._resource
        )

    def _row(self, code: Code, lifetime: int) -> dict[str, Any]:
        now = int(time.time())
        own = {"digest": credential.digest(code.code), "challenge": _challenge(code.verifier)}
        return {**self._first_row(code.client_id), **own, "created_at": now, "expires_at": now + lifetime}

    def _approve(self, client_id: str) -> dict[str, Any]:
        """Let a new person approve the client, and return the code's row."""
        event = Event("bench.prepared", ORIGIN, client_id=client_id)
        username = f"person-of-{client_id}"
        self._stores.users.add(username, username, NOBODY, Role.MEMBER, event)
        person = self._stores.users.by_name(username)
        code = self._new(client_id)
        digest = credential.digest(code.code)
        self._stores.grants.approve(self._approval(person.id if person else "", client_id), _saved(code), event)
        with self._stores.database.reading() as connection:
            return dict(connection.execute(select(CodeRow.__table__).where(CodeRow.digest == digest)).mappings().one())

    def _approval(self, user_id: str, client_id: str) -> Approval:
        return Approval(
            user_id=user_id,
            client_id=client_id,
            device_digest=credential.digest(f"device of {user_id}"),
            redirect_host="127.0.0.1",
            resource=self._resource,
            approved=SCOPES,
            client_name="bench",
            client_identity=credential.digest(client_id),
        )


def _saved(code: Code) -> NewCode:
    return NewCode(
        digest=credential.digest(code.code),
        client_id=code.client_id,
        redirect_uri=code.redirect_uri,
        challenge=_challenge(code.verifier),
        resource=code.resource,
        scopes=SCOPES,
        auth_time=int(time.time()),
        wants_refresh=True,
        lifetime=LIFETIME,
    )


def _first(made: Refresh, family: dict[str, Any]) -> dict[str, Any]:
    same = {name: family[name] for name in ("created_at", "expires_at")}
    return {**same, "digest": credential.digest(made.token), "family_id": family["id"]}


def _challenge(verifier: str) -> str:
    return credential.base64url(hashlib.sha256(verifier.encode()).digest())
