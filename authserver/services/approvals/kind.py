"""What a kind of request is to the queue."""

from dataclasses import dataclass
from typing import Protocol

from ...protocol.audit import Event
from ...protocol.audit_seal import Recorded
from ...store.paging import Page


@dataclass(frozen=True, slots=True)
class Request:
    """Something that waits for a decision: who asks, for what, since when and until when (Unix seconds).

    ``name``, ``who``, ``what`` and what it ``shows`` in full are strangers' words. ``seen`` stands for all that whoever
    decides was shown. ``client_id`` is the client that it is about, ``by`` the id of the person who asks; None where
    nobody has to sign in to ask.
    """

    kind: str
    id: str
    client_id: str
    name: str
    who: str
    what: str
    shows: tuple[str, ...]
    since: int
    expires_at: int
    seen: str
    by: str | None = None

    def is_own(self, event: Event) -> bool:
        """Whether *event* is something that whoever asks does."""
        return self.by is not None and event.actor == f"user:{self.by}"


class Kind(Protocol):
    """A kind of request. Every verb is safe when others decide at the same time."""

    @property
    def name(self) -> str:
        """One word."""

    @property
    def words(self) -> str:
        """What such requests are, in the plural."""

    @property
    def none(self) -> str:
        """What is said where none waits."""

    @property
    def events(self) -> frozenset[str]:
        """The names of the events after which a request may wait."""

    def page(self, after: str | None, limit: int) -> Page[Request]:
        """What waits, newest first."""

    def count(self, most: int) -> int:
        """How many wait; counts to *most*."""

    def find(self, request_id: str) -> Request | None:
        """One that waits; None if it does not, or no longer."""

    def asked(self, recorded: Recorded) -> Request | None:
        """What waits because of an event; None if nothing does, or no longer."""

    def approve(self, request: Request, event: Event) -> bool:
        """Let it in; False, with nothing done, if it waits no longer, is not what was ``seen``, or is one's own."""

    def deny(self, request: Request, event: Event) -> bool:
        """Refuse it; False, with nothing done, if it waits no longer, or is one's own."""

    def expire(self, limit: int) -> int:
        """End at most *limit* of those whose time is over, as if they were denied; returns how many."""
