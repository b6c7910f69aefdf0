"""Browsers that stay signed in: what they keep, and the sessions that it opens.

A browser keeps a token of two parts, its name and a secret. A token opens one session and is replaced by the next,
which is made of it by a key: two tabs that present it at one instant come to the same session and the same next token.
Whoever presents one later than that has a copy, or is the one whose was copied.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from ..protocol import credential
from ..protocol.audit import Event, Origin
from ..protocol.credential import Prefix
from ..store.remembered import Copied, Presented, RememberedStore
from ..store.sessions import Staying
from .letters import Letters

TABS_SECONDS = 30  # within which tabs of one browser, and a browser that got no answer, present the same token
FORM = re.compile(re.escape(Prefix.REMEMBERED) + r"([A-Za-z0-9_-]{43})([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Token:
    """What a browser keeps: the ``name`` that stays, and the ``secret`` that is good once; 256 random bits each."""

    name: str
    secret: str

    @classmethod
    def fresh(cls) -> Self:
        """The first one of a browser."""
        name, secret = (credential.mint(Prefix.REMEMBERED).removeprefix(Prefix.REMEMBERED) for _ in range(2))
        return cls(name, secret)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """That of a cookie; None if it is none."""
        found = FORM.fullmatch(text)
        return cls(*found.groups()) if found else None

    def __str__(self) -> str:
        """As it is in the cookie."""
        return f"{Prefix.REMEMBERED}{self.name}{self.secret}"

    def derived(self, key: bytes, purpose: str) -> str:
        """What follows from it and *key* for *purpose*: 43 characters that nobody makes without both."""
        return credential.base64url(hmac.digest(key, f"{purpose} {self}".encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class Recalled:
    """A session that a browser opened by itself, and what it keeps from now on, for ``seconds``."""

    session: str
    token: str
    seconds: int


@dataclass(frozen=True, slots=True)
class RememberedBrowsers:
    """Browsers of one deployment. They stay for ``lifetime`` seconds, their sessions live for ``session_lifetime``."""

    store: RememberedStore
    letters: Letters
    key: Callable[[], bytes]
    lifetime: int
    session_lifetime: int

    def begin(self) -> tuple[str, Staying] | None:
        """What a browser keeps, and what is to be kept of it with the session that begins; None if none may stay."""
        if not self.lifetime:
            return None
        token = Token.fresh()
        return str(token), Staying(credential.digest(token.name), credential.digest(token.secret), self.lifetime)

    def recall(self, text: str, origin: Origin, agent: str) -> Recalled | None:
        """Open a session for the browser that presents *text*; None if it does not stay signed in (any more).

        Of a token that was used before, all that it opened ends, and its person is told.
        """
        token = Token.read(text) if self.lifetime else None
        name = credential.digest(token.name) if token else b""
        person = self.store.person(name) if token else None
        if token is None or person is None:
            return None
        key = self.key()
        session = Prefix.SESSION + token.derived(key, "session")
        successor = Token(token.name, token.derived(key, "next"))
        digests = (credential.digest(each) for each in (token.secret, successor.secret, session))
        event = Event("session.recalled", f"user:{person.id}", origin, user_id=person.id)
        copied = Event("session.copied", "system", origin, "refused", user_id=person.id)
        told = Copied(copied, self.letters.sign_in_copied(person, origin))
        left = self.store.recall(
            Presented(name, *digests), self.session_lifetime, origin.address, agent, TABS_SECONDS, event, told
        )
        return None if left is None else Recalled(session, str(successor), left)

    def forget(self, text: str, origin: Origin) -> None:
        """Let the browser that has *text* stay no longer, whoever's it was."""
        if (token := Token.read(text)) is None:
            return
        self.store.forget(credential.digest(token.name), Event("browser.forgotten", "system", origin))
