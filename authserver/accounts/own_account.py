"""What people change about their own accounts: a forgotten password, the password, the mail address.

Whether an address belongs to somebody is looked up by the post alone (`post.Post`), never in the request that names it.
"""

import hashlib
from dataclasses import dataclass, replace

from ..protocol import credential, mail_address
from ..protocol.audit import Event, Origin
from ..protocol.credential import Prefix
from ..protocol.errors import SlowDown
from ..store.account_links import AccountLink, AccountLinkStore, Purpose
from ..store.letters import Letter, LetterStore, blank
from ..store.throttles import Delay, MustWait, ThrottleStore
from ..store.user import User
from .errors import TooManyAttempts
from .letters import Letters
from .password_rules import PasswordRules
from .passwords import Passwords
from .sign_in import SignIn

FREE_MAILS_OF_ADDRESS = 5  # that one address on the network asks for
FIRST_DELAY = 60  # seconds between two mails to the same receiver; doubled with each
LONGEST_DELAY = 3600


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """Changes of accounts by their own people. Links are good for ``lifetime`` seconds."""

    links: AccountLinkStore
    waiting: LetterStore
    letters: Letters
    throttles: ThrottleStore
    sign_in: SignIn
    rules: PasswordRules
    lifetime: int

    @property
    def passwords(self) -> Passwords:
        """What hashes."""
        return self.sign_in.passwords

    def forgot(self, email: str, origin: Origin, language: str | None = None) -> None:
        """Have a link mailed to *email*, if it belongs to somebody: which nobody knows when this returns (AZ-12).

        In *language*, that of the page, if its person has never signed in.

        To the same receiver only once a minute at first, and ever more seldom. Raises `NoMailAddress`, and
        `TooManyAttempts` for too many of them from one place.
        """
        email = mail_address.kept(email)
        try:
            self.sign_in.ceiling.count(origin)
            self.throttles.admit({f"mail-from:{origin.site}": _growing(FREE_MAILS_OF_ADDRESS)})
        except SlowDown as full:
            raise TooManyAttempts(full.retry_after or 1) from None
        except MustWait as delayed:
            raise TooManyAttempts(delayed.seconds) from None
        try:
            self.throttles.admit({f"mail-to:{hashlib.sha256(email.encode()).hexdigest()}": _growing(0)})
        except MustWait:
            return  # one is on its way, or just came
        self.waiting.add(blank(email, language), Event("password.forgotten", "system", origin))

    def written(self, letter: Letter, user: User) -> Letter:
        """*letter*, which `forgot` had sent, with a link for *user*."""
        secret = credential.mint(Prefix.LINK)
        written = self.letters.reset(letter, user, secret, self.lifetime)
        event = Event("user.password_reset_mailed", "system")
        self.links.promise(credential.digest(secret), Purpose.RESET, user.id, written, self.lifetime, event)
        return written

    def link_to_reset(self, user: User, event: Event) -> str:
        """A link by which *user* chooses a new password, to be handed on by whoever knows them."""
        secret = credential.mint(Prefix.LINK)
        self.links.promise(credential.digest(secret), Purpose.RESET, user.id, None, self.lifetime, event)
        return self.letters.link("reset", secret)

    def find(self, secret: str, purpose: Purpose) -> AccountLink | None:
        """The link of *secret*, if it works."""
        return self.links.find(credential.digest(secret), purpose)

    def reset(self, secret: str, password: str, origin: Origin) -> bool:
        """Give whoever has *secret* a new password; False if it does not work any more.

        All sessions end, delays of failed sign-ins too. Raises `PasswordRefused` and `Busy`.
        """
        found = self.find(secret, Purpose.RESET)
        if found is None:
            return False
        user, event = found.user, Event("user.password_reset", f"user:{found.user.id}", origin)
        hashed = self._hashed(user, password)
        letter = self.letters.password_changed(user, origin)
        if not self.links.reset_password(credential.digest(secret), hashed, letter, event):
            return False
        self.sign_in.forgive(user.username, origin)
        return True

    def change_password(self, user: User, password: str, origin: Origin) -> User | None:
        """Give *user*, who has just shown the one until now, a new password; None if they have another by now.

        All sessions end. Returns *user* with it. Raises `PasswordRefused` and `Busy`.
        """
        event = Event("user.password_changed", f"user:{user.id}", origin)
        hashed = self._hashed(user, password)
        letter = self.letters.password_changed(user, origin)
        changed = self.links.change_password(user.id, user.password_hash, hashed, letter, event)
        return replace(user, password_hash=hashed) if changed else None

    def change_email(self, user: User, email: str, origin: Origin) -> None:
        """Mail a link to *email*, by which *user* makes it theirs. Raises `NoMailAddress` and `TooManyAttempts`.

        Nobody is told whether it is somebody else's.
        """
        secret, email = credential.mint(Prefix.LINK), mail_address.kept(email)
        try:
            self.throttles.admit({f"mail-from:{user.id}": _growing(FREE_MAILS_OF_ADDRESS)})
        except MustWait as delayed:
            raise TooManyAttempts(delayed.seconds) from None
        letter = self.letters.confirm_email(user, email, secret, self.lifetime)
        if letter is not None:
            event = Event("user.email_confirmation_mailed", f"user:{user.id}", origin)
            self.links.promise(credential.digest(secret), Purpose.EMAIL, user.id, letter, self.lifetime, event)

    def confirm_email(self, secret: str, user: User, origin: Origin) -> bool:
        """Make the address that *secret* was mailed to that of *user*; False if it is no link of theirs that works.

        Raises `EmailTaken`.
        """
        found = self.find(secret, Purpose.EMAIL)
        if found is None:
            return False
        event = Event("user.email_changed", f"user:{user.id}", origin)
        letter = self.letters.email_changed(user, origin) if found.email != user.email else None
        return self.links.confirm_email(credential.digest(secret), user, letter, event)

    def _hashed(self, user: User, password: str) -> str:
        self.rules.check(password, user.username, user.display_name, user.email or "")
        return self.passwords.hash(password)


def _growing(free: int) -> Delay:
    def delay(count: int) -> int:
        return 0 if count <= free else min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(count - free - 1, 10))

    return delay
