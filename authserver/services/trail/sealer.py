"""Sealing the trail, and dropping what retention no longer keeps: in each process, of which one at a time does it."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from ...keys.keyring import Keyring, NoSigningKey
from ...keys.ports import Purpose
from ...keys.rotation import AUDIT_ALGORITHM
from ...protocol.audit import Event
from ...protocol.audit_seal import DROP_TYPE, SEAL_TYPE, START, Digest, Place, Statement
from ...store.alerts import Alert
from ...store.seals import Seal, SealStore, TrailMoved
from ...store.streams import StreamStore
from ..alerts.state_rules import broken
from .targets import Target
from .verification import stated_of

DAY_MS = 86_400_000
KEPT = "its events are not those that were sealed, so retention keeps them"
SECONDS_BETWEEN_DROPS = 300
SECONDS_AFTER_FAILURE = 10.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals what is finished. ``pause`` is in seconds, between two looks; ``retention_days`` 0 keeps everything.

    What one of the ``targets`` still has to take is not dropped. ``tell`` raises alerts.
    """

    seals: SealStore
    streams: StreamStore
    keyring: Keyring
    tell: Callable[[list[Alert]], None]
    retention_days: int = 0
    targets: Sequence[Target] = ()
    pause: float = 1.0

    def start(self) -> threading.Event:
        """Seal in a daemon thread until the returned event is set."""
        stop = threading.Event()
        threading.Thread(target=self._run, args=(stop,), name="sealer", daemon=True).start()
        return stop

    def seal(self) -> int:
        """Seal all that is finished now; returns how many events. Raises `NoSigningKey` and `TrailMoved`."""
        total = 0
        while count := self.seals.seal(self._signed):
            total += count
        return total

    def drop(self) -> int:
        """Drop the batches that are older than retention keeps them; returns how many events.

        What was tampered with stays, and all behind it, and is told.
        """
        if not self.retention_days:
            return 0
        wrong: list[int] = []

        def word(seal: Seal, found: Digest) -> str | None:
            stated = stated_of(seal, self.keyring)
            if stated is not None and stated.digest == found.value():
                return self._word_of_drop(seal.number)
            wrong.append(seal.number)
            return None

        total, age_ms, until = 0, self.retention_days * DAY_MS, self._taken()
        event = Event("audit.dropped", "system", detail={"days": self.retention_days})
        while count := self.seals.drop(age_ms, until, word, event):
            total += count
        self.tell([broken(number, KEPT) for number in wrong[:1]])
        return total

    def _taken(self) -> Place | None:
        """Up to where every target has taken the trail; None if there is none to wait for."""
        known = {stream.target: stream.last for stream in self.streams.all()}
        return min((known.get(target.name, START) for target in self.targets), default=None)

    def _signed(self, stated: Statement) -> str:
        return self.keyring.sign(stated.claims(), typ=SEAL_TYPE, alg=AUDIT_ALGORITHM, purpose=Purpose.AUDIT)

    def _word_of_drop(self, number: int) -> str:
        claims = {"number": number, "iat": int(time.time())}
        return self.keyring.sign(claims, typ=DROP_TYPE, alg=AUDIT_ALGORITHM, purpose=Purpose.AUDIT)

    def _run(self, stop: threading.Event) -> None:
        pause, dropped = self.pause, float("-inf")
        while not stop.wait(pause):
            pause = SECONDS_AFTER_FAILURE
            try:
                self.seal()
                if time.monotonic() - dropped >= SECONDS_BETWEEN_DROPS:
                    self.drop()
                    dropped = time.monotonic()
                pause = self.pause
            except (NoSigningKey, TrailMoved) as lacking:
                log.warning("the audit trail is not sealed", reason=str(lacking))
            except Exception:
                log.exception("sealing the audit trail failed; trying again later")
