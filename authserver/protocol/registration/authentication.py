"""How a client says that it will authenticate: by which method, with which keys, or which of them it leaves to us.

A client that can do several says so (OpenID Connect RP Metadata Choices) and gets the best that both have (CR-13).
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .. import jwk
from ..client import SIGNING_ALGORITHM, SIGNING_ALGORITHMS, AuthMethod
from ..errors import InvalidClientMetadata

METHOD = "token_endpoint_auth_method"
METHODS = "token_endpoint_auth_methods_supported"
BEST_FIRST = (AuthMethod.PRIVATE_KEY_JWT, AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST, AuthMethod.NONE)
MOST_CHOICES = 50
MOST_CHARACTERS = 2048


@dataclass(frozen=True, slots=True)
class Authentication:
    """The method, the keys that it needs (one of the two), and what was ``said`` of signatures, to be kept."""

    method: AuthMethod
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    said: dict[str, Any] = field(default_factory=dict)


def parse(found: dict[str, Any], methods: Collection[AuthMethod] = BEST_FIRST) -> Authentication:
    """What *found*, a client's metadata, comes to, if the client may choose among *methods*.

    Keys count only where the method needs them. Raises `InvalidClientMetadata`.
    """
    by_value, uri = found.get("jwks"), found.get("jwks_uri")
    if by_value is not None and uri is not None:
        raise InvalidClientMetadata("jwks and jwks_uri exclude each other (RFC 7591 section 2)")
    has_keys = by_value is not None or uri is not None
    method = _method(found, methods, has_keys)
    if method is not AuthMethod.PRIVATE_KEY_JWT:
        return Authentication(method)
    if not has_keys:
        raise InvalidClientMetadata("private_key_jwt needs jwks or jwks_uri")
    said = _algorithms(found)
    if uri is not None:
        return Authentication(method, jwks_uri=_https(uri), said=said)
    keys = jwk.public_set(by_value)
    return Authentication(method, jwks=keys, said=_fitting(said, keys))


def _method(found: dict[str, Any], methods: Collection[AuthMethod], has_keys: bool) -> AuthMethod:
    said, choices = found.get(METHOD), _choices(found, METHODS)
    if isinstance(said, str) and said in methods:
        return AuthMethod(said)
    if not said and not choices:
        return AuthMethod.SECRET_BASIC if AuthMethod.SECRET_BASIC in methods else AuthMethod.NONE
    for method in BEST_FIRST:
        if method in methods and method in choices and (has_keys or method is not AuthMethod.PRIVATE_KEY_JWT):
            return method
    raise InvalidClientMetadata(f"{METHOD} must be one of: {', '.join(methods)}")


def _algorithms(found: dict[str, Any]) -> dict[str, Any]:
    single, choices = found.get(SIGNING_ALGORITHM), _choices(found, SIGNING_ALGORITHMS)
    if single in jwk.ALGORITHMS:
        return {SIGNING_ALGORITHM: single}
    if not single and not choices:
        return {}
    both = [alg for alg in jwk.ALGORITHMS if alg in choices]
    if not both:
        raise InvalidClientMetadata(f"{SIGNING_ALGORITHM} must be one of: {', '.join(jwk.ALGORITHMS)}")
    return {SIGNING_ALGORITHMS: both}


def _fitting(said: dict[str, Any], keys: dict[str, Any]) -> dict[str, Any]:
    """What was *said* of algorithms, without choices that none of *keys* is for."""
    fitting = {alg for key in filter(None, map(jwk.read, keys["keys"])) for alg in key.algorithms}
    kept = [alg for alg in said.get(SIGNING_ALGORITHMS, [said.get(SIGNING_ALGORITHM)]) if alg in fitting]
    if said and not kept:
        raise InvalidClientMetadata(f"jwks has no key for {SIGNING_ALGORITHM}")
    return {SIGNING_ALGORITHMS: kept} if SIGNING_ALGORITHMS in said else said


def _choices(found: dict[str, Any], member: str) -> list[str]:
    choices = found.get(member) or []
    fine = isinstance(choices, list) and len(choices) <= MOST_CHOICES
    if not fine or not all(isinstance(choice, str) for choice in choices):
        raise InvalidClientMetadata(f"{member} must be a list of strings")
    return list(choices)


def _https(uri: object) -> str:
    try:
        parts = urlsplit(uri if isinstance(uri, str) else "")
        fine = parts.scheme == "https" and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        fine = False
    text = str(uri)
    plain = text.isascii() and text.isprintable() and not set(' "<>\\^`{|}#') & set(text)
    if not fine or not plain or len(text) > MOST_CHARACTERS:
        raise InvalidClientMetadata("jwks_uri must be an https URL without user information and fragment")
    return text
