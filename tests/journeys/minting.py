"""Tokens of a running deployment without a browser: approved through its stores, redeemed over HTTP."""

import hashlib
import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx2
import jwt
from flask import Flask

from authserver.keys.keyring import Keyring
from authserver.keys.roots import RootSecrets, key_encryption_keys
from authserver.keys.sealing import Vault
from authserver.protocol import credential
from authserver.protocol.access_token import TYPE
from authserver.protocol.audit import Event
from authserver.protocol.authorization_code import NewCode
from authserver.store.database import connect
from authserver.store.grants import Approval
from authserver.store.stores import Stores

from .stage import Stage

REDIRECT_URI = "http://127.0.0.1:33418/callback"
EVENT = Event("test.prepared", "system")
SCOPES = ("notes:read",)


@dataclass(frozen=True)
class Minted:
    """A token response, and the grant behind it."""

    client_id: str
    grant_id: str
    access_token: str
    refresh_token: str

    @property
    def claims(self) -> dict[str, Any]:
        """What the access token says."""
        found: dict[str, Any] = jwt.decode(self.access_token, options={"verify_signature": False})
        return found


class Mint:
    """Makes tokens for the demo's user on *stage*, each of a client of its own."""

    def __init__(self, stage: Stage, database_url: str) -> None:
        self._stage = stage
        self.stores = Stores.over(connect(Flask("mint"), database_url))

    @cached_property
    def user_id(self) -> str:
        """The demo's user."""
        user = self.stores.users.by_name(self._stage.user.username)
        assert user is not None
        return user.id

    def token(self, *, approved: bool = False) -> Minted:
        """A new client's tokens; *approved*: where clients wait for approval, it gets that first."""
        registered = httpx2.post(
            f"{self._stage.issuer}/register",
            json={
                "client_name": "Poller",
                "redirect_uris": [REDIRECT_URI],
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "none",
            },
        ).json()
        client_id = registered["client_id"]
        if approved:
            self._stage.authserver("client", "approve", client_id)
        verifier, code = secrets.token_urlsafe(32), credential.mint(credential.Prefix.CODE)
        grant_id = self._approve(client_id, code, verifier)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": REDIRECT_URI,
        }
        found = self._redeem({**form, "client_id": client_id})
        return Minted(client_id, grant_id, found["access_token"], found["refresh_token"])

    def refreshed(self, minted: Minted) -> str:
        """Another access token of the same family."""
        form = {"grant_type": "refresh_token", "refresh_token": minted.refresh_token, "client_id": minted.client_id}
        return str(self._redeem(form)["access_token"])

    def forged(self, minted: Minted) -> str:
        """What a thief of the deployment's keys makes: a token like *minted*'s, signed with the key of today."""
        keks = key_encryption_keys("", (), self._stage.home)
        roots = RootSecrets(self.stores.roots, self.stores.keys, keks, self.stores.epoch.current)
        keyring = Keyring(self.stores.keys, Vault(roots), self.stores.epoch.current)
        claims = {**minted.claims, "jti": f"{minted.claims['jti']}-forged", "sub": "anyone"}
        return keyring.sign(claims, typ=TYPE, alg="ES256")

    def _redeem(self, form: dict[str, str]) -> dict[str, Any]:
        answer = httpx2.post(f"{self._stage.issuer}/token", data=form)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _approve(self, client_id: str, code: str, verifier: str) -> str:
        client = self.stores.clients.find_fresh(client_id)
        assert client is not None
        approval = Approval(
            self.user_id,
            client_id,
            credential.digest(client_id),
            "127.0.0.1",
            self._stage.resource,
            SCOPES,
            client_name=client.name,
            client_identity=client.identity,
        )
        new = NewCode(
            digest=credential.digest(code),
            client_id=client_id,
            redirect_uri=REDIRECT_URI,
            challenge=credential.base64url(hashlib.sha256(verifier.encode()).digest()),
            resource=self._stage.resource,
            scopes=SCOPES,
            auth_time=1_700_000_000,
            wants_refresh=True,
            lifetime=60,
        )
        grant_id = self.stores.grants.approve(approval, new, EVENT)
        assert grant_id is not None
        return grant_id
