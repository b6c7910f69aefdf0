"""The grants of the token endpoint, one file each.

A grant parses its own parameters and acts on the store through a port; all that grants share (who the client is,
which resource, signing, answering) is done by the endpoint, in ``services.token``, so no grant can forget it.
"""

from dataclasses import dataclass
from typing import Protocol

from ..access_token import Authority, ClientAuthority
from ..audit import Event
from ..client import Client
from ..form import Form


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request whose client is authenticated. ``resource`` is the registered identifier, None if not said."""

    client: Client
    form: Form
    resource: str | None
    scopes: tuple[str, ...]
    event: Event


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a grant gives: the authority for an access token, and perhaps a refresh token."""

    authority: Authority | ClientAuthority
    refresh_token: str | None


class Grant(Protocol):
    """One ``grant_type``."""

    @property
    def grant_type(self) -> str:
        """Its name on the wire."""

    def meant(self, request: TokenRequest) -> str | None:
        """The MCP server that a request is about which names none, without anything being used up; None: unknown."""

    def act(self, request: TokenRequest) -> Outcome:
        """Carry the request out. Raises an `OAuthError` when it is refused."""
