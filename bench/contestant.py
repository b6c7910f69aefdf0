"""What the measures need from a running server, ours or the peer."""

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
class Credentials:
    """A confidential client that may introspect."""

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
