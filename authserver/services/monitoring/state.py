"""What a scrape tells of the whole deployment: the trail, keys, and what waits, as the database has it.

Every node tells the same, so rules take the greatest. A database that does not answer delays no scrape by more than a
second: then the scrape says that, and nothing else of this.
"""

import platform
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from ... import __version__
from ...keys.life import State as KeyState
from ...keys.life import state as key_state
from ...protocol.audit_seal import START
from ...store import waiting_out
from ...store.waiting_out import WaitingOut
from ..attention import DAY, KEY_DAYS
from ..deployment import Deployment

AGAIN_SECONDS = 5.0
WAIT_SECONDS = 1.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeyAge:
    """A key that signs: its algorithm, its purpose, since when, and until when it should (Unix seconds)."""

    alg: str
    purpose: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was read ``at`` (Unix seconds). ``unsealed`` is the age of the oldest event without a seal, in seconds."""

    at: float
    unsealed: float
    keys: tuple[KeyAge, ...]
    waiting: dict[str, WaitingOut]
    failing_streams: int


class State:
    """A source of metrics (`observability.metrics.Source`)."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self._found: Found | None = None

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        found = self._current()
        yield _gauge("build_info", "Which version runs.", 1, version=__version__, python=platform.python_version())
        yield _gauge("database_up", "Whether the database answered just now.", 0 if found is None else 1)
        if found is not None:
            yield from _told(found)

    def _current(self) -> Found | None:
        """What was read no longer ago than some seconds; None if the database does not answer in time."""
        with self._lock:
            found = self._found
            if found is not None and time.time() - found.at < AGAIN_SECONDS:
                return found
            if self._reader is None or not self._reader.is_alive():
                self._found = None
                self._reader = threading.Thread(target=self._read, name="state", daemon=True)
                self._reader.start()
        self._reader.join(WAIT_SECONDS)
        return self._found

    def _read(self) -> None:
        try:
            self._found = self._look()
        except Exception as failed:  # noqa: BLE001 - whatever it is, the scrape says that the state is not known
            log.warning("the state could not be read", why=type(failed).__name__)

    def _look(self) -> Found:
        stores = self._deployment.stores
        head = stores.seals.head()
        first = stores.trail.first_behind(head.last if head else START)
        now = time.time()
        signing = (key for key in stores.keys.all() if key_state(key, int(now)) is KeyState.SIGNING)
        failing = [each for each in stores.streams.all() if each.failure]
        waiting = {
            "mail": waiting_out.letters(stores.database),
            "notices": waiting_out.notices(stores.database),
        }
        every = self._deployment.rotation.every or KEY_DAYS * DAY
        begun = ((key, key.signs_from or key.created_at) for key in signing)
        keys = tuple(KeyAge(key.alg, key.purpose, since, since + every) for key, since in begun)
        return Found(now, first.for_ms / 1000 if first else 0.0, keys, waiting, len(failing))


def _told(found: Found) -> Iterator[Metric]:
    yield _gauge("audit_unsealed_seconds", "Age of the oldest event of the audit trail without a seal.", found.unsealed)
    yield _gauge("audit_streams_failing", "Targets of the audit trail that do not take it.", found.failing_streams)
    age = GaugeMetricFamily("authserver_key_age_seconds", "For how long a key has signed.", labels=["alg", "purpose"])
    due = GaugeMetricFamily(
        "authserver_key_rotation_due_seconds", "Time until a key is due to be rotated.", labels=["alg", "purpose"]
    )
    for key in found.keys:
        age.add_metric([key.alg, key.purpose], found.at - key.since)
        due.add_metric([key.alg, key.purpose], key.until - found.at)
    yield age
    yield due
    number = GaugeMetricFamily("authserver_waiting_messages", "Messages that wait to be sent.", labels=["kind"])
    oldest = GaugeMetricFamily("authserver_waiting_messages_seconds", "Age of the oldest of them.", labels=["kind"])
    for kind, waiting in found.waiting.items():
        number.add_metric([kind], waiting.number)
        oldest.add_metric([kind], waiting.seconds)
    yield number
    yield oldest


def _gauge(name: str, says: str, value: float, **labels: str) -> Metric:
    found = GaugeMetricFamily(f"authserver_{name}", says, labels=list(labels))
    found.add_metric(list(labels.values()), value)
    return found
