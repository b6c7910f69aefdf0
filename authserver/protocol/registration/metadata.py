"""Client metadata as it is sent: checked, reduced to what this server has, and made into a client (CR-1, 5, 6, 14)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc7591 import ClientMetadataClaims
from joserfc.errors import JoseError

from .. import redirect_uri, strict_json
from ..client import AuthMethod, Client, GrantType
from ..client_authentication import knows_secret
from ..errors import InvalidClientMetadata, InvalidRedirectURI
from . import authentication
from .authentication import BEST_FIRST

MOST_NAME = 200
MOST_VALUE = 2048
MOST_CONTACTS = 20
BLANKS = "\u115f\u1160\u2800\u3164\uffa0"  # letters to Unicode, empty to the eye
MANY_MARKS = re.compile(r"([\u0300-\u036f]{2})[\u0300-\u036f]+")  # a pile of accents hides its neighbours
FOR_PEOPLE = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)  # what a client may give itself (EX-1)
ECHOED = (
    "client_uri", "logo_uri", "contacts", "tos_uri", "policy_uri", "software_id", "software_version",
    "application_type", "scope",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What is kept of a registration request."""

    name: str
    redirect_uris: tuple[str, ...]
    auth_method: AuthMethod
    grant_types: tuple[str, ...]
    extra: dict[str, Any]
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None


def load(body: bytes) -> dict[str, Any]:
    """The JSON object of a request's body. Raises `InvalidClientMetadata` for anything else, and for a name twice."""
    try:
        return strict_json.loads(body)
    except ValueError:
        raise InvalidClientMetadata("the body must be a JSON object, with no name twice (RFC 7591)") from None


def check_credentials(found: dict[str, Any], client: Client, now: float) -> None:
    """An update names its own client and secret, if it names them (RFC 7592 §2.2). Raises `InvalidClientMetadata`."""
    if found.get("client_id", client.client_id) != client.client_id:
        raise InvalidClientMetadata("client_id is another client's")
    secret = found.get("client_secret")
    if secret is not None and not (isinstance(secret, str) and knows_secret(secret, client, now)):
        raise InvalidClientMetadata("client_secret is not the current one; a client cannot choose its secret")


def parse(
    found: dict[str, Any], scopes: Collection[str] = (), methods: Collection[AuthMethod] = BEST_FIRST
) -> ClientMetadata:
    """Check what a client says of itself (RFC 7591 §2) and keep what is known.

    *scopes* are all that exist here, *methods* those by which this kind of client may authenticate. Unknown members
    are ignored; grants, response types and scopes that this server lacks are left out, never a reason to refuse
    (CR-14). Raises `InvalidRedirectURI` or `InvalidClientMetadata`.
    """
    redirect_uris = _redirect_uris(found)
    proof = authentication.parse(found, methods)
    grants = _grant_types(found)
    name = _name(found) or redirect_uri.host(redirect_uris[0])
    extra = _extra(found, scopes) | proof.said
    return ClientMetadata(name, redirect_uris, proof.method, grants, extra, proof.jwks, proof.jwks_uri)


def _redirect_uris(found: dict[str, Any]) -> tuple[str, ...]:
    uris = found.get("redirect_uris")
    if not isinstance(uris, list) or not uris:
        raise InvalidRedirectURI("redirect_uris is required: a list of at least one URI")
    if len(uris) > redirect_uri.MOST_URIS:
        raise InvalidRedirectURI(f"redirect_uris has at most {redirect_uri.MOST_URIS} entries")
    for position, uri in enumerate(uris):
        try:
            redirect_uri.check(uri)
        except InvalidRedirectURI as refused:
            raise InvalidRedirectURI(f"redirect_uris[{position}]: {refused.description}") from None
    return tuple(dict.fromkeys(uris))


def _grant_types(found: dict[str, Any]) -> tuple[str, ...]:
    asked = found.get("grant_types") or []
    if not isinstance(asked, list) or not all(isinstance(grant, str) for grant in asked):
        raise InvalidClientMetadata("grant_types must be a list of strings")
    kept = (grant for grant in FOR_PEOPLE if grant in asked or grant is GrantType.AUTHORIZATION_CODE)
    return tuple(str(grant) for grant in kept)


def _name(found: dict[str, Any]) -> str:
    name = found.get("client_name") or ""
    if not isinstance(name, str):
        raise InvalidClientMetadata("client_name must be a string")
    visible = "".join(" " if not character.isprintable() or character in BLANKS else character for character in name)
    return " ".join(MANY_MARKS.sub(r"\1", visible).split())[:MOST_NAME]


def _extra(found: dict[str, Any], scopes: Collection[str]) -> dict[str, Any]:
    known = {member: found[member] for member in ECHOED if found.get(member) not in (None, "", [])}
    if not isinstance(known.get("application_type", ""), str):
        del known["application_type"]  # it is never a reason to refuse (CR-5)
    for member, value in known.items():
        _check_member(member, value)
    claims = ClientMetadataClaims(dict(known), {})
    try:
        claims.validate()
    except (JoseError, ValueError):
        raise InvalidClientMetadata("a metadata member is malformed (RFC 7591 section 2)") from None
    if shared := [name for name in known.pop("scope", "").split() if name in scopes]:
        known["scope"] = " ".join(shared)
    return known


def _check_member(member: str, value: object) -> None:
    texts: list[object] = value if member == "contacts" and isinstance(value, list) else [value]
    if len(texts) > MOST_CONTACTS or not all(_is_text(text) for text in texts):
        raise InvalidClientMetadata(f"{member} must be text of at most {MOST_VALUE} characters")
    if member.endswith("_uri") and not str(value).startswith(("https://", "http://")):
        raise InvalidClientMetadata(f"{member} must be an http or https URL")


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or len(value) > MOST_VALUE:
        return False
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)
