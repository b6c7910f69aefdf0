"""Sealing the trail, and dropping what retention no longer keeps: in each process, of which one at a time does it.

Each has a thread of its own: reading what goes can take minutes.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import structlog

from ...keys.keyring import Keyring, NoSigningKey
from ...keys.ports import Purpose
from ...keys.rotation import AUDIT_ALGORITHM
from ...protocol.audit import Event
from ...protocol.audit_seal import DROP_TYPE, SEAL_TYPE, START, Digest, Place, Statement
from ...store.alerts import Alert
from ...store.partitions import TrailBusy
from ...store.sealed import Seal
from ...store.seals import SealStore, TrailMoved
from ...store.streams import StreamStore
from ...store.trail import PAGE
from ..alerts.state_rules import broken
from .targets import Target
from .verification import stated_of

DAY_MS = 86_400_000
KEPT = "its events are not those that were sealed, so retention keeps them"
TIMES_PER_ROUND = 100  # however much there is to seal, other work has its turn
AS_THEY_ARE = "the audit trail's partitions stay as they are for now"
SECONDS_BETWEEN_DROPS = 300
SECONDS_BETWEEN_LOOKS_AHEAD = 60
PARTITIONS = 30  # that hold what retention keeps; for ever kept, each holds as many days
DAY = 86_400
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
        """Seal and drop, each in a daemon thread, until the returned event is set."""
        stop = threading.Event()
        threading.Thread(target=self._run, args=(stop,), name="sealer", daemon=True).start()
        if self.retention_days:
            threading.Thread(target=self._retire, args=(stop,), name="retention", daemon=True).start()
        return stop

    def seal(self) -> int:
        """Seal all that is finished; returns how many events. Raises `NoSigningKey` and `TrailMoved`."""
        return sum(iter(lambda: self.seals.seal(self._signed), 0))

    def seal_what_waits(self) -> int:
        """Seal what is finished now, and leave to the next round what comes meanwhile; returns how many events.

        A seal of a few events costs as much as one of a thousand, so who took whatever is there would do nothing else.
        Raises as `seal`.
        """
        total = 0
        for _ in range(TIMES_PER_ROUND):
            sealed = self.seals.seal(self._signed)
            total += sealed
            if sealed < PAGE:
                break
        return total

    def drop(self, times: int | None = None) -> int:
        """Drop what is older than retention keeps it, all or some, so many *times*; returns how many events.

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

        age_ms, until = self.retention_days * DAY_MS, self._taken()
        event = Event("audit.dropped", "system", detail={"days": self.retention_days})
        total = sum(islice(iter(lambda: self.seals.drop(age_ms, until, word, event), 0), times))
        self.tell([broken(number, KEPT) for number in wrong[:1]])
        return total

    def make_room(self) -> None:
        """See that there is a partition for the events to come, where the trail has some. Raises `TrailBusy`."""
        self.seals.make_room((self.retention_days or PARTITIONS**2) * DAY // PARTITIONS)

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
        pause, looked = self.pause, float("-inf")
        while not stop.wait(pause):
            pause = SECONDS_AFTER_FAILURE
            try:
                self.seal_what_waits()
                if time.monotonic() - looked >= SECONDS_BETWEEN_LOOKS_AHEAD:
                    looked = time.monotonic()
                    self.make_room()
                pause = self.pause
            except (NoSigningKey, TrailMoved) as lacking:
                log.warning("the audit trail is not sealed", reason=str(lacking))
            except TrailBusy as busy:
                log.warning(AS_THEY_ARE, reason=str(busy))
            except Exception:
                log.exception("sealing the audit trail failed; trying again later")

    def _retire(self, stop: threading.Event) -> None:
        pause = self.pause
        while not stop.wait(pause):
            pause = SECONDS_BETWEEN_DROPS
            try:
                if self.drop(TIMES_PER_ROUND):
                    pause = self.pause
            except NoSigningKey as lacking:
                log.warning("retention keeps the audit trail", reason=str(lacking))
            except TrailBusy as busy:
                log.warning(AS_THEY_ARE, reason=str(busy))
            except Exception:
                log.exception("retention of the audit trail failed; trying again later")
