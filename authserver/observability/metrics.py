"""The metrics of one process, and how all of a node's processes are shown together (docs/observability.md)."""

from collections.abc import Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from . import shared
from .requests import Requests

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Source(Protocol):
    """What is asked for metrics when they are scraped."""

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""


class Counts(Protocol):
    """What counts by words, such as a `Tally`."""

    def counts(self) -> dict[str, int]:
        """How often each was counted since this process began."""


class Metrics:
    """Makes instruments, and writes them down for a scrape."""

    def __init__(self) -> None:
        shared.use()
        self._registry = CollectorRegistry()
        self._followed: list[_Followed] = []
        self.requests = Requests(self._registry)

    def gauge(self, name: str, says: str, *labels: str, mode: str = "livesum") -> Gauge:
        """A gauge ``authserver_…``; *mode* is how the processes' values become one (``livesum``, ``livemax``, …)."""
        return Gauge(f"authserver_{name}", says, labels, registry=self._registry, multiprocess_mode=mode)  # type: ignore[arg-type]

    def counter(self, name: str, says: str, *labels: str) -> Counter:
        """A counter ``authserver_…_total``."""
        return Counter(f"authserver_{name}", says, labels, registry=self._registry)

    def follow(self, counts: Counts, counter: Counter, *labels: str) -> None:
        """Have *counter* count what *counts* does: the first *labels* are given, its last one is the counted word."""
        self._followed.append(_Followed(counts, counter, labels))

    def sample(self) -> None:
        """Bring up to date what follows something else."""
        self.requests.sample()
        for each in self._followed:
            each.catch_up()

    def text(self, *more: Source) -> bytes:
        """All metrics of the node in Prometheus' text format, and those of *more* as this process knows them."""
        shown = CollectorRegistry()
        if where := shared.folder():
            MultiProcessCollector(shown, where)  # type: ignore[no-untyped-call]
        else:
            shown.register(self._registry)
        for source in more:
            shown.register(source)
        return generate_latest(shown)


class _Followed:
    def __init__(self, counts: Counts, counter: Counter, labels: tuple[str, ...]) -> None:
        self._counts, self._counter, self._labels = counts, counter, labels
        self._seen: dict[str, int] = {}

    def catch_up(self) -> None:
        for word, count in self._counts.counts().items():
            self._counter.labels(*self._labels, word).inc(count - self._seen.get(word, 0))
            self._seen[word] = count
