"""A node of several processes as it ships: whoever is asked answers for all, also for a process that has died."""

import os
import signal
import time
from collections.abc import Callable

import httpx2
import psutil
import pytest

from tests.browser.scene import scene
from tests.journeys.ports import free_port

from .scrape import Scrape

COUNT = "authserver_request_duration_seconds_count"
SECONDS = 30


@pytest.fixture(scope="module")
def node(databases, tmp_path_factory):
    url, port = databases.create(), free_port()
    home = tmp_path_factory.mktemp("home")
    settings = {"metrics_bind": f"127.0.0.1:{port}", "workers": "2", "drain_seconds": "2"}
    with scene(url, home, free_port(), **settings) as found:
        yield found.issuer, f"http://127.0.0.1:{port}/metrics"
    databases.drop(url)


def scraped(url: str) -> Scrape:
    return Scrape(httpx2.get(url).text)


def comes_true(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def workers(issuer: str) -> list[psutil.Process]:
    """The processes that answer for *issuer*: children of the one that this test run started."""
    started = (each for each in psutil.Process().children() if each.environ().get("AUTHSERVER_ISSUER") == issuer)
    return [worker for server in started for worker in server.children()]


def test_one_scrape_counts_the_requests_of_all_workers(node):
    issuer, metrics = node
    assert comes_true(lambda: scraped(metrics).value("authserver_workers") == 2)
    before = scraped(metrics).value(COUNT, endpoint="jwks")
    for _ in range(40):
        assert httpx2.get(f"{issuer}/jwks").status_code == 200
    # Each connection is new, so the kernel gives them and the scrapes to either process.
    assert comes_true(lambda: scraped(metrics).value(COUNT, endpoint="jwks") == before + 40)
    assert {scraped(metrics).value(COUNT, endpoint="jwks") for _ in range(10)} == {before + 40}


def test_metrics_are_not_on_the_public_port_and_nothing_else_is_at_their_own(node):
    issuer, metrics = node
    assert httpx2.get(f"{issuer}/metrics").status_code == 404
    for path in ("/", "/token", "/health/ready", "/metrics/x"):
        assert httpx2.get(metrics.removesuffix("/metrics") + path).status_code == 404
    assert httpx2.post(metrics).status_code == 404


def test_counts_outlive_a_worker_that_is_killed_and_its_gauges_do_not(node):
    issuer, metrics = node
    before = scraped(metrics).value(COUNT, endpoint="jwks")
    victim = workers(issuer)[0]
    os.kill(victim.pid, signal.SIGKILL)
    assert comes_true(lambda: not victim.is_running() and len(workers(issuer)) == 2)
    assert comes_true(lambda: scraped(metrics).value("authserver_workers") == 2)
    assert scraped(metrics).value(COUNT, endpoint="jwks") >= before


def test_a_worker_that_is_told_to_stop_drains_before(node):
    """It says so to who asks on a connection that it has, and still takes requests."""
    issuer, _ = node
    assert comes_true(lambda: len(workers(issuer)) == 2)
    clients: list[httpx2.Client] = [httpx2.Client() for _ in range(12)]
    for client in clients:
        client.get(f"{issuer}/jwks")
    for each in workers(issuer):
        each.terminate()

    def draining() -> bool:
        answers = [client.get(f"{issuer}/health/ready") for client in clients]
        return any(answer.status_code == 503 and answer.json()["process"] == "draining" for answer in answers)

    assert comes_true(draining)
    assert all(client.get(f"{issuer}/jwks").status_code == 200 for client in clients)
    for client in clients:
        client.close()
