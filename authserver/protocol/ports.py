"""What the protocol needs from a store, in state verbs.

Each verb is atomic, owns its transaction, and writes its audit event in it; a refused request still persists
what it learnt (a replay seen revokes the family). Times come from the database's clock.
"""

from collections.abc import Iterable
from typing import Protocol

from .access_token import Authority
from .audit import Event
from .authorization_code import CodeState, Redeemed, Redemption
from .client import Client
from .refresh_token import Rotation, TokenState
from .resource import Resource


class Clients(Protocol):
    """Clients, as the protocol needs them."""

    def find(self, client_id: str) -> Client | None:
        """The client of that id, suspended or not; None if there is none. May be a few seconds old."""


class Resources(Protocol):
    """Registered MCP servers."""

    def all(self) -> Iterable[Resource]:
        """All that are registered and not suspended, as they were at most a second ago."""

    def refresh(self) -> None:
        """Have the next `all` see every change made until now."""


class Codes(Protocol):
    """Authorization codes."""

    def redeem(self, attempt: Redemption, event: Event) -> Redeemed | None:
        """Consume the code and create its refresh family, or return None.

        Of any number of concurrent attempts exactly one gets an authority, and only when client, redirect URI and
        challenge are right, and grant and person alive. A wrong redirect URI or challenge from the code's own client
        ends the code; a wrong client or resource does not touch it.
        """

    def state(self, digest: bytes) -> CodeState | None:
        """The code as it stands now, in a fresh snapshot."""


class RefreshTokens(Protocol):
    """Refresh tokens in their families."""

    def rotate(self, attempt: Rotation, event: Event) -> Authority | None:
        """Replace the presented token by its successor and return what it stands on, or None.

        Only the first of concurrent attempts hits; only a live token of a live family, grant, person and client, for
        the asked resource. Using a token erases the sealed copy of it that its predecessor kept.
        """

    def state(self, digest: bytes) -> TokenState | None:
        """The token as it stands now, in a fresh snapshot."""

    def revoke_family(self, family_id: str, event: Event) -> bool:
        """End a family: its refresh tokens, and its access tokens for introspection. False if it had ended already."""
