"""Client authentication at the back channel: none, a secret by header or body, or an assertion (CR-12, TK-7)."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from urllib.parse import unquote_plus

from . import client_assertion, credential
from .client import AuthMethod, Client
from .client_assertion import Assertion, BadAssertion
from .errors import InvalidClient, InvalidRequest
from .form import Form
from .trace.step import Cause

WORDING = "client authentication failed: unknown client, or wrong credentials; a client may register again"
_NOBODY = credential.digest("")


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request says of its client: a ``client_id``, and perhaps a secret or an assertion to prove it."""

    client_id: str
    secret: str | None = None
    assertion: Assertion | None = None


def failed(private: str = "", cause: Cause = Cause.CLIENT_NOT_PROVEN) -> InvalidClient:
    """The one refusal of a client that is unknown or not proven; the reason is for log and flow trace alone."""
    return InvalidClient(WORDING, private=private, cause=cause)


def absent(client: Client | None) -> InvalidClient:
    """The same refusal, of a client that is not there or may not act."""
    return failed(cause=Cause.CLIENT_UNKNOWN if client is None else Cause.CLIENT_STOPPED)


def presented(authorization: str | None, form: Form) -> Presented:
    """Read the credentials of a request from its ``Authorization`` header and its form (OAuth 2.1 §2.4).

    An agreeing ``client_id`` in the body is fine with any of them. Raises `InvalidRequest` for two mechanisms at
    once, and `InvalidClient` when no client is named.
    """
    secret = form.get("client_secret")
    assertion = form.get("client_assertion") or form.get("client_assertion_type")
    if [authorization, secret, assertion].count(None) < 2:
        raise InvalidRequest("the client authenticates in two ways at once")
    shown = _basic(authorization) if authorization is not None else _assertion(form) if assertion else None
    client_id = form.get("client_id")
    if shown is None:
        if client_id is None:
            raise InvalidClient("client_id is required")
        return Presented(client_id, secret)
    if client_id not in (None, shown.client_id):
        raise InvalidRequest("client_id is not that of the client which authenticates")
    return shown


def authenticate(client: Client | None, shown: Presented, now: float) -> Client:
    """*client* if *shown*, without an assertion, proves it at *now* (Unix seconds); `InvalidClient` if not.

    A confidential client may send its secret by either way, whichever it registered: libraries differ, and the
    proof is the same. A secret sent by a public client proves nothing and is refused.
    """
    proven = knows_secret(shown.secret or "", client, now)
    if client is None or client.suspended or client.pending:
        raise absent(client)
    if client.is_public:
        if shown.secret is not None:
            raise failed("a public client with a secret")
        return client
    if not proven or shown.secret is None or client.auth_method is AuthMethod.PRIVATE_KEY_JWT:
        raise failed()
    return client


def knows_secret(secret: str, client: Client | None, now: float) -> bool:
    """Whether *secret* is the client's, or was before its rotation and is good at *now* (Unix seconds) still.

    Both are compared, and a digest of nobody's in place of one that is not there, so the time taken tells nothing.
    """
    overlap = client is not None and now < (client.previous_secret_until or 0)
    held = (client and client.secret_digest, client and client.previous_secret_digest if overlap else None)
    shown = credential.digest(secret)
    proofs = [hmac.compare_digest(shown, stored or _NOBODY) and stored is not None for stored in held]
    return any(proofs)


def _assertion(form: Form) -> Presented:
    """RFC 7521 §4.2."""
    if form.need("client_assertion_type") != client_assertion.TYPE:
        raise InvalidRequest(f"client_assertion_type must be {client_assertion.TYPE}")
    try:
        found = client_assertion.parse(form.need("client_assertion"))
    except BadAssertion as wrong:
        raise failed(f"assertion: {wrong}") from None
    return Presented(found.client_id, assertion=found)


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
    return Presented(name, secret or None)
