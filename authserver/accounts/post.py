"""The post: letters are sent until they are taken, with growing delays, each by one process at a time.

Here, and not in the request, is looked whether whoever wants a new password has an account: so the answer to that
request takes the same time for everyone (AZ-12).
"""

import threading
from dataclasses import dataclass

import structlog

from ..keys.sealing import Unreadable
from ..outbound.mail import MailRefused, Outgoing
from ..protocol.audit import Event
from ..store.letters import Letter, LetterStore
from ..store.users import UserStore
from .own_account import OwnAccount

LEASE_SECONDS = 120  # longer than a mail may take
DELAYS = (10, 3600)  # seconds: doubled from the first to the second
MOST_TRIES = 80  # some three days
SECONDS_AFTER_FAILURE = 30.0
GIVEN_UP = Event("mail.given_up", "system", outcome="failure")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """Sends letters by ``outgoing``, in a thread of its own; None: nothing is sent. ``pause`` is in seconds."""

    store: LetterStore
    users: UserStore
    own: OwnAccount
    outgoing: Outgoing | None
    pause: float = 1.0

    def start(self) -> threading.Event:
        """Send in a daemon thread until the returned event is set."""
        stop = threading.Event()
        if self.outgoing is not None:
            threading.Thread(target=self._run, args=(stop,), name="post", daemon=True).start()
        return stop

    def deliver(self) -> bool:
        """Send the next letter that is due; False if there is none, or another process sends it.

        Raises `MailRefused`; it is sent again later. Raises `Unreadable` for one that nobody can read, and forgets it.
        """
        letter = self.store.claim(LEASE_SECONDS) if self.outgoing else None
        if letter is None or self.outgoing is None:
            return False
        written = self._written(letter)
        try:
            if written is not None:
                self.outgoing.send(self.own.letters.mail(written))
        except MailRefused:
            self._again(letter)
            raise
        except Unreadable:
            self.store.gone(letter, GIVEN_UP)  # nobody can read it any more
            raise
        except Exception as failed:  # or one letter would hold up all others, without end
            self._again(letter)
            raise MailRefused(f"it cannot be written: {type(failed).__name__}") from failed
        self.store.gone(letter)
        return True

    def _written(self, letter: Letter) -> Letter | None:
        """*letter* with its words; None if it is for nobody, or for somebody who has no password here to forget."""
        if letter.sealed is not None:
            return letter
        user = self.users.by_email(letter.receiver)
        if user is None or user.disabled or not user.password_hash:
            return None
        return self.own.written(letter, user)

    def _again(self, letter: Letter) -> None:
        if letter.tries >= MOST_TRIES:
            self.store.gone(letter, GIVEN_UP)
            return
        first, longest = DELAYS
        self.store.again(letter, int(min(longest, first * 2 ** min(letter.tries - 1, 20))))

    def _run(self, stop: threading.Event) -> None:
        pause = self.pause
        while not stop.wait(pause):
            pause = self.pause
            try:
                while self.deliver() and not stop.is_set():
                    pass
            except MailRefused as refused:
                log.warning("a letter was not taken", reason=str(refused), exc_info=refused.__cause__)
            except Exception:
                log.exception("sending letters failed; trying again later")
                pause = SECONDS_AFTER_FAILURE
