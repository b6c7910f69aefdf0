"""The figures of one process: what its parts count by themselves, brought to the instruments once a second."""

import os
import resource
import threading
import time
from pathlib import Path

import structlog

from ...observability.metrics import Counts, Metrics
from ...store.purge import Purged
from ..deployment import Deployment
from .state import State

PAUSE = 1.0  # seconds
PAGE = os.sysconf("SC_PAGE_SIZE")
log = structlog.get_logger(__name__)


class Figures:
    """Watches *deployment* for *metrics*."""

    def __init__(self, deployment: Deployment, metrics: Metrics) -> None:
        self._deployment = deployment
        self._metrics = metrics
        self._state = State(deployment)
        self._pool = metrics.gauge("database_connections", "Connections of the pools: most, open, in use.", "state")
        self._lists = metrics.gauge("status_lists", "Status lists that are kept signed.", mode="livemax")
        self._bytes = metrics.gauge("status_list_bytes", "Size of the largest status list.", mode="livemax")
        self._memory = metrics.gauge("worker_resident_bytes", "Memory of the largest worker.", mode="livemax")
        self._workers = metrics.gauge("workers", "Worker processes that live.")
        self._cpu = metrics.counter("cpu_seconds", "Processor time of all workers.")
        self._cpu_seen = 0.0
        self._sampling = threading.Lock()  # two at once would count what has come since twice
        self._loads = metrics.counter("keyring_loads", "How often signing keys were read from the database.")
        self._loads_seen = 0
        self._shared = metrics.gauge(
            "ceilings_shared", "Workers whose ceilings are shared by Redis just now.", mode="livesum"
        )
        self._follow_all()
        self._purged = metrics.counter("purged_rows", "Expired rows that were deleted, by table.", "table")
        self._purge_seconds = metrics.counter("purge_seconds", "Time spent purging.")
        self._purge_success = metrics.gauge(
            "purge_last_success_timestamp_seconds", "When a purge last went through.", mode="max"
        )

    def start(self) -> threading.Event:
        """Bring the instruments up to date in a daemon thread until the returned event is set."""
        stop = threading.Event()
        threading.Thread(target=self._run, args=(stop,), name="figures", daemon=True).start()
        return stop

    def text(self) -> bytes:
        """All metrics, in Prometheus' text format."""
        self.sample()
        return self._metrics.text(self._state)

    def sample(self) -> None:
        """Bring the instruments of this process up to date."""
        with self._sampling:
            self._sample()

    def _sample(self) -> None:
        self._metrics.sample()
        pool = self._deployment.stores.database.pool()
        for state, number in (("most", pool.most), ("open", pool.open), ("in_use", pool.in_use)):
            self._pool.labels(state).set(number)
        number, largest = self._deployment.status_lists.sizes()
        self._lists.set(number)
        self._bytes.set(largest)
        self._workers.set(1)
        shared = self._deployment.shared_ceilings
        self._shared.set(bool(shared and shared.reachable))
        self._memory.set(_resident())
        used = resource.getrusage(resource.RUSAGE_SELF)
        total = used.ru_utime + used.ru_stime
        self._cpu.inc(total - self._cpu_seen)
        self._cpu_seen = total

        loads = self._deployment.keyring.loads
        self._loads.inc(loads - self._loads_seen)
        self._loads_seen = loads

    def purged(self, done: Purged) -> None:
        """What a purge did, that has just ended.

        It went through only if each kind of rows had its turn. Whoever leaves it to another process says nothing of
        that: if a lock keeps all of them from it, they find each other at it again and again.
        """
        for table, number in done.rows.items():
            self._purged.labels(table).inc(number)
        self._purge_seconds.inc(done.seconds)
        if done.whole:
            self._purge_success.set(time.time())

    def _follow_all(self) -> None:
        found, metrics = self._deployment, self._metrics
        stores, known = found.stores, found.known_clients
        caches: dict[str, Counts] = {
            "clients": stores.clients.recent,
            "documents": stores.fetched.recent,
            "approvals": stores.pending_grants.recent,
            "tool_details": found.token.tools.used,
            "tokens": found.introspection.formats.lately,
        }
        looked = metrics.counter("cache_requests", "Look-ups in caches, by whether it was there.", "cache", "result")
        for name, counts in caches.items():
            metrics.follow(counts, looked, name)
        fetches = metrics.counter("fetches", "Fetches of others' documents, by outcome.", "kind", "outcome")
        metrics.follow(known.keys.strangers.outcomes, fetches, "key_set")
        metrics.follow(known.keys.entered.outcomes, fetches, "entered_key_set")
        if known.documents is not None:
            metrics.follow(known.documents.documents.outcomes, fetches, "client_document")
        signed_in = metrics.counter("sign_ins", "Sign-ins by password, by outcome.", "outcome")
        metrics.follow(found.sign_in.outcomes, signed_in)
        hashed = metrics.counter("password_hash_turns", "Turns for hashing a password, by how they came.", "outcome")
        metrics.follow(found.sign_in.passwords.outcomes, hashed)
        unchanged = metrics.counter("status_unchanged", "Guards told without a thread that nothing has changed.", "way")
        metrics.follow(found.status_lists.unchanged, unchanged)
        waited = metrics.counter("database_waits", "Hot statements that waited for a connection.", "outcome")
        metrics.follow(stores.database.waited, waited)
        together = metrics.counter(
            "database_committed_calls", "Changes of tokens, by what they were committed with.", "how"
        )
        metrics.follow(stores.database.committed, together)
        refused = metrics.counter("ceilings_refused", "What was over a ceiling on rates, by ceiling.", "ceiling")
        metrics.follow(stores.ceilings, refused)

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE):
            try:
                self.sample()
            except Exception:
                log.exception("figures could not be read; trying again")


def _resident() -> int:
    """Bytes of memory that this process has; its peak where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
