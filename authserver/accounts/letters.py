"""Letters: what people are told by mail about their accounts. Words that somebody chose stand in them on one line.

The words wait sealed, for there are links in them that open accounts.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..keys.sealing import Vault
from ..outbound.mail import Mail
from ..protocol.audit import Origin
from ..protocol.strangers import plain
from ..store.invitations import Invitation
from ..store.letters import Letter, blank
from ..store.users import User

DAY = 86_400
HOUR = 3600
LONGEST_NAME = 200
NOT_YOU = "If you did not ask for this, do nothing: without the link nothing happens."
PASSKEY_ADDED = "A passkey was added. It is enough alone, without your password."
APP_ADDED = "An authenticator app was added."
FACTOR_REMOVED = "A passkey or an authenticator app was removed."
CODES_REPLACED = "New recovery codes were made, and those until now open nothing any more."
PROVIDER_LINKED = "An account at an identity provider was linked. Whoever signs in there with it signs in here as you."
PROVIDER_UNLINKED = "An account at an identity provider was unlinked."
WAS_IT_YOU = "If that was not you, tell the administrator of this server at once."


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes letters of the server at ``issuer``. Without ``sends_mail`` there are none."""

    issuer: str
    vault: Vault
    sends_mail: bool

    def invitation(self, invitation: Invitation, secret: str, lifetime: int) -> Letter | None:
        """The link by which an account is made, good for *lifetime* seconds."""
        name = plain(invitation.username, LONGEST_NAME)
        lines = [
            f"You are invited to the authorization server {self.issuer}.",
            f"Your user name will be: {name}",
            "",
            f"Choose a password here, within {_duration(lifetime)}:",
            self.link("invitation", secret),
            "",
            "The link is for you alone, and works once. If you do not know this server, do nothing.",
        ]
        return self._written(invitation.email, "Your invitation", lines)

    def reset(self, letter: Letter, user: User, secret: str, lifetime: int) -> Letter:
        """*letter* with the link by which *user* chooses a new password, good for *lifetime* seconds."""
        lines = [
            f"Somebody, probably you, forgot the password of your account at {self.issuer}.",
            f"Your user name is: {plain(user.username, LONGEST_NAME)}",
            "",
            f"Choose a new password here, within {_duration(lifetime)}:",
            self.link("reset", secret),
            "",
            NOT_YOU,
        ]
        return self._with_words(letter, "A new password", lines)

    def confirm_email(self, user: User, email: str, secret: str, lifetime: int) -> Letter | None:
        """The link by which *user* shows that they read the mail to *email*, good for *lifetime* seconds."""
        lines = [
            f"{plain(user.username, LONGEST_NAME)} wants mail about an account at {self.issuer} to come here.",
            "",
            f"If that is you, confirm it here, within {_duration(lifetime)}, signed in to that account:",
            self.link("email/confirm", secret),
            "",
            NOT_YOU,
        ]
        return self._written(email, "Is this your address?", lines)

    def password_changed(self, user: User, origin: Origin) -> Letter | None:
        """That *user* has a new password."""
        lines = [
            f"The password of your account {plain(user.username, LONGEST_NAME)} at {self.issuer} was changed",
            f"from the address {origin.address or 'of this server itself'}.",
            "",
            "All other browsers are signed out. Apps that you connected stay connected; you can end them here:",
            f"{self.issuer.rstrip('/')}/account/connections",
            "",
            "Passkeys and identity providers open your account as before; whether all are yours, you see here:",
            f"{self.issuer.rstrip('/')}/account/security",
            "",
            WAS_IT_YOU,
        ]
        return self._to(user, "Your password was changed", lines)

    def way_in_changed(self, user: User, what: str, origin: Origin) -> Letter | None:
        """That what opens the account of *user* has changed: *what* is one of the sentences above."""
        lines = [
            f"What opens your account {plain(user.username, LONGEST_NAME)} at {self.issuer} has changed:",
            what,
            f"That was asked for from the address {origin.address}.",
            "",
            "All that opens it is listed here:",
            f"{self.issuer.rstrip('/')}/account/security",
            "",
            WAS_IT_YOU,
        ]
        return self._to(user, "What opens your account has changed", lines)

    def email_changed(self, user: User, origin: Origin) -> Letter | None:
        """That mail to *user* goes to another address from now on; for the one until now."""
        lines = [
            f"Mail about your account {plain(user.username, LONGEST_NAME)} at {self.issuer}",
            "goes to another address from now on, and no more to this one.",
            f"That was asked for from the address {origin.address}.",
            "",
            WAS_IT_YOU,
        ]
        return self._to(user, "Your mail address was changed", lines)

    def sign_in_copied(self, user: User, origin: Origin) -> Letter | None:
        """That somebody has a copy of what kept a browser of *user* signed in."""
        lines = [
            f"A browser stayed signed in to your account {plain(user.username, LONGEST_NAME)} at {self.issuer}.",
            f"What it keeps for that was used twice, the second time from the address {origin.address}:",
            "so somebody may have copied it. What it opened is signed out, there and here.",
            "",
            "Apps that were connected meanwhile are still. Sign in again, and look at what is connected, and where you",
            "are signed in:",
            f"{self.issuer.rstrip('/')}/account/connections",
            f"{self.issuer.rstrip('/')}/account/security",
            "",
            "If you did not put back or copy a browser's files yourself, tell the administrator of this server.",
        ]
        return self._to(user, "Somebody may have copied your sign-in", lines)

    def link(self, page: str, secret: str) -> str:
        """The address of a page about one's own account, opened by *secret*."""
        return f"{self.issuer.rstrip('/')}/account/{page}?secret={secret}"

    def mail(self, letter: Letter) -> Mail:
        """*letter*, which has words, to be sent. Raises `SealError`."""
        said = json.loads(self.vault.open(letter.sealed or b"", _context(letter)))
        return Mail(letter.receiver, said["subject"], said["text"], letter.id)

    def _to(self, user: User, subject: str, lines: Iterable[str]) -> Letter | None:
        proven = user.email if user.email_verified_at is not None else None
        return self._written(proven, subject, lines) if proven else None

    def _written(self, receiver: str, subject: str, lines: Iterable[str]) -> Letter | None:
        return self._with_words(blank(receiver), subject, lines) if self.sends_mail else None

    def _with_words(self, letter: Letter, subject: str, lines: Iterable[str]) -> Letter:
        said = json.dumps({"subject": f"{subject} ({self.issuer})", "text": "\n".join(lines) + "\n"})
        return replace(letter, sealed=self.vault.seal(said.encode(), _context(letter)))


def _context(letter: Letter) -> str:
    """What words are sealed for: one letter and receiver, so that nobody else can be sent them."""
    return f"letter {letter.id} to {letter.receiver}"


def _duration(seconds: int) -> str:
    for length, name in ((DAY, "day"), (HOUR, "hour"), (60, "minute")):
        if seconds >= length and not seconds % length:
            count = seconds // length
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{-(-seconds // 60)} minutes"
