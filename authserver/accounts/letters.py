"""Letters: what people are told by mail about their accounts. Words that somebody chose stand in them on one line.

Each is in the language that its person last signed in in. The words wait sealed, for there are links in them that open
accounts.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..keys.sealing import Vault
from ..outbound.mail import Mail
from ..protocol.audit import Origin
from ..protocol.msg import Filled, msg
from ..protocol.strangers import plain
from ..store.invitations import Invitation
from ..store.letters import Letter, blank
from ..store.user import User
from .catalogues import put

DAY = 86_400
HOUR = 3600
LONGEST_NAME = 200
LENGTHS = (
    (DAY, msg("within 1 day"), msg("within {} days")),
    (HOUR, msg("within 1 hour"), msg("within {} hours")),
    (60, msg("within 1 minute"), msg("within {} minutes")),
)
NOT_YOU = msg("If you did not ask for this, do nothing: without the link nothing happens.")
PASSKEY_ADDED = msg("A passkey was added. It is enough alone, without your password.")
APP_ADDED = msg("An authenticator app was added.")
FACTOR_REMOVED = msg("A passkey or an authenticator app was removed.")
CODES_REPLACED = msg("New recovery codes were made, and those until now open nothing any more.")
CODE_USED = msg("A recovery code was used to sign in. It opens nothing any more.")
PROVIDER_LINKED = msg(
    "An account at an identity provider was linked. Whoever signs in there with it signs in here as you."
)
PROVIDER_UNLINKED = msg("An account at an identity provider was unlinked.")
FACTORS_TAKEN = msg("All your passkeys, authenticator apps and recovery codes were removed.")
SESSIONS_ENDED = msg("You were signed out everywhere, and no browser stays signed in.")
WAS_IT_YOU = msg("If that was not you, tell the administrator of this server at once.")
ASKED_FROM = msg("That was asked for from the address {}.")


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes letters of the server at ``issuer``. Without ``sends_mail`` there are none."""

    issuer: str
    vault: Vault
    sends_mail: bool

    def invitation(self, invitation: Invitation, secret: str, lifetime: int, language: str | None) -> Letter | None:
        """The link by which an account is made, good for *lifetime* seconds, in the *language* that was chosen."""
        lines = [
            Filled(msg("You are invited to the authorization server {}."), self.issuer),
            Filled(msg("Your user name will be: {}"), plain(invitation.username, LONGEST_NAME)),
            "",
            Filled(msg("Choose a password here, {}:"), within(lifetime)),
            self.link("invitation", secret),
            "",
            msg("The link is for you alone, and works once. If you do not know this server, do nothing."),
        ]
        return self._written(invitation.email, msg("Your invitation"), lines, language)

    def reset(self, letter: Letter, user: User, secret: str, lifetime: int) -> Letter:
        """*letter* with the link by which *user* chooses a new password, good for *lifetime* seconds."""
        lines = [
            Filled(msg("Somebody, probably you, forgot the password of your account at {}."), self.issuer),
            Filled(msg("Your user name is: {}"), plain(user.username, LONGEST_NAME)),
            "",
            Filled(msg("Choose a new password here, {}:"), within(lifetime)),
            self.link("reset", secret),
            "",
            NOT_YOU,
        ]
        return self._with_words(letter, msg("A new password"), lines, user.language or letter.language)

    def confirm_email(self, user: User, email: str, secret: str, lifetime: int) -> Letter | None:
        """The link by which *user* shows that they read the mail to *email*, good for *lifetime* seconds."""
        lines = [
            self._of(user, msg("{} wants mail about an account at {} to come here.")),
            "",
            Filled(msg("If that is you, confirm it here, {}, signed in to that account:"), within(lifetime)),
            self.link("email/confirm", secret),
            "",
            NOT_YOU,
        ]
        return self._written(email, msg("Is this your address?"), lines, user.language)

    def password_changed(self, user: User, origin: Origin) -> Letter | None:
        """That *user* has a new password."""
        lines = [
            self._of(user, msg("The password of your account {} at {} was changed.")),
            Filled(ASKED_FROM, origin.address) if origin.address else msg("That was done on this server itself."),
            "",
            msg("All other browsers are signed out. Apps that you connected stay connected; you can end them here:"),
            self._page("connections"),
            "",
            msg("Passkeys and identity providers open your account as before; whether all are yours, you see here:"),
            self._page("security"),
            "",
            WAS_IT_YOU,
        ]
        return self._to(user, msg("Your password was changed"), lines)

    def way_in_changed(self, user: User, what: str, origin: Origin) -> Letter | None:
        """That what opens the account of *user* has changed: *what* is one of the sentences above."""
        lines = [
            self._of(user, msg("What opens your account {} at {} has changed:")),
            what,
            Filled(ASKED_FROM, origin.address),
            "",
            msg("All that opens it is listed here:"),
            self._page("security"),
            "",
            WAS_IT_YOU,
        ]
        return self._to(user, msg("What opens your account has changed"), lines)

    def by_administrator(self, user: User, what: str) -> Letter | None:
        """That an administrator did something to the account of *user*: *what* is one of the sentences above."""
        lines = [
            self._of(user, msg("An administrator did something to your account {} at {}:")),
            what,
            "",
            msg("What opens your account, and where you are signed in, is listed here:"),
            self._page("security"),
            "",
            msg("If you did not expect this, ask the administrator of this server."),
        ]
        return self._to(user, msg("An administrator changed your account"), lines)

    def email_changed(self, user: User, origin: Origin) -> Letter | None:
        """That mail to *user* goes to another address from now on; for the one until now."""
        lines = [
            self._of(
                user,
                msg("Mail about your account {} at {} goes to another address from now on, and no more to this one."),
            ),
            Filled(ASKED_FROM, origin.address),
            "",
            WAS_IT_YOU,
        ]
        return self._to(user, msg("Your mail address was changed"), lines)

    def sign_in_copied(self, user: User, origin: Origin) -> Letter | None:
        """That somebody has a copy of what kept a browser of *user* signed in."""
        lines = [
            self._of(user, msg("A browser stayed signed in to your account {} at {}.")),
            Filled(msg("What it keeps for that was used twice, the second time from the address {}:"), origin.address),
            msg("so somebody may have copied it. What it opened is signed out, there and here."),
            "",
            msg(
                "Apps that were connected meanwhile are still. Sign in again, and look at what is connected, and "
                "where you are signed in:"
            ),
            self._page("connections"),
            self._page("security"),
            "",
            msg("If you did not put back or copy a browser's files yourself, tell the administrator of this server."),
        ]
        return self._to(user, msg("Somebody may have copied your sign-in"), lines)

    def link(self, page: str, secret: str) -> str:
        """The address of a page about one's own account, opened by *secret*."""
        return f"{self._page(page)}?secret={secret}"

    def mail(self, letter: Letter) -> Mail:
        """*letter*, which has words, to be sent. Raises `SealError`."""
        said = json.loads(self.vault.open(letter.sealed or b"", _context(letter)))
        return Mail(letter.receiver, said["subject"], said["text"], letter.id)

    def _page(self, name: str) -> str:
        return f"{self.issuer.rstrip('/')}/account/{name}"

    def _of(self, user: User, text: str) -> Filled:
        """*text* about the account of *user* here."""
        return Filled(text, plain(user.username, LONGEST_NAME), self.issuer)

    def _to(self, user: User, subject: str, lines: Iterable[str]) -> Letter | None:
        proven = user.email if user.email_verified_at is not None else None
        return self._written(proven, subject, lines, user.language) if proven else None

    def _written(self, receiver: str, subject: str, lines: Iterable[str], language: str | None) -> Letter | None:
        return self._with_words(blank(receiver), subject, lines, language) if self.sends_mail else None

    def _with_words(self, letter: Letter, subject: str, lines: Iterable[str], language: str | None) -> Letter:
        text = "".join(f"{put(line, language)}\n" for line in lines)
        said = json.dumps({"subject": f"{put(subject, language)} ({self.issuer})", "text": text})
        return replace(letter, sealed=self.vault.seal(said.encode(), _context(letter)))


def within(seconds: int) -> Filled:
    """In what time something is to be done, in the largest unit of which it is a whole number, or in minutes."""
    for length, one, many in LENGTHS:
        if seconds >= length and not seconds % length:
            count = seconds // length
            return Filled(one if count == 1 else many, count)
    return Filled(LENGTHS[-1][2], -(-seconds // 60))


def _context(letter: Letter) -> str:
    """What words are sealed for: one letter and receiver, so that nobody else can be sent them."""
    return f"letter {letter.id} to {letter.receiver}"
