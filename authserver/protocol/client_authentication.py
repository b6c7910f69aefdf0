"""Client authentication at the back channel: none, client_secret_basic, client_secret_post (CR-12, TK-7)."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_plus

from . import credential
from .client import AuthMethod, Client
from .errors import InvalidClient, InvalidRequest

WORDING = "client authentication failed: unknown client, or wrong credentials; a client may register again"
_NOBODY = credential.digest("")


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request says of its client: a ``client_id``, and perhaps a secret with the way it came."""

    client_id: str
    secret: str | None
    method: AuthMethod


def presented(authorization: str | None, client_id: str | None, client_secret: str | None) -> Presented:
    """Read the credentials of a request from its ``Authorization`` header and its form (OAuth 2.1 §2.4.1).

    Basic and an agreeing ``client_id`` in the body are fine together. Raises `InvalidRequest` for two mechanisms
    at once, and `InvalidClient` when no client is named.
    """
    if authorization is not None:
        basic = _basic(authorization)
        if client_secret or (client_id is not None and client_id != basic.client_id):
            raise InvalidRequest("the client authenticates in two ways that do not agree")
        return basic
    if not client_id:
        raise InvalidClient("client_id is required")
    if client_secret:
        return Presented(client_id, client_secret, AuthMethod.SECRET_POST)
    return Presented(client_id, None, AuthMethod.NONE)


def _basic(authorization: str) -> Presented:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("the token endpoint takes Basic client authentication only")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        name, colon, secret = decoded.partition(":")
        if not colon or not name:
            raise ValueError("no colon")
        name, secret = (unquote_plus(part, errors="strict") for part in (name, secret))
    except (binascii.Error, ValueError):
        raise InvalidClient("malformed Basic credentials") from None
    return Presented(name, secret or None, AuthMethod.SECRET_BASIC if secret else AuthMethod.NONE)


def authenticate(client: Client | None, shown: Presented) -> Client:
    """*client* if *shown* proves it; `InvalidClient`, always in the same words, if not.

    A confidential client may send its secret by either way, whichever it registered: libraries differ, and the
    proof is the same. A secret sent by a public client proves nothing and is refused.
    """
    stored = client.secret_digest if client else None
    proven = credential.matches(shown.secret or "", stored or _NOBODY)
    if client is None or client.suspended or client.pending:
        raise InvalidClient(WORDING)
    if client.is_public:
        if shown.secret is not None:
            raise InvalidClient(WORDING)
        return client
    if not proven or shown.secret is None or stored is None:
        raise InvalidClient(WORDING)
    return client
