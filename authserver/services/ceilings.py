"""Ceilings on what strangers and clients may do; and the room that the database has for strangers."""

import hashlib
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..protocol import redirect_uri
from ..protocol.audit import Origin
from ..protocol.errors import SlowDown
from ..store.ceilings import Ceiling

COUNT_SECONDS = 10  # how long a count of what is in the database is believed
FULL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class AddressLimit:
    """A ceiling on what comes from one address."""

    ceiling: Ceiling

    def count(self, origin: Origin, subject: str = "") -> None:
        """Count one from the site of *origin*, of *subject* alone if given; raises `SlowDown` over the ceiling."""
        refuse(self.ceiling.take(f"{origin.site} {subject}"), "address")


@dataclass(frozen=True, slots=True)
class ClientLimit:
    """A ceiling on what comes from one client that has proven itself."""

    ceiling: Ceiling

    def count(self, client_id: str) -> None:
        """Count one; raises `SlowDown` over the ceiling."""
        refuse(self.ceiling.take(client_id), "client")


def refuse(seconds: float, whose: str) -> None:
    """Raise `SlowDown` if there are *seconds* to wait: *whose* requests were too many."""
    if seconds > 0:
        raise SlowDown(f"too many requests from this {whose}", retry_after=math.ceil(seconds))


@dataclass(slots=True)
class Room:
    """How many more unused registrations the database takes: *most* in all, by a count of them up to a number.

    The count is believed for some seconds, and what this process adds meanwhile is counted along; so the bound is
    exceeded by no more than what other processes add in that time.
    """

    count: Callable[[int], int]
    most: int
    _known: int = 0
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> None:
        """Take the place of one. Raises `SlowDown` when there is none."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._known = self.count(self.most)
                self._until = time.monotonic() + COUNT_SECONDS
            if self._known >= self.most:
                raise SlowDown("too many clients wait for their first use; try again later", retry_after=FULL_SECONDS)
            self._known += 1


@dataclass(frozen=True, slots=True)
class RegistrationCeilings:
    """What one address may register (CR-2), and all together.

    A hosted client registers afresh for each of its users' connections, from addresses that it shares with other
    customers of its cloud: so the tight ceiling counts an address and the redirect hosts together, and is generous
    where all of these are https hosts. ``flood`` counts all of an address, as hosts are a stranger's free choice.
    """

    on_device: AddressLimit
    hosted: AddressLimit
    flood: AddressLimit
    room: Room

    def admit(self, redirect_uris: Iterable[str], origin: Origin) -> None:
        """Count a registration. Raises `SlowDown` with the seconds after which there may be one again."""
        self.flood.count(origin)
        uris = tuple(redirect_uris)
        hosts = "\n".join(sorted({redirect_uri.host(uri) for uri in uris}))
        hosted = all(urlsplit(uri).scheme == "https" for uri in uris)
        (self.hosted if hosted else self.on_device).count(origin, hashlib.sha256(hosts.encode()).hexdigest())
        self.room.take()

    def change(self, origin: Origin) -> None:
        """Count a change of a registration. Raises `SlowDown`."""
        self.flood.count(origin)
