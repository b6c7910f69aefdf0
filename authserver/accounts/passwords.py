"""Passwords: Argon2id, computed a few at a time, so that a flood of sign-ins leaves the CPU to others."""

import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ..observability.tally import Tally
from .errors import Busy

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
MOST_CHARACTERS = 1024
PATIENCE = 2.0  # seconds
WAITED = 0.005  # seconds from which on a turn was waited for
UNBOUNDED = 1_000_000


class PasswordTooLong(ValueError):
    """A password over 1,024 characters."""


class Passwords:
    """Hashes and verifies passwords with Argon2id (RFC 9106): 19 MiB, two passes, one lane."""

    def __init__(self, slots: int, patience: float = PATIENCE, room: int = UNBOUNDED) -> None:
        """At most *slots* hashes are computed at once; another waits up to *patience* seconds for its turn.

        There is *room* for so many, those who wait among them: one more is asked to come again at once, since who waits
        holds a thread that a token call may need.
        """
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._slots = BoundedSemaphore(slots)
        self._room = BoundedSemaphore(room)
        self._patience = patience
        self.outcomes = Tally()

    def hash(self, password: str) -> str:
        """What is stored of *password*. Raises `PasswordTooLong` and `Busy`."""
        if len(password) > MOST_CHARACTERS:
            raise PasswordTooLong(f"a password has at most {MOST_CHARACTERS} characters")
        with self._slot():
            return self._hasher.hash(_encode(password))

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether *password* is the one behind *stored*; at the same cost when there is none (AZ-12). Raises `Busy`."""
        with self._slot():
            if not stored or len(password) > MOST_CHARACTERS:
                self._hasher.hash(b"")
                return False
            try:
                return self._hasher.verify(stored, _encode(password))
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, stored: str) -> bool:
        """Whether *stored* was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            self.outcomes.add("no_room")
            raise Busy(self._patience)
        try:
            self._await_turn()
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._room.release()

    def _await_turn(self) -> None:
        began = time.monotonic()
        if not self._slots.acquire(timeout=self._patience):
            self.outcomes.add("in_vain")
            raise Busy(self._patience)
        self.outcomes.add("waited" if time.monotonic() - began >= WAITED else "at_once")


def _encode(password: str) -> bytes:
    # NFKC: the same password typed on another keyboard is the same bytes (NIST SP 800-63B §5.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
