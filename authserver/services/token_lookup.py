"""What a value is that somebody found: a token of any kind, or the id of one, and the grant behind it.

The value is hashed, opened or parsed here and goes nowhere else: not into a URL, a log or the trail.
"""

import binascii
import json
import re
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from ..protocol import credential
from ..protocol.access_token import TokenId
from ..protocol.credential import Prefix
from ..protocol.msg import msg
from ..store.grant_search import GrantSearch
from ..store.stores import Stores
from .token_formats import TokenFormats

LONGEST = 16_384  # characters
AROUND = re.compile(r"[\s\"'`=:,;&?<>()\[\]{}]+")
TOKENS = (*Prefix, "eyJ")  # RFC 7515: the header of a JWT, in base64url
ID = re.compile(r"[A-Za-z0-9_.-]{1,200}")


class Kind(StrEnum):
    """What a value turned out to be."""

    ACCESS = "access token"
    REFRESH = "refresh token"
    CODE = "authorization code"
    TOKEN_ID = "token id"  # noqa: S105 - the name of a kind
    FAMILY = "refresh family"
    GRANT = "grant"
    SECRET = "client secret"  # noqa: S105 - the name of a kind
    REGISTRATION = "registration access token"
    INITIAL_ACCESS = "initial access token"
    SESSION = "session"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """Whether it still opens anything."""

    LIVE = msg("live")
    USED = msg("used")
    EXPIRED = msg("expired")
    ENDED = msg("ended")
    UNTOLD = msg("untold")
    """It is not one that this server can tell of: no longer known, never known, or not looked up."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value's kind and standing, and what it belongs to; what is not known is None.

    ``expires_at`` is in Unix seconds. A token of a client for itself has no grant.
    """

    kind: Kind
    standing: Standing = Standing.UNTOLD
    grant_id: str | None = None
    family_id: str | None = None
    client_id: str | None = None
    resource: str | None = None
    scopes: tuple[str, ...] = ()
    expires_at: int | None = None


OTHERS = {
    Prefix.CLIENT_SECRET: Kind.SECRET,
    Prefix.REGISTRATION: Kind.REGISTRATION,
    Prefix.INITIAL_ACCESS: Kind.INITIAL_ACCESS,
    Prefix.SESSION: Kind.SESSION,
}


@dataclass(frozen=True, slots=True)
class TokenLookup:
    """Looks values up, each by an indexed key."""

    stores: Stores
    formats: TokenFormats

    def find(self, value: str) -> Found:
        """What *value* is."""
        value = _pasted(value[:LONGEST])
        if value.startswith(Prefix.REFRESH):
            return self._refresh_token(credential.digest(value))
        if value.startswith(Prefix.CODE):
            return self._code(credential.digest(value))
        for prefix, kind in OTHERS.items():
            if value.startswith(prefix):
                return Found(kind)
        if claims := self.formats.read(value):
            return self._access_token(claims)
        if value.startswith(Prefix.ACCESS) or value.count(".") > 1:
            return self._named_by(value)
        return self._id(value)

    def _named_by(self, value: str) -> Found:
        """What an access token names, of which nothing holds: it has expired, or is none of ours."""
        named = self._id(_jti_of(value))
        known = named.kind is Kind.TOKEN_ID
        return replace(named, kind=Kind.ACCESS, standing=Standing.UNTOLD) if known else Found(Kind.ACCESS)

    def _access_token(self, claims: dict[str, Any]) -> Found:
        token_id = TokenId.parse(claims["jti"])
        about: dict[str, Any] = {
            "kind": Kind.ACCESS,
            "client_id": claims["client_id"],
            "resource": claims["aud"],
            "scopes": tuple(claims["scope"].split()),
            "expires_at": claims["exp"],
        }
        if token_id is None or token_id.stands_on_client:
            held = token_id and self.stores.access_tokens.ceiling(
                token_id, claims["client_id"], claims["aud"], claims["iat"]
            )
            return Found(**about, standing=Standing.LIVE if held else Standing.ENDED)
        family = self._search.family(token_id.family_id)
        alive = self.stores.access_tokens.authority(token_id) is not None
        about |= {"family_id": token_id.family_id, "grant_id": family.grant_id if family else None}
        return Found(**about, standing=Standing.LIVE if alive else Standing.ENDED)

    def _refresh_token(self, digest: bytes) -> Found:
        state = self.stores.refresh_tokens.state(digest)
        if state is None:
            return Found(Kind.REFRESH)
        standing = Standing.LIVE if state.age is None else Standing.USED
        if state.expired:
            standing = Standing.EXPIRED
        if not state.alive:
            standing = Standing.ENDED
        on = state.authority
        return Found(Kind.REFRESH, standing, on.grant_id, on.family_id, on.client_id, on.resource, on.scopes)

    def _code(self, digest: bytes) -> Found:
        state = self.stores.codes.state(digest)
        if state is None:
            return Found(Kind.CODE)
        unused = Standing.EXPIRED if state.expired else Standing.LIVE
        standing = unused if state.age is None else Standing.USED if state.family_id else Standing.ENDED
        grant_id = self._search.of_code(digest)
        return Found(Kind.CODE, standing, grant_id, state.family_id, state.client_id, state.resource)

    def _id(self, value: str) -> Found:
        """A ``jti``, or the id of a family or a grant. What does not look like one goes to no database."""
        if not ID.fullmatch(value) or any(prefix in value for prefix in Prefix):
            return Found(Kind.UNKNOWN)
        token_id = TokenId.parse(value)
        family = self._search.family(token_id.family_id if token_id else value)
        if family is None:
            grant = self.stores.grants.find(value)
            if grant is None:
                return Found(Kind.UNKNOWN)
            ended = Standing.ENDED if grant.revoked_at or grant.ran_out else Standing.LIVE
            return Found(Kind.GRANT, ended, grant.id, None, grant.client_id, grant.resource, grant.scopes)
        kind = Kind.TOKEN_ID if token_id else Kind.FAMILY
        standing = Standing.LIVE if family.revoked_at is None else Standing.ENDED
        if standing is Standing.LIVE and family.expires_at <= time.time():
            standing = Standing.EXPIRED
        if token_id and self._search.revoked_alone(value):
            standing = Standing.ENDED
        about = (family.grant_id, family.id, family.client_id, family.resource, family.scopes)
        return Found(kind, standing, *about)

    @property
    def _search(self) -> GrantSearch:
        return self.stores.grant_search


def _pasted(text: str) -> str:
    """The token within what was copied with it, such as a header, a form or JSON; else the whole."""
    pieces = AROUND.split(text)
    return next((piece for piece in pieces if piece.startswith(TOKENS)), text.strip())


def _jti_of(value: str) -> str:
    """The ``jti`` that a JWT claims, whoever signed it; empty if there is none to read."""
    payload = value.split(".")[1] if value.count(".") == 2 else ""
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    found = claims.get("jti") if isinstance(claims, dict) else None
    return found if isinstance(found, str) else ""
