"""Invitations: somebody is mailed a link, by which they choose a password and have an account.

Nothing is made before they do. Where no mail is sent, whoever invites hands the link on; then it proves no address.
"""

from dataclasses import dataclass

from ..protocol import credential, mail_address, user_name
from ..protocol.audit import Event, Origin
from ..protocol.credential import Prefix
from ..protocol.role import Role
from ..store.invitations import Invitation, InvitationStore, invitation
from ..store.user import User
from .letters import Letters
from .password_rules import PasswordRules
from .passwords import Passwords


@dataclass(frozen=True, slots=True)
class Invitations:
    """Invitations of one deployment, good for ``lifetime`` seconds."""

    store: InvitationStore
    letters: Letters
    passwords: Passwords
    rules: PasswordRules
    lifetime: int

    def invite(
        self,
        username: str,
        display_name: str,
        role: Role,
        email: str,
        event: Event,
        by: Role = Role.OWNER,
        language: str | None = None,
    ) -> str | None:
        """Invite somebody, in place of an earlier invitation of that name; the link, if it is not mailed.

        The mail is in *language*, or English.

        Raises `UserNameRefused`, `NoMailAddress`, `EmailTaken` and `UserExists`, also for an earlier invitation over
        whose role *by*, that of whoever invites, does not stand.
        """
        username, secret = user_name.check(username), credential.mint(Prefix.LINK)
        name, mailed = display_name.strip() or username, self.letters.sends_mail
        made = invitation(username, name, role, mail_address.kept(email), mailed=mailed)
        letter = self.letters.invitation(made, secret, self.lifetime, language)
        about = event.about(detail={"username": made.username, "role": role})
        self.store.add(made, credential.digest(secret), self.lifetime, letter, about, by)
        return None if letter else self.letters.link("invitation", secret)

    def find(self, secret: str) -> Invitation | None:
        """The invitation that *secret* opens, as long as it does."""
        return self.store.find(credential.digest(secret))

    def accept(self, secret: str, password: str, origin: Origin) -> User | None:
        """Make the account of whoever has *secret*, with *password*; None if it opens nothing any more.

        Raises `PasswordRefused`, `Busy`, and `UserExists` and `EmailTaken` for what came in between.
        """
        found = self.find(secret)
        if found is None:
            return None
        self.rules.check(password, found.username, found.display_name, found.email)
        hashed = self.passwords.hash(password)
        return self.store.accept(credential.digest(secret), hashed, Event("user.added", "system", origin))
