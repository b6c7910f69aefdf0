"""What the keyring needs from a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from ..protocol.audit import Event


class Purpose(StrEnum):
    """What a key signs, and nothing else: a status list must not be forged with a key for tokens, nor the reverse."""

    TOKENS = "tokens"
    STATUS = "status"
    AUDIT = "audit"


class StoredKey(Protocol):
    """A key pair at rest. Times are Unix seconds; None means not decided yet.

    It signs from ``signs_from`` to ``signs_until`` and is published until ``published_until``. One without
    ``signs_from`` is a standby: published, so that every cache knows it before it signs.
    """

    @property
    def kid(self) -> str:
        """Its name: the RFC 7638 thumbprint."""

    @property
    def alg(self) -> str:
        """Its algorithm."""

    @property
    def purpose(self) -> str:
        """What it signs (`Purpose`)."""

    @property
    def public_jwk(self) -> dict[str, Any]:
        """Its public half, as published."""

    @property
    def sealed_private(self) -> bytes:
        """Its private half, encrypted."""

    @property
    def created_at(self) -> int:
        """When it was made and first published."""

    @property
    def signs_from(self) -> int | None:
        """When it begins to sign."""

    @property
    def signs_until(self) -> int | None:
        """When it stops signing."""

    @property
    def published_until(self) -> int | None:
        """When it leaves the JWKS."""

    @property
    def withdrawn_at(self) -> int | None:
        """When it was withdrawn before its time, by the database's clock."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key pair to keep, as `StoredKey` has it; without ``signs_from`` a standby."""

    kid: str
    alg: str
    purpose: Purpose
    public_jwk: dict[str, Any]
    sealed_private: bytes
    signs_from: int | None


class KeyStore(Protocol):
    """Key pairs in the database; every change is seen by all nodes within a second."""

    def clock(self) -> int:
        """The time by which keys are scheduled, the same for all nodes (Unix seconds)."""

    def all(self) -> "tuple[StoredKey, ...]":
        """All key pairs, oldest first."""

    def add(self, new: NewKey, event: Event) -> None:
        """Save a key pair, published from now on."""

    def fill(self, new: NewKey, event: Event) -> bool:
        """The same where none for the same signs already, or is a standby as *new* would be; else False."""

    def rotate(self, *, retired: str | None, promoted: str, at: int, published_until: int, event: Event) -> bool:
        """In one transaction: *promoted* signs from *at*, *retired* no longer; it is published a while more.

        False, with nothing done, if *promoted* is no standby any more, or *retired* signs no more.
        """

    def reseal(self, kid: str, was: bytes, sealed: bytes) -> bool:
        """Keep a private half that is *was* as *sealed*; False if it is *was* no more."""

    def withdraw(self, kids: Sequence[str], event: Event, *, promoted: str | None = None, at: int = 0) -> int:
        """End the key pairs of *kids*: none signs and none is published any more. Returns how many that ended.

        With *promoted* in one transaction another signs, from *at*; 0, with nothing done, if it cannot any more.
        """
