"""What every kind of provider can do: be asked, and say who somebody is."""

from dataclasses import dataclass
from typing import Any, Protocol

from ...protocol.upstream.attempt import Answer, Attempt
from ...protocol.upstream.identity import Identity
from ...settings.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Asked:
    """How somebody is to be asked there. ``hint`` is an e-mail address that they gave.

    ``anew``: whoever is signed in there already proves again who they are. ``languages`` as in `ui_locales`.
    """

    redirect_uri: str
    hint: str = ""
    anew: bool = False
    languages: str = ""


@dataclass(frozen=True, slots=True)
class Proven:
    """Who somebody is, and all that the provider says of them; ``age``: for how many seconds it has known."""

    identity: Identity
    claims: dict[str, Any]
    age: int = 0


class Way(Protocol):
    """The protocol of a kind of provider. Raises `UpstreamError`."""

    def address(self, upstream: Upstream, attempt: Attempt, asked: Asked) -> str:
        """The URL to send a browser to."""

    def check_response(self, upstream: Upstream, answer: Answer) -> None:
        """That *answer* is from this provider (RFC 9207), before anything of it is used."""

    def proven(
        self, upstream: Upstream, attempt: Attempt, answer: Answer, redirect_uri: str, since: int | None
    ) -> Proven:
        """Who the person is that *answer* tells of; ``since``: they proved it no earlier (Unix seconds)."""

    def leave(self, upstream: Upstream, onwards: str) -> str | None:
        """The URL that signs out there and leads to *onwards*, if there is one; never fetches for long."""
