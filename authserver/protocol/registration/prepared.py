"""Clients that an administrator registers beforehand: what they may be, told all at once before anything is saved.

Unlike what strangers send, nothing is repaired or left out in silence here: whoever wrote it wants to know (CR-11).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .. import jwk, redirect_uri
from ..client import AuthMethod, Client, ClientKind, GrantType
from ..errors import InvalidClientMetadata, InvalidRedirectURI
from ..flaw import Flaw
from .metadata import MOST_NAME, MOST_VALUE

CLIENT_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~-]{0,199}")
WITH_SECRET = frozenset({AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST})
Ceilings = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an administrator says of a client; ``ceilings`` are scopes by resource that it may get for itself (EX-1)."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    auth_method: AuthMethod = AuthMethod.NONE
    grant_types: tuple[str, ...] = ()
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    ceilings: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_secret(self) -> bool:
        """Whether it proves itself by a secret."""
        return self.auth_method in WITH_SECRET

    @property
    def keys(self) -> dict[str, Any] | None:
        """Its keys as they are kept: the members that mean something here."""
        return None if self.jwks is None else jwk.public_set(self.jwks)

    def client(self, *, created_at: int, secret_digest: bytes | None, declared: bool = False) -> Client:
        """The client that it becomes; *declared* if a file keeps it (`services.desired_state`)."""
        return Client(
            client_id=self.client_id,
            kind=ClientKind.PREREGISTERED,
            name=self.name,
            redirect_uris=self.redirect_uris,
            auth_method=self.auth_method,
            grant_types=self.grant_types,
            created_at=created_at,
            secret_digest=secret_digest,
            jwks=self.keys,
            jwks_uri=self.jwks_uri,
            ceilings=self.ceilings,
            declared=declared,
        )


def usual_grants(redirect_uris: tuple[str, ...]) -> tuple[str, ...]:
    """The grants of a client for which none are named: those for people where it has somewhere to send them."""
    if redirect_uris:
        return (str(GrantType.AUTHORIZATION_CODE), str(GrantType.REFRESH_TOKEN))
    return (str(GrantType.CLIENT_CREDENTIALS),)


def usual_method(grant_types: tuple[str, ...], *, has_keys: bool) -> AuthMethod:
    """The authentication of a client for which none is named: its keys, else a secret where one is needed."""
    if has_keys:
        return AuthMethod.PRIVATE_KEY_JWT
    return AuthMethod.SECRET_BASIC if GrantType.CLIENT_CREDENTIALS in grant_types else AuthMethod.NONE


def flaws(prepared: Prepared, scopes: Ceilings) -> Iterator[Flaw]:
    """All that is wrong with *prepared*; *scopes* are those that exist, by the resource's identifier."""
    if not CLIENT_ID.fullmatch(prepared.client_id):
        yield Flaw(("id",), "1 to 200 letters, digits and . _ ~ -, beginning with a letter, a digit or _")
    if not prepared.name.strip() or len(prepared.name) > MOST_NAME or not prepared.name.isprintable():
        yield Flaw(("name",), f"1 to {MOST_NAME} printable characters")
    yield from _redirect_flaws(prepared)
    yield from _grant_flaws(prepared)
    yield from _key_flaws(prepared)
    yield from _ceiling_flaws(prepared, scopes)


def _redirect_flaws(prepared: Prepared) -> Iterator[Flaw]:
    if len(prepared.redirect_uris) > redirect_uri.MOST_URIS:
        yield Flaw(("redirect_uris",), f"at most {redirect_uri.MOST_URIS}")
        return
    for position, uri in enumerate(prepared.redirect_uris):
        try:
            redirect_uri.check(uri)
        except InvalidRedirectURI as refused:
            yield Flaw(("redirect_uris", position), str(refused.description))
        if uri in prepared.redirect_uris[:position]:
            yield Flaw(("redirect_uris", position), "is there twice")
    if prepared.redirect_uris and GrantType.AUTHORIZATION_CODE not in prepared.grant_types:
        yield Flaw(("redirect_uris",), "of no use without the grant authorization_code")


def _grant_flaws(prepared: Prepared) -> Iterator[Flaw]:
    grants = prepared.grant_types
    if not grants:
        yield Flaw(("grants",), "at least one")
    if unknown := [grant for grant in grants if grant not in list(GrantType)]:
        yield Flaw(("grants",), f"not one of {', '.join(GrantType)}: {', '.join(unknown)}")
    if GrantType.AUTHORIZATION_CODE in grants and not prepared.redirect_uris:
        yield Flaw(("redirect_uris",), "the grant authorization_code needs at least one")
    if GrantType.REFRESH_TOKEN in grants and GrantType.AUTHORIZATION_CODE not in grants:
        yield Flaw(("grants",), "refresh_token goes with authorization_code only")
    if GrantType.CLIENT_CREDENTIALS in grants and prepared.auth_method is AuthMethod.NONE:
        yield Flaw(("auth_method",), "client_credentials needs a client that proves itself, not none")


def _key_flaws(prepared: Prepared) -> Iterator[Flaw]:
    if prepared.auth_method is not AuthMethod.PRIVATE_KEY_JWT:
        if prepared.jwks is not None or prepared.jwks_uri is not None:
            yield Flaw(("auth_method",), "keys are for private_key_jwt")
        return
    if (prepared.jwks is None) == (prepared.jwks_uri is None):
        yield Flaw(("jwks",), "private_key_jwt needs its keys: either jwks or jwks_uri")
    if prepared.jwks is not None:
        yield from _jwks_flaws(prepared.jwks)
    if prepared.jwks_uri is not None and not _is_https(prepared.jwks_uri):
        yield Flaw(("jwks_uri",), "an https URL without fragment")


def _jwks_flaws(jwks: dict[str, Any]) -> Iterator[Flaw]:
    try:
        jwk.public_set(jwks)
    except InvalidClientMetadata as refused:
        yield Flaw(("jwks",), str(refused.description).removeprefix("jwks "))
        return
    for position, key in enumerate(jwks["keys"]):
        if jwk.read(key) is None:
            yield Flaw(("jwks", "keys", position), f"is of no use: not a sound key for {', '.join(jwk.ALGORITHMS)}")


def _ceiling_flaws(prepared: Prepared, known: Ceilings) -> Iterator[Flaw]:
    if prepared.ceilings and GrantType.CLIENT_CREDENTIALS not in prepared.grant_types:
        yield Flaw(("allow",), "what a client may get for itself goes with the grant client_credentials")
    for resource, scopes in prepared.ceilings.items():
        if resource not in known:
            yield Flaw(("allow", resource), "no MCP server is registered under this URL")
        elif missing := [scope for scope in scopes if scope not in known[resource]]:
            yield Flaw(("allow", resource), f"not scopes of this server: {', '.join(missing)}")
        elif not scopes:
            yield Flaw(("allow", resource), "at least one scope")


def _is_https(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    readable = uri.isascii() and uri.isprintable() and " " not in uri and len(uri) <= MOST_VALUE
    return (
        readable and parts.scheme == "https" and bool(parts.hostname) and not parts.fragment and "@" not in parts.netloc
    )
