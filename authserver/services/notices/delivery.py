"""Delivery: messages are sent to each target until it takes them, with growing delays, by one process at a time."""

import threading
from dataclasses import dataclass

import structlog

from ...store.notices import NoticeStore
from .targets import NotTold, Target
from .words import TEST

LEASE_SECONDS = 120  # longer than any target may take for a message
DELAYS = (10, 3600)  # seconds: doubled from the first to the second
MOST_TRIES = 80  # some three days
SECONDS_AFTER_FAILURE = 30.0
GREETING = "This is a test. If you read it, notices of this server reach you."
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Sends to each of *targets*, in a thread of its own, so that none waits for another. ``pause`` is in seconds."""

    notices: NoticeStore
    targets: tuple[Target, ...] = ()
    pause: float = 2.0

    def start(self) -> threading.Event:
        """Send in daemon threads until the returned event is set."""
        stop = threading.Event()
        for target in self.targets:
            threading.Thread(target=self._run, args=(target, stop), name=f"notices-{target.name}", daemon=True).start()
        return stop

    def deliver(self, target: Target) -> bool:
        """Send the next message that is due to *target*; False if there is none, or another process sends it.

        Raises `NotTold`; the message is sent again later.
        """
        message = self.notices.claim(target.name, LEASE_SECONDS)
        if message is None:
            return False
        try:
            target.take(message)
        except NotTold as refused:
            self.notices.failed(message, str(refused), delay_after(message.tries))
            raise
        self.notices.taken(message)
        return True

    def test(self, target: Target) -> None:
        """Send a test to *target* at once. Raises `NotTold`; it is not sent again then."""
        told = {"count": 1, "items": [{"text": GREETING}]}
        message = self.notices.send(TEST, told, target.name, LEASE_SECONDS)
        try:
            target.take(message)
        except NotTold as refused:
            self.notices.failed(message, str(refused), None)
            raise
        self.notices.taken(message)

    def _run(self, target: Target, stop: threading.Event) -> None:
        pause = self.pause
        while not stop.wait(pause):
            pause = self.pause
            try:
                while self.deliver(target) and not stop.is_set():
                    pass
            except NotTold as refused:
                log.warning("a notice was not taken", target=target.name, reason=str(refused))
            except Exception:
                log.exception("sending notices failed; trying again later", target=target.name)
                pause = SECONDS_AFTER_FAILURE


def delay_after(tries: int) -> int | None:
    """Seconds until a message is sent again that was sent *tries* times; None when it is given up."""
    first, longest = DELAYS
    return None if tries >= MOST_TRIES else int(min(longest, first * 2 ** min(tries - 1, 20)))
