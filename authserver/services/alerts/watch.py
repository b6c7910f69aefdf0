"""The watch: in each process, of which one at a time looks at what is new and gathers notices."""

import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from ...protocol.alert import AlertKind
from ...protocol.audit import Event
from ...protocol.audit_seal import Recorded
from ...store.alerts import Alert, AlertStore
from ...store.seals import SealStore
from ...store.streams import StreamStore
from ...store.watching import WatchStore
from ..notices.gathering import Gathering
from .state_rules import StateRules
from .trail_rules import NAMES, TrailRules

NAME = "alerts"  # what its place in the trail is kept under, beside those of the streams
LEASE_SECONDS = 60
LOOKS_PER_ROUND = 20  # however much there is to look at, notices go out meanwhile
ROUNDS_PER_STATE = 15
SECONDS_AFTER_FAILURE = 10.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks every ``pause`` seconds. ``off`` are the rules that are switched off.

    ``heard`` is told of the events named in ``names``, each at least once, and makes notices of them.
    """

    watch: WatchStore
    seals: SealStore
    streams: StreamStore
    alerts: AlertStore
    trail_rules: TrailRules
    state_rules: StateRules
    gathering: Gathering
    heard: Callable[[Sequence[Recorded]], None]
    names: frozenset[str]
    off: frozenset[AlertKind] = frozenset()
    pause: float = 2.0
    holder: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    def start(self) -> threading.Event:
        """Look in a daemon thread until the returned event is set."""
        stop = threading.Event()
        threading.Thread(target=self._run, args=(stop,), name="watch", daemon=True).start()
        return stop

    def look(self) -> bool:
        """Judge the next stretch of what is sealed; False if there is none, or another process looks."""
        head = self.seals.head()
        if head is None or not self.streams.waits(NAME, self.holder, head.last):
            return False
        after = self.streams.claim(NAME, self.holder, LEASE_SECONDS)
        if after is None or after >= head.last:
            return False
        networks_matter = AlertKind.NEW_NETWORK not in self.off
        stretch = self.watch.stretch(after, head.last, self.names | NAMES, refreshes=networks_matter)
        found, networks = self.trail_rules.judge(stretch)
        self.raise_new(found)
        self.watch.remember(networks)
        self.heard([recorded for recorded in stretch.events if recorded.event.name in self.names])
        return self.streams.advance(NAME, self.holder, stretch.until)

    def look_at_state(self) -> None:
        """Judge how things stand; every process may, since an alert is told once."""
        self.raise_new(self.state_rules.alerts())

    def raise_new(self, found: Iterable[Alert]) -> None:
        """Raise those of *found* whose rule is not switched off."""
        wanted = [alert for alert in found if alert.kind not in self.off]
        if wanted:
            self.alerts.raise_new(wanted, Event("alert.raised", "system"))

    def _run(self, stop: threading.Event) -> None:
        pause, rounds = self.pause, 0
        while not stop.wait(pause):
            pause = SECONDS_AFTER_FAILURE
            try:
                for _ in range(LOOKS_PER_ROUND):
                    if not self.look() or stop.is_set():
                        break
                if rounds % ROUNDS_PER_STATE == 0:
                    self.look_at_state()
                self.gathering.gather()
                pause, rounds = self.pause, rounds + 1
            except Exception:
                log.exception("looking for what is unusual failed; trying again later")
