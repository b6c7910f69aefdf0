"""What the protocol needs from a store, in state verbs.

Each verb is atomic, owns its transaction, and writes its audit event in it; a refused request still persists
what it learnt (a replay seen revokes the family). Times come from the database's clock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from .access_token import Authority, ClientAuthority
from .audit import Event
from .authorization_code import CodeState, Redeemed, Redemption
from .client import Client
from .refresh_token import Rotation, TokenState
from .resource import Resource


class Clients(Protocol):
    """Clients, as the protocol needs them."""

    def find(self, client_id: str) -> Client | None:
        """The client of that id, suspended or not; None if there is none. May be a few seconds old."""


class ClientKeys(Protocol):
    """The public keys of clients that authenticate by ``private_key_jwt``."""

    def of(self, client: Client) -> Sequence[Mapping[str, Any]]:
        """The public JWKs of *client* as they are known here; never fetches."""

    def ask_again(self, client: Client) -> None:
        """A key was not found: have the set behind ``jwks_uri`` fetched soon, by another than this request.

        May raise `TemporarilyUnavailable` where the client does well to come again when that is done.
        """


class UsedAssertions(Protocol):
    """Assertions that were used."""

    def use(self, digest: bytes, expires_at: int) -> bool:
        """Note that an assertion is used, which ends at *expires_at* (Unix seconds); False if it was used before.

        Of any number of concurrent uses, in whatever processes, exactly one gets True.
        """


class Resources(Protocol):
    """Registered MCP servers."""

    def all(self) -> Iterable[Resource]:
        """All that are registered and not suspended, as they were at most a second ago."""

    def suspended(self) -> Collection[Resource]:
        """Those that are suspended, as they were at most a second ago."""

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


class AccessTokens(Protocol):
    """Access tokens; they are not saved."""

    def issue(self, authority: ClientAuthority, ceiling: tuple[str, ...], event: Event) -> int | None:
        """Note that a client gets a token for itself; returns the token's place on the status lists.

        None, with nothing noted, if it may not act alone any more, or *ceiling* is not all that it is allowed at
        the resource.
        """


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
