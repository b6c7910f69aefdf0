"""Access tokens: the claims of an RFC 9068 JWT, and what a token stands on (TK-1)."""

from dataclasses import dataclass
from typing import Any

from . import amr, credential

TYPE = "at+jwt"
ITSELF = "client"
"""In place of a family's id, in the tokens of a client for itself. No family's id is that short."""


OWN_CLIENT = "system:catalogue"
"""``client_id`` and ``sub`` of a token that this server makes for itself. No client's id has a colon and no slashes."""

ONLY_METHODS = "mcp_methods"
"""A claim of ours: the only methods of MCP that the token opens, a list (docs/decisions/0006)."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What a token stands on: a person's grant to a client, and the refresh family that it belongs to.

    ``scopes`` are those that both the family and the grant still hold; ``auth_time`` is in Unix seconds; ``position``
    is where its access tokens stand on the status lists, None for what began before there were any; ``tools`` is what
    the person decided about single tools (`tool_permission.read`), None for what began before that; ``redirect_host``
    is where the code was sent (`redirect_uri.host`); ``methods`` is how its person had signed in (`amr.Method`);
    ``ends_at`` is when the grant ends by itself (Unix seconds), None for one that lasts until it is revoked.
    """

    subject: str
    client_id: str
    grant_id: str
    family_id: str
    resource: str
    scopes: tuple[str, ...]
    auth_time: int
    position: int | None = None
    tools: str | None = None
    redirect_host: str | None = None
    methods: tuple[str, ...] = ()
    ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class ClientAuthority:
    """What the token of a client for itself stands on: the client, and what it is allowed at a resource (EX-1).

    ``position`` is where its tokens stand on the status lists, None for a token that is on none.
    """

    client_id: str
    resource: str
    scopes: tuple[str, ...]
    position: int | None = None

    @property
    def subject(self) -> str:
        """The client (RFC 9068 §2.2)."""
        return self.client_id

    @property
    def family_id(self) -> str:
        """No family: the client itself."""
        return ITSELF

    @property
    def auth_time(self) -> None:
        """Nobody signed in."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Nobody signed in."""
        return ()

    @property
    def tools(self) -> None:
        """Nobody decided about single tools: an administrator's word is what counts."""

    @property
    def redirect_host(self) -> None:
        """Nobody was sent anywhere."""

    @property
    def ends_at(self) -> None:
        """It lasts as long as an administrator lets it."""


@dataclass(frozen=True, slots=True)
class TokenId:
    """A ``jti``: the refresh family and a part of the token's own, so that one look-up tells whether it lives.

    A token that a client has for itself says `ITSELF` in place of a family.
    """

    family_id: str
    own: str

    def __str__(self) -> str:
        return f"{self.family_id}.{self.own}"

    @property
    def stands_on_client(self) -> bool:
        """Whether the token is the client's own, without a person."""
        return self.family_id == ITSELF

    @classmethod
    def new(cls, family_id: str) -> "TokenId":
        """A fresh one for a token of *family_id*."""
        return cls(family_id, credential.identifier())

    @classmethod
    def parse(cls, jti: str) -> "TokenId | None":
        """The parts of *jti*, or None if it is not one of ours."""
        family_id, dot, own = jti.partition(".")
        return cls(family_id, own) if dot and family_id and own else None


def claims(
    authority: Authority | ClientAuthority, *, issuer: str, scopes: tuple[str, ...], issued_at: int, lifetime: int
) -> dict[str, Any]:
    """The claims set of a new access token (RFC 9068 §2.2); *issued_at* in Unix seconds, *lifetime* in seconds."""
    signed_in: dict[str, Any] = {} if authority.auth_time is None else {"auth_time": authority.auth_time}
    return {
        "iss": issuer,
        "aud": authority.resource,
        "sub": authority.subject,
        "client_id": authority.client_id,
        "jti": str(TokenId.new(authority.family_id)),
        "iat": issued_at,
        "exp": issued_at + lifetime,
        **signed_in,
        **amr.claims(authority.methods),
        "scope": " ".join(scopes),
    }
