"""One round trip to an upstream: its secrets, the request that begins it and the answer that ends it."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from .. import credential
from .flaw import Unbelievable

STATE_CHARACTERS = 43
MOST_CHARACTERS = 4096
PARAMETERS = ("state", "code", "iss", "error", "error_description")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What only the browser's ``state`` and this server's key together give: no secret of it has to be kept.

    ``nonce`` ties the ID token to it (OpenID Connect Core 1.0 §15.5.2), ``verifier`` the code (RFC 7636 §4.1).
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def fresh(cls, key: bytes) -> "Attempt":
        """A new one, of 256 random bits."""
        return cls.of(secrets.token_urlsafe(32), key)

    @classmethod
    def of(cls, state: str, key: bytes) -> "Attempt":
        """The one of *state*, with the *key* that it was begun with."""
        return cls(state, _derived(key, "nonce", state), _derived(key, "verifier", state))

    @property
    def digest(self) -> bytes:
        """What is stored and looked up in place of the state."""
        return credential.digest(self.state)

    def request(self, endpoint: str, client_id: str, redirect_uri: str, scope: str, **more: Any) -> str:  # noqa: ANN401
        """The URL that asks at *endpoint* for a code (RFC 6749 §4.1.1, RFC 7636 §4.3); what is None is left out."""
        challenge = {"code_challenge": _challenge(self.verifier), "code_challenge_method": "S256"}
        asked: str = prepare_grant_uri(
            endpoint, client_id, "code", redirect_uri, scope, self.state, **challenge, **more
        )
        return asked


@dataclass(frozen=True, slots=True)
class Answer:
    """An authorization response (RFC 6749 §4.1.2, RFC 9207 §2) as a browser brought it; nothing of it is proven."""

    state: str
    code: str = ""
    iss: str | None = None
    error: str = ""


def read(parameters: Iterable[tuple[str, str]]) -> Answer:
    """The answer in the *parameters* of a redirect. Raises `Unbelievable` for what no upstream sends."""
    pairs = [(name, value) for name, value in parameters if name in PARAMETERS]
    found = dict(pairs)
    if len(found) != len(pairs):  # RFC 6749 §3.1
        raise Unbelievable("a parameter came twice")
    if any(len(value) > MOST_CHARACTERS or not value.isprintable() for value in found.values()):
        raise Unbelievable("a parameter is too long, or no text")
    if len(found.get("state", "")) != STATE_CHARACTERS:
        raise Unbelievable("the state is not one of this server's")
    if bool(found.get("code")) == bool(found.get("error")):
        raise Unbelievable("there is neither a code nor an error, or both")
    return Answer(found["state"], found.get("code", ""), found.get("iss"), found.get("error", ""))


def check_issuer(answer: Answer, issuer: str, *, names_itself: bool) -> None:
    """That *answer* is from *issuer*, as far as it says so (RFC 9207 §2.4). Raises `Unbelievable`: a mix-up."""
    if answer.iss is None and names_itself:
        raise Unbelievable("the response does not say which issuer it is from")
    if answer.iss is not None and answer.iss != issuer:
        raise Unbelievable("the response is from another issuer")


def _challenge(verifier: str) -> str:
    made: str = create_s256_code_challenge(verifier)  # type: ignore[no-untyped-call]
    return made


def _derived(key: bytes, purpose: str, state: str) -> str:
    made = hmac.digest(key, f"{purpose}\0{state}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode("ascii")
