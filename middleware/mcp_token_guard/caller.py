"""Who is calling: what a verified token says, for the tools behind the guard."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from .limits import UNLIMITED, Limits

CALLER: ContextVar["Caller"] = ContextVar("mcp_token_guard.caller")


@dataclass(frozen=True, slots=True)
class Caller:
    """The person or agent behind a request, and the client that acts for them (RFC 9068 §2.2).

    ``scopes`` are the token's with all that they imply; ``limits`` are what its tools may be called with;
    ``expires_at`` is in Unix seconds; ``resource`` is this server, as the token names it; ``claims`` is the token's
    whole payload, read-only; ``permission`` is the one under which this very call, and no other, was let through, where
    it needed one for itself. The token itself is not here: it is for this server alone and must not travel on.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    expires_at: int
    resource: str
    claims: Mapping[str, Any]
    limits: Limits = UNLIMITED
    permission: str | None = None

    @property
    def issuer(self) -> str:
        """The authorization server that vouches; ``subject`` means something only together with it."""
        return str(self.claims["iss"])

    @property
    def identity(self) -> tuple[str, str, str]:
        """Issuer, subject and client: what state that a server keeps for its caller is to be kept under."""
        return self.issuer, self.subject, self.client_id

    def may(self, *scopes: str) -> bool:
        """Whether the token opens all of *scopes*."""
        return self.scopes.issuperset(scopes)


def current_caller() -> Caller:
    """The caller of the request that is being served.

    Raises `LookupError` outside a guarded request (a public path, a background task).
    """
    return CALLER.get()
