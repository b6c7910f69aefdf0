"""What the measures need from a running server, ours or a peer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class BenchError(RuntimeError):
    """A run that cannot be trusted or cannot begin, in words for the one who started it."""


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code with all that its redemption needs."""

    code: str
    client_id: str
    redirect_uri: str
    verifier: str
    resource: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token, and the public client that has it."""

    token: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser of somebody: its ``cookie`` header."""

    cookie: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """A confidential client, by its secret."""

    client_id: str
    client_secret: str


class Contestant(Protocol):
    """A running server with the endpoints /register, /token, /introspect, /jwks and the RFC 8414 document."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    @property
    def origin(self) -> str:
        """Scheme, host and port on loopback."""

    @property
    def roots(self) -> Sequence[int]:
        """The process ids whose trees do all of its work: the server's, then the database's if it has one."""

    def codes(self, count: int, client_ids: Sequence[str], *, introspectable: bool = False) -> list[Code]:
        """Make *count* authorization codes of *client_ids* (public clients), as if people had just approved.

        Access tokens of *introspectable* ones are of a form that the server answers introspection about.
        """

    def introspector(self) -> Credentials:
        """A client that may introspect tokens of those codes."""

    def machine(self) -> Credentials:
        """A client that gets tokens for itself (``client_credentials``), with the secret in the form."""

    def refresh_tokens(self, count: int, client_ids: Sequence[str]) -> list[Refresh]:
        """Make *count* refresh tokens of *client_ids*, each of a family of its own."""

    def visitors(self, count: int, client_id: str) -> list[Visitor]:
        """So many people, each signed in, who have let *client_id* do what it asks for, for good."""


class ForFewMeasures:
    """A contestant that has no more than codes, of which tokens are made."""

    __slots__ = ()

    def introspector(self) -> Credentials:
        """See `Contestant`."""
        raise self._lacks("introspection")

    def machine(self) -> Credentials:
        """See `Contestant`."""
        raise self._lacks("tokens of a client's own")

    def refresh_tokens(self, count: int, client_ids: Sequence[str]) -> list[Refresh]:
        """See `Contestant`."""
        raise self._lacks(f"{count} refresh tokens of {len(client_ids)} clients")

    def visitors(self, count: int, client_id: str) -> list[Visitor]:
        """See `Contestant`."""
        raise self._lacks(f"{count} visitors for {client_id}")

    def _lacks(self, what: str) -> BenchError:
        return BenchError(f"{type(self).__name__} is not measured by {what}")
