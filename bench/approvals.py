"""Authorization codes of ours, as many as a load redeems: each client's first one through the store's own verb."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import insert, select

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.authorization_code import NewCode
from authserver.protocol.role import Role
from authserver.store.grants import Approval
from authserver.store.models import CodeRow
from authserver.store.stores import Stores

from .contestant import Code

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

    def codes(self, count: int, client_ids: Sequence[str]) -> list[Code]:
        """Make *count* codes, of each client in turn, in one transaction."""
        made = [self._new(client_ids[number % len(client_ids)]) for number in range(count)]
        with self._stores.database.transaction() as connection:
            connection.execute(insert(CodeRow), [self._row(code) for code in made])
        return made

    def _new(self, client_id: str) -> Code:
        return Code(
            credential.mint(credential.Prefix.CODE), client_id, REDIRECT_URI, secrets.token_urlsafe(32), self._resource
        )

    def _row(self, code: Code) -> dict[str, Any]:
        own = {"digest": credential.digest(code.code), "challenge": _challenge(code.verifier)}
        return {**self._first_row(code.client_id), **own}

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


def _challenge(verifier: str) -> str:
    return credential.base64url(hashlib.sha256(verifier.encode()).digest())
