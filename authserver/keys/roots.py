"""Root secrets: kept in the database under the key-encryption key (KEK), opened once by each process.

A process may know several KEKs: the one that wraps, and previous ones, that unwrap until all is wrapped anew. So the
KEK is replaced node by node while all of them serve (docs/keys.md).
"""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..protocol.audit import Event
from .ports import KeyStore
from .sealing import KEY_BYTES, OneRoot, SealError, Vault
from .wrapping import KeyEncryptionKey, LocalKey, key_encryption_key

FIRST = 1
AGAIN_SECONDS = 1.0  # after which one that could not be opened is tried again
NONE: tuple[int, tuple[bytes, ...]] = (-1, ())


@dataclass(frozen=True, slots=True)
class StoredRoot:
    """A root secret at rest: its ``number``, what it is ``wrapped`` to, and the name of the ``kek`` that did it."""

    number: int
    wrapped: bytes
    kek: str
    created_at: int


class RootStore(Protocol):
    """Root secrets in the database; every change is seen by all nodes within a second."""

    def all(self) -> tuple[StoredRoot, ...]:
        """All, oldest first."""

    def add(self, number: int, wrapped: bytes, kek: str, event: Event) -> bool:
        """Save a new one; False, with nothing done, if there is one of this number."""

    def rewrap(self, root: StoredRoot, wrapped: bytes, kek: str, event: Event) -> bool:
        """Keep *root* as *wrapped* by another *kek*; False, with nothing done, if it is not as it was any more."""


class RootSecrets:
    """The root secrets of one deployment; implements `keys.sealing.Roots`.

    The first one is made when it is first asked for. A deployment that is older than root secrets has its KEK for it:
    so all stays valid that was sealed and derived of that.
    """

    def __init__(
        self, store: RootStore, signing: KeyStore, keks: Sequence[KeyEncryptionKey], epoch: Callable[[], int]
    ) -> None:
        """The first of *keks* wraps; *epoch* gives a number that changes whenever root secrets do."""
        self._store = store
        self._signing = signing
        self._keks = keks
        self._epoch = epoch
        self._lock = threading.Lock()
        self._opened: dict[int, bytes] = {}
        self._loaded = NONE
        self._failed = (0.0, "")

    @property
    def are_open(self) -> bool:
        """Whether all that are known to this process could be opened."""
        return self._loaded is not NONE

    def __call__(self, *, again: bool = False) -> tuple[bytes, ...]:
        """All of them, oldest first. Raises `SealError` in words for the operator where one cannot be opened.

        One that is new is opened by whoever asks first, for which a token or a program may take long. Others have the
        ones before meanwhile, unless they ask *again*. If it cannot be opened, those serve nobody: they may be known.
        """
        epoch, loaded = self._epoch(), self._loaded
        if loaded[0] == epoch and not again:
            return loaded[1]
        self._refuse()
        if not self._lock.acquire(blocking=again or loaded is NONE):
            return loaded[1]
        try:
            if self._loaded[0] != epoch or again:
                self._refuse()
                self._load(epoch)
            return self._loaded[1]
        finally:
            self._lock.release()

    def _refuse(self) -> None:
        """Raise again what was raised a moment ago: it can take a token or a program long to fail."""
        until, why = self._failed
        if time.monotonic() < until:
            raise SealError(why)

    def _load(self, epoch: int) -> None:
        stored = self._store.all() or self._first()
        try:
            self._opened = {each.number: self._opened.get(each.number) or self._open(each) for each in stored}
        except SealError as why:
            self._loaded, self._failed = NONE, (time.monotonic() + AGAIN_SECONDS, str(why))
            raise
        self._loaded = (epoch, tuple(self._opened[each.number] for each in stored))

    def rewrap(self, event: Event) -> int:
        """Wrap each with the KEK of today, whatever it was wrapped with. Returns how many."""
        self(again=True)
        done = 0
        for each in self._store.all():
            kek, was = self._keks[0], each.kek
            told = event.about(detail={**event.detail, "root": each.number, "was": was, "kek": kek.name})
            secret = self._opened.get(each.number) or self._open(each)  # another may have been made in this moment
            done += self._store.rewrap(each, kek.wrap(secret), kek.name, told)
        return done

    def renew(self, event: Event) -> int:
        """Make another one, which seals and derives from now on. Returns its number."""
        number = self._store.all()[-1].number + 1 if self(again=True) else FIRST
        self._add(number, secrets.token_bytes(KEY_BYTES), event)
        return number

    @property
    def kek(self) -> str:
        """The name of the KEK that wraps."""
        return self._keks[0].name

    def _first(self) -> tuple[StoredRoot, ...]:
        secret = self._inherited() or secrets.token_bytes(KEY_BYTES)
        self._add(FIRST, secret, Event("root_secret.made", "system"))
        return self._store.all()

    def _add(self, number: int, secret: bytes, event: Event) -> None:
        kek = self._keks[0]
        told = event.about(detail={**event.detail, "root": number, "kek": kek.name})
        self._store.add(number, kek.wrap(secret), kek.name, told)

    def _inherited(self) -> bytes | None:
        """What the signing keys of a deployment are sealed under that has no root secret yet; None if it has no keys.

        Raises `SealError` if that is no KEK that is known here.
        """
        sealed = next(iter(self._signing.all()), None)
        if sealed is None:
            return None
        for kek in self._keks:
            if isinstance(kek, LocalKey) and Vault(OneRoot(kek.secret)).is_newest(sealed.sealed_private, sealed.kid):
                return kek.secret
        raise SealError(
            f"the signing keys were not sealed with the key-encryption key that is known here ({self._known()}): "
            "set AUTHSERVER_KEY_ENCRYPTION_KEY to the one that they were made with"
        )

    def _open(self, root: StoredRoot) -> bytes:
        named = [kek for kek in self._keks if kek.name == root.kek]
        failed = []
        for kek in named or self._keks:
            try:
                return kek.unwrap(root.wrapped)
            except SealError as why:
                failed.append(str(why))
        raise SealError(
            f"the root secret is wrapped with another key-encryption key, '{root.kek}'; known here: {self._known()} "
            f"({'; '.join(failed)}). Set AUTHSERVER_KEY_ENCRYPTION_KEY to it, or add it to previous_key_encryption_keys"
        )

    def _known(self) -> str:
        return ", ".join(f"'{kek.name}'" for kek in self._keks)


def key_encryption_keys(configured: str, previous: Sequence[str], home: Path) -> tuple[KeyEncryptionKey, ...]:
    """The KEK that settings name, then the *previous* ones. Raises `SealError`."""
    return (key_encryption_key(configured, home), *(key_encryption_key(each, home) for each in previous))
