"""Signing in with a name and a password, and what failing costs (AZ-12)."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..observability.tally import Tally
from ..protocol.audit import Event, Origin
from ..protocol.errors import SlowDown
from ..store.audit import AuditStore
from ..store.known_browsers import KnownBrowserStore
from ..store.throttles import Delay, MustWait, ThrottleStore
from ..store.user import User
from ..store.users import UserStore
from .delays import growing
from .errors import Busy, TooManyAttempts, WrongCredentials
from .passwords import Passwords

FREE_FAILURES = 1  # of one account from one address
FREE_FAILURES_OF_ACCOUNT = 20  # from all addresses together
FREE_FAILURES_OF_ADDRESS = 20  # an office shares one address, and its people mistype too
LONGEST_DELAY = 15 * 60  # seconds
LONGEST_DELAY_OF_ACCOUNT = 60  # a stranger elsewhere must not lock a person out for long
MOST_CHARACTERS = 200


class Ceiling(Protocol):
    """How many attempts an address may make at all."""

    def count(self, origin: Origin) -> None:
        """Count one from the site of *origin*; raises `SlowDown` over the ceiling."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Judges sign-ins. ``delay`` is what the first delayed failure costs, in seconds; each further one doubles it."""

    users: UserStore
    known: KnownBrowserStore
    throttles: ThrottleStore
    audit: AuditStore
    passwords: Passwords
    ceiling: Ceiling
    delay: float
    outcomes: Tally = field(default_factory=Tally)

    def attempt(self, username: str, password: str, origin: Origin, browser: str | None = None) -> User:
        """The person that *username* and *password* belong to.

        Raises `WrongCredentials`, `TooManyAttempts` or `Busy`; a name that does not exist is treated as one that
        does, in text, status, delay and time. While delayed, not even the right password opens. *browser* is a secret
        that the browser keeps: one from which that person has signed in before has failures of its own alone.
        """
        username = username.strip()
        delays = self._delays(_digest(username), origin.site, browser)
        self._admit(delays, origin)
        user = self.users.by_name(username) if _is_plausible(username) else None
        right = self._verify(password, user, delays)
        found = None if user is None or user.disabled or not right else self._rehashed(user, password, origin)
        if found is None:
            self.audit.write(_event("sign_in.failed", user, origin).about(outcome="refused"))
            self.outcomes.add("refused")
            raise WrongCredentials
        pair, *shared = delays
        self.throttles.cleared((pair,))
        # The others keep earlier failures, or an attacker would clear them by signing in to an account of his own.
        if shared:
            self.throttles.taken_back(shared)
        self.audit.write(_event("sign_in.succeeded", found, origin))
        self.outcomes.add("succeeded")
        return found

    def locked_for(self, username: str) -> int:
        """The seconds for which only browsers that it knows can sign in to that account by its password; 0: all can."""
        return self.throttles.left(f"account:{_digest(username)}")

    def know(self, user: User, browser: str) -> None:
        """Know *browser*, by the secret that it keeps, as one from which *user* has signed in."""
        self.known.know(_together(_digest(user.username), browser))

    def forgive(self, username: str, origin: Origin) -> None:
        """Forget the failures of that account, here and from all addresses together: its person has shown up."""
        here, everywhere, _ = self._delays(_digest(username), origin.site)
        self.throttles.cleared((here, everywhere))

    def _delays(self, account: str, site: str, browser: str | None = None) -> dict[str, Delay]:
        """What to count, the account from this site first, and what it will cost."""
        both = _together(account, browser or "")
        if self.known.knows(both):
            return {f"browser:{both.hex()}": growing(self.delay, FREE_FAILURES, LONGEST_DELAY)}
        return {
            f"account:{account}@{site}": growing(self.delay, FREE_FAILURES, LONGEST_DELAY),
            f"account:{account}": growing(self.delay, FREE_FAILURES_OF_ACCOUNT, LONGEST_DELAY_OF_ACCOUNT),
            f"address:{site}": growing(self.delay, FREE_FAILURES_OF_ADDRESS, LONGEST_DELAY),
        }

    def _admit(self, delays: dict[str, Delay], origin: Origin) -> None:
        try:
            self.ceiling.count(origin)
            self.throttles.admit(delays)
        except SlowDown as full:
            self.outcomes.add("over_the_ceiling")
            raise TooManyAttempts(full.retry_after or 1) from None
        except MustWait as delayed:
            self.outcomes.add("delayed")
            raise TooManyAttempts(delayed.seconds) from None

    def _verify(self, password: str, user: User | None, delays: dict[str, Delay]) -> bool:
        try:
            return self.passwords.verify(password, user.password_hash if user else None)
        except Busy:
            self.throttles.taken_back(delays)  # it was not judged
            self.outcomes.add("busy")
            raise

    def _rehashed(self, user: User, password: str, origin: Origin) -> User | None:
        """*user* with a hash of today's parameters; None if *password* is theirs no more."""
        if not self.passwords.is_outdated(user.password_hash):
            return user
        try:
            new = self.passwords.hash(password)
            if self.users.rehash(user.id, user.password_hash, new, _event("password.rehashed", user, origin)):
                return replace(user, password_hash=new)
            # Their other tab was quicker, or they have another password.
            held = self.users.find(user.id)
            return held if held and self.passwords.verify(password, held.password_hash) else None
        except Busy:
            return user


def _is_plausible(username: str) -> bool:
    return 0 < len(username) <= MOST_CHARACTERS and username.isprintable()


def _digest(username: str) -> str:
    # People type passwords into the wrong field; what is counted for years must not show them.
    return hashlib.sha256(username.casefold().encode("utf-8", "surrogatepass")).hexdigest()


def _together(account: str, browser: str) -> bytes:
    return hashlib.sha256(f"{account} {browser}".encode()).digest()


def _event(name: str, user: User | None, origin: Origin) -> Event:
    return Event(name, f"user:{user.id}" if user else "system", origin, user_id=user.id if user else None)
