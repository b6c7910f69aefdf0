"""An overload is seen: who waits for a thread, for how long, and who is sent away, at a worker that has one thread."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest

from authserver.web.arriving import MOST_HEAD
from authserver.web.lanes import MOST_WAITING
from tests.browser.scene import Scene, scene
from tests.database import Databases
from tests.journeys.ports import free_port
from tests.observability.scrape import Scrape
from tests.web.wire import calling

from .test_slow_clients import FORM, answer, connected

HELD_SECONDS = 0.5
SECONDS = 30
BEGUN = b"POST /token HTTP/1.1\r\n" + FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\ngrant\r\n"
REST = b"0\r\n\r\n"
AWAY, WAITING = "authserver_requests_sent_away_total", "authserver_requests_waiting"
TOOK, MOST = "authserver_request_duration_seconds_sum", 5


@dataclass
class Seen:
    """A running server and its metrics."""

    scene: Scene
    metrics: str

    def value(self, name: str, **labels: str) -> float:
        return Scrape(httpx2.get(self.metrics).text).value(name, **labels)

    def until(self, number: float, name: str, **labels: str) -> None:
        """Wait until a scrape tells *number*."""
        wait_for(lambda: self.value(name, **labels) == number)

    def connected(self) -> socket.socket:
        return connected(self.scene)


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def seen(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    url, port = databases.create(), free_port()
    with scene(
        url, tmp_path_factory.mktemp("home"), free_port(), threads="1", metrics_bind=f"127.0.0.1:{port}"
    ) as found:
        yield Seen(found, f"http://127.0.0.1:{port}/metrics")
    databases.drop(url)


@pytest.fixture
def held(seen: Seen) -> Iterator[socket.socket]:
    """A connection that has the thread until `REST` is sent."""
    with seen.connected() as found:
        found.sendall(BEGUN)
        seen.until(1, "authserver_requests_in_flight")
        yield found


def test_who_waits_for_a_thread_is_told_and_has_waited_as_long_as_it_took(seen: Seen, held: socket.socket) -> None:
    """Both on the short way and on gunicorn's own."""
    before = {endpoint: seen.value(TOOK, endpoint=endpoint) for endpoint in ("revoke", "introspect")}
    with seen.connected() as short, seen.connected() as long:
        short.sendall(calling("/revoke"))
        long.sendall(calling("/introspect", Connection="close"))
        seen.until(2, WAITING, lane="calls")
        assert seen.value(WAITING) == 2
        until = time.monotonic() + HELD_SECONDS
        wait_for(lambda: time.monotonic() > until)
        held.sendall(REST)
        assert ["server" in answer(each)[1] for each in (short, long)] == [False, True]
        seen.until(0, WAITING)
    for endpoint, took in before.items():
        assert seen.value(TOOK, endpoint=endpoint) - took > HELD_SECONDS, endpoint


def test_who_finds_no_room_or_waits_too_long_is_counted_by_path(seen: Seen, held: socket.socket) -> None:
    away = {"lane": "calls", "status": "503"}
    before = seen.value(AWAY, **away)
    flood = [seen.connected() for _ in range(MOST_WAITING + MOST)]
    try:
        for each in flood:
            each.sendall(BEGUN)
        seen.until(before + MOST, AWAY, **away)
        seen.until(MOST_WAITING, WAITING, lane="streams")
        seen.until(before + len(flood), AWAY, **away)
        seen.until(0, WAITING, lane="streams")
        assert {answer(each)[0] for each in flood} == {503}
    finally:
        for each in flood:
            each.close()
    held.sendall(REST)
    assert answer(held)[0] < 500


def test_a_head_that_does_not_end_is_counted_in_the_lane_of_its_first_line(seen: Seen) -> None:
    away = {"lane": "calls", "status": "431"}
    before = seen.value(AWAY, **away)
    with seen.connected() as large:
        large.sendall(b"GET /jwks HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * MOST_HEAD)
        assert answer(large)[0] == 431
    seen.until(before + 1, AWAY, **away)
