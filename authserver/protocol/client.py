"""Clients: who may ask for tokens, and by which means (RFC 7591 §2)."""

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from . import jwk, redirect_uri
from .credential import base64url
from .errors import InvalidRequest, UnregisteredRedirect
from .trace.step import Cause

SIGNING_ALGORITHM = "token_endpoint_auth_signing_alg"
SIGNING_ALGORITHMS = "token_endpoint_auth_signing_alg_values_supported"

HELD_DOCUMENT = "held_document"  # in a client's metadata: the digest of one that waits for an administrator
REFUSED_DOCUMENT = "refused_document"  # and of a newer one that an administrator, or nobody in time, let in
VOUCHED_BY = "vouched_by"  # in a client's metadata: the trusted issuer of its software statement


class AuthMethod(StrEnum):
    """How a client proves itself at the token endpoint (OAuth 2.1 §2.4, RFC 7591 §2)."""

    NONE = "none"
    SECRET_BASIC = "client_secret_basic"  # noqa: S105 - the method's name
    SECRET_POST = "client_secret_post"  # noqa: S105 - the method's name
    PRIVATE_KEY_JWT = "private_key_jwt"

    @property
    def has_secret(self) -> bool:
        """Whether the client and this server share a secret."""
        return self in {AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST}


class GrantType(StrEnum):
    """The grants that exist here."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the grant's name
    CLIENT_CREDENTIALS = "client_credentials"


class ClientKind(StrEnum):
    """Where a client comes from: who vouches for what it says of itself."""

    DYNAMIC = "dynamic"
    METADATA_DOCUMENT = "metadata_document"
    PREREGISTERED = "preregistered"
    RESOURCE_SERVER = "resource_server"


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is known here.

    ``created_at`` is in Unix seconds; ``metadata`` holds what is echoed but not acted on. ``jwks`` (a JWK Set by value)
    or ``jwks_uri`` has the keys of ``private_key_jwt``. After a rotation the previous secret is good until
    ``previous_secret_until`` (Unix seconds). ``ceilings`` are the scopes that it may get for itself, by resource
    (EX-1). A ``pending`` client waits for an administrator's approval. A ``declared`` one is kept by a file (CR-11).
    For a ``vouched`` one an administrator answers: it is pre-registered, or its domain is allowed (CR-10); that is
    not saved with it but found out for a request.
    """

    client_id: str
    kind: ClientKind
    name: str
    redirect_uris: tuple[str, ...]
    auth_method: AuthMethod
    grant_types: tuple[str, ...]
    created_at: int
    secret_digest: bytes | None = None
    previous_secret_digest: bytes | None = None
    previous_secret_until: int | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    ceilings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pending: bool = False
    declared: bool = False
    vouched: bool = False
    registration_digest: bytes | None = None
    suspended: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def is_public(self) -> bool:
        """Whether it has no credential of its own."""
        return self.auth_method is AuthMethod.NONE

    @property
    def signing_algorithms(self) -> tuple[str, ...]:
        """What its assertions may be signed by, best first: what it said of that, or all (OIDC Registration §2)."""
        said = self.metadata.get(SIGNING_ALGORITHM)
        return (said,) if said else tuple(self.metadata.get(SIGNING_ALGORITHMS, jwk.ALGORITHMS))

    @property
    def guards(self) -> str | None:
        """The identifier of the resource whose server this client is; None for an ordinary client."""
        return self.metadata.get("resource") if self.kind is ClientKind.RESOURCE_SERVER else None

    @property
    def voucher(self) -> str | None:
        """Whose software statement says its name and redirect URIs, if an administrator trusts them; mostly None."""
        return self.metadata.get(VOUCHED_BY) if self.kind is ClientKind.DYNAMIC else None

    @property
    def identity(self) -> bytes:
        """A digest of what people know it by: when it changes, they are asked again (AZ-8, CR-9)."""
        return _identity(self.name, self.redirect_uris, self.auth_method, self.jwks_uri)

    @property
    def key_digests(self) -> tuple[str, ...]:
        """Digests of its keys by value (base64url): they differ when the keys do."""
        keys = (json.dumps(key, sort_keys=True).encode() for key in (self.jwks or {}).get("keys", ()))
        return tuple(base64url(hashlib.sha256(key).digest()) for key in keys)

    @property
    def secret_mark(self) -> str | None:
        """Stands for which secret it has, without a word of what is kept of it; None if it has none."""
        return hashlib.sha256(b"seen" + self.secret_digest).hexdigest() if self.secret_digest else None

    @property
    def likeness(self) -> bytes:
        """A digest of its name and redirect hosts: the same for registrations that are the same to people."""
        hosts = sorted({redirect_uri.host(uri) for uri in self.redirect_uris})
        return hashlib.sha256(json.dumps([self.name, hosts]).encode()).digest()

    def may_act_alone(self) -> bool:
        """Whether it gets tokens for itself, as only a client that an administrator registered for it does (EX-1)."""
        vouched_for = self.kind is ClientKind.PREREGISTERED and not (self.pending or self.suspended)
        return vouched_for and not self.is_public and GrantType.CLIENT_CREDENTIALS in self.grant_types

    def may_refresh(self) -> bool:
        """Whether it registered the refresh grant (TK-3)."""
        return GrantType.REFRESH_TOKEN in self.grant_types

    def choose_redirect_uri(self, requested: str | None) -> str:
        """The redirect URI of an authorization request (OAuth 2.1 §4.1.1).

        Raises `UnregisteredRedirect` for one that is not registered, and `InvalidRequest` when it is left out and the
        client has not exactly one.
        """
        if requested is None:
            if len(self.redirect_uris) == 1:
                return self.redirect_uris[0]
            said = "redirect_uri is required: this client registered several"
            raise InvalidRequest(said, cause=Cause.REDIRECT_NOT_SAID)
        if not redirect_uri.find(requested, self.redirect_uris, public=self.is_public):
            raise UnregisteredRedirect(self.name)
        return requested


@lru_cache(maxsize=128)
def _identity(name: str, redirect_uris: tuple[str, ...], method: AuthMethod, jwks_uri: str | None) -> bytes:
    known_by = [name, sorted(redirect_uris), method, *filter(None, [jwks_uri])]
    return hashlib.sha256(json.dumps(known_by).encode()).digest()
