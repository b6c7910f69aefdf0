"""Signing in with a name and a password, and what failing costs (AZ-12)."""

import hashlib
import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..protocol.audit import Event, Origin
from ..protocol.errors import SlowDown
from ..store.audit import AuditStore
from ..store.throttles import ThrottleStore
from ..store.users import User, UserStore
from .errors import TooManyAttempts, WrongCredentials
from .passwords import Passwords

FREE_FAILURES_OF_ACCOUNT = 1
FREE_FAILURES_OF_ADDRESS = 20  # an office shares one address, and its people mistype too
LONGEST_DELAY = 15 * 60  # seconds
MOST_CHARACTERS = 200
IPV6_SITE_BITS = 64  # what one customer has to itself

Delay = Callable[[int], int]


class Ceiling(Protocol):
    """How many attempts an address may make at all."""

    def count(self, address: str) -> None:
        """Count one from *address*; raises `SlowDown` over the ceiling."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Judges sign-ins. ``delay`` is what the first delayed failure costs, in seconds; each further one doubles it."""

    users: UserStore
    throttles: ThrottleStore
    audit: AuditStore
    passwords: Passwords
    ceiling: Ceiling
    delay: float

    def attempt(self, username: str, password: str, origin: Origin) -> User:
        """The person that *username* and *password* belong to.

        Raises `WrongCredentials`, `TooManyAttempts` or `Busy`; a name that does not exist is treated as one that
        does, in text, status, delay and time. While delayed, not even the right password opens.
        """
        username = username.strip()
        account, address = f"account:{_digest(username)}", f"address:{_site(origin.address)}"
        self._admit((account, address), origin)
        user = self.users.by_name(username) if _is_plausible(username) else None
        right = self.passwords.verify(password, user.password_hash if user else None)
        if user is None or user.disabled or not right:
            self._fail(user, account, address, origin)
            raise WrongCredentials
        # The address keeps its failures, or an attacker would clear them by signing in to an account of his own.
        self.throttles.cleared((account,))
        self._rehash(user, password, origin)
        self.audit.write(_event("sign_in.succeeded", user, origin))
        return user

    def _admit(self, keys: tuple[str, str], origin: Origin) -> None:
        try:
            self.ceiling.count(origin.address)
        except SlowDown as full:
            raise TooManyAttempts(full.retry_after or 1) from None
        if wait := self.throttles.blocked_for(keys):
            raise TooManyAttempts(wait)

    def _fail(self, user: User | None, account: str, address: str, origin: Origin) -> None:
        self.throttles.failed((account,), self._growing(FREE_FAILURES_OF_ACCOUNT))
        self.throttles.failed((address,), self._growing(FREE_FAILURES_OF_ADDRESS))
        self.audit.write(_event("sign_in.failed", user, origin).about(outcome="refused"))

    def _growing(self, free: int) -> Delay:
        def delay(failures: int) -> int:
            steps = failures - free
            return 0 if steps < 1 else min(LONGEST_DELAY, math.ceil(self.delay * 2.0 ** min(steps - 1, 30)))

        return delay

    def _rehash(self, user: User, password: str, origin: Origin) -> None:
        if self.passwords.is_outdated(user.password_hash):
            self.users.set_password(user.id, self.passwords.hash(password), _event("password.rehashed", user, origin))


def _is_plausible(username: str) -> bool:
    return 0 < len(username) <= MOST_CHARACTERS and username.isprintable()


def _digest(username: str) -> str:
    # People type passwords into the wrong field; what is counted for years must not show them.
    return hashlib.sha256(username.casefold().encode("utf-8", "surrogatepass")).hexdigest()


def _site(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, IPV6_SITE_BITS), strict=False))


def _event(name: str, user: User | None, origin: Origin) -> Event:
    return Event(name, f"user:{user.id}" if user else "system", origin, user_id=user.id if user else None)
