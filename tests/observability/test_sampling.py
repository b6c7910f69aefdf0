"""The figures of a process, which its own thread and every scrape bring up to date."""

import threading
from contextlib import suppress
from typing import Any

from authserver.observability.metrics import Metrics
from authserver.services.monitoring.figures import Figures
from tests.conformance.site import Site


class Counted:
    """What counts by itself."""

    def counts(self) -> dict[str, int]:
        return {"looked": 1}


class Meeting:
    """A counter to which one who adds waits a moment for another."""

    def __init__(self) -> None:
        self.total = 0.0
        self._met = threading.Barrier(2)

    def labels(self, *_: str) -> "Meeting":
        return self

    def inc(self, amount: float) -> None:
        with suppress(threading.BrokenBarrierError):
            self._met.wait(0.3)
        self.total += amount


def test_what_came_is_counted_once_by_two_who_look_at_once(site_with):
    site: Site = site_with()
    metrics, counter = Metrics(), Meeting()
    into: Any = counter
    metrics.follow(Counted(), into)
    figures = Figures(site.deployment, metrics)
    both = [threading.Thread(target=figures.sample) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert counter.total == 1
