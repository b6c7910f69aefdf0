"""Letters: what people are told by mail about their accounts. Words that somebody chose stand in them on one line.

The words wait sealed, for there are links in them that open accounts.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..keys.sealing import Vault
from ..outbound.mail import Mail
from ..protocol.strangers import plain
from ..store.invitations import Invitation
from ..store.letters import Letter, blank

DAY = 86_400
HOUR = 3600
LONGEST_NAME = 200
NOT_YOU = "If you did not ask for this, do nothing: without the link nothing happens."
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

    def link(self, page: str, secret: str) -> str:
        """The address of a page about one's own account, opened by *secret*."""
        return f"{self.issuer.rstrip('/')}/account/{page}?secret={secret}"

    def mail(self, letter: Letter) -> Mail:
        """*letter*, which has words, to be sent. Raises `SealError`."""
        said = json.loads(self.vault.open(letter.sealed or b"", _context(letter)))
        return Mail(letter.receiver, said["subject"], said["text"], letter.id)

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
