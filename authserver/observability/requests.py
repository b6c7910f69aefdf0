"""The instruments of requests: how many, how they ended, how long they took, who waits and who was sent away."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Seconds. 0.1 and 0.5 are bounds of the objectives in docs/observability.md.
BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CLASSES = {"1": "1xx", "2": "2xx", "3": "3xx", "4": "4xx", "5": "5xx"}


class Requests:
    """RED: rate, errors, duration, by endpoint and grant type.

    The histogram's own count is the rate, so that a request costs one observation and no more.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """*registry* is that of this process."""
        self._durations = Histogram(
            "authserver_request_duration_seconds",
            "Time from when all of a request has come to its answer, by endpoint, grant type and class of status.",
            ["endpoint", "grant", "status"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._errors = Counter(
            "authserver_request_errors",
            "Refused and failed requests, by endpoint, grant type and OAuth error code.",
            ["endpoint", "grant", "error"],
            registry=registry,
        )
        self._running = Gauge(
            "authserver_requests_in_flight",
            "Requests that threads are answering.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._sent_away = Counter(
            "authserver_requests_sent_away",
            "Requests for which there was no thread in time, or which were too large, by lane and status.",
            ["lane", "status"],
            registry=registry,
        )
        self._waiting = Gauge(
            "authserver_requests_waiting",
            "Requests that wait for a thread, by lane.",
            ["lane"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._lanes: Callable[[], Mapping[str, int]] = dict
        self._known: dict[tuple[str, str, str], Histogram] = {}
        self._open: set[int] = set()

    def began(self, request: int) -> None:
        """That *request*, by any number that is its own, is being answered."""
        self._open.add(request)

    def ended(self, request: int, labels: tuple[str, str, str], seconds: float, error: str | None) -> None:
        """That it was answered. *labels* are endpoint, grant type and the first figure of the status."""
        self._open.discard(request)
        found = self._known.get(labels)
        if found is None:
            endpoint, grant, status = labels
            found = self._known[labels] = self._durations.labels(endpoint, grant, CLASSES.get(status, "other"))
        found.observe(seconds)
        if error is not None:
            self._errors.labels(labels[0], labels[1], error).inc()

    def sent_away(self, lane: str, status: str) -> None:
        """That a request in *lane* was refused before a thread took it, by an answer of *status*."""
        self._sent_away.labels(lane, status).inc()

    def wait_in(self, lanes: Callable[[], Mapping[str, int]]) -> None:
        """Have *lanes* tell how many wait for a thread in each."""
        self._lanes = lanes

    def sample(self) -> None:
        """Bring the gauges up to date."""
        self._running.set(len(self._open))
        for lane, number in self._lanes().items():
            self._waiting.labels(lane).set(number)
