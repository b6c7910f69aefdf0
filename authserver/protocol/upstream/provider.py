"""What an OpenID provider publishes of itself (OpenID Connect Discovery 1.0 §3, §4)."""

from dataclasses import dataclass
from typing import Any

from .. import strict_json
from .flaw import Unbelievable

WELL_KNOWN = "/.well-known/openid-configuration"
BASIC, POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True, slots=True)
class Provider:
    """The endpoints of one issuer; those that it need not have are None.

    ``names_itself``: each of its authorization responses carries ``iss`` (RFC 9207 §3). ``takes_basic``: a client's
    secret goes into the ``Authorization`` header.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    names_itself: bool
    takes_basic: bool


def document_of(issuer: str) -> str:
    """Where the metadata of *issuer* is (OpenID Connect Discovery 1.0 §4)."""
    return issuer.rstrip("/") + WELL_KNOWN


def read(issuer: str, body: str) -> Provider:
    """The provider that *body* describes, if it is *issuer*. Raises `Unbelievable`."""
    try:
        found = strict_json.loads(body.encode())
    except ValueError as wrong:
        raise Unbelievable(f"the metadata is not JSON: {wrong}") from None
    if found.get("issuer") != issuer:  # OpenID Connect Discovery 1.0 §4.3: identical, or it is another's
        raise Unbelievable("the metadata is that of another issuer")
    return Provider(
        issuer=issuer,
        authorization_endpoint=_needed(found, "authorization_endpoint"),
        token_endpoint=_needed(found, "token_endpoint"),
        jwks_uri=_needed(found, "jwks_uri"),
        userinfo_endpoint=_url(found, "userinfo_endpoint"),
        end_session_endpoint=_url(found, "end_session_endpoint"),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        takes_basic=_takes_basic(found),
    )


def _takes_basic(found: dict[str, Any]) -> bool:
    """`client_secret_basic` is the default (OpenID Connect Discovery 1.0 §3)."""
    methods = found.get("token_endpoint_auth_methods_supported")
    return not isinstance(methods, list) or BASIC in methods or POST not in methods


def _needed(found: dict[str, Any], name: str) -> str:
    url = _url(found, name)
    if url is None:
        raise Unbelievable(f"the metadata has no {name}")
    return url


def _url(found: dict[str, Any], name: str) -> str | None:
    url = found.get(name)
    if url is None:
        return None
    if not isinstance(url, str) or not url.startswith("https://") or "#" in url or not url.isprintable():
        raise Unbelievable(f"{name} is no https URL")
    return url
