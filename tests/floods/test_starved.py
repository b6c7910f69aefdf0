"""Fetches that hang and pages of the console that hang take no thread from token calls, at a real node."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count

import httpx2
import pytest
from sqlalchemy import text

from authserver.store.database import Database
from authserver.store.engine import create
from tests.browser.scene import Scene, scene
from tests.conformance.flow import LOOPBACK
from tests.database import Databases
from tests.documents.publisher import Publisher, host
from tests.journeys.ports import free_port
from tests.observability.scrape import Scrape
from tests.outbound.authority import Authority
from tests.trail.mixed_load import Browser
from tests.web.backchannel.test_client_credentials import machine

from .conftest import asks, caller
from .test_redis import until

APPS, DOCUMENTS = 12, 4  # three who name the same document, as many more as may wait
READERS = 8  # as many as there are threads
LATEST = 2.0  # seconds for an answer, on a busy machine
SECONDS = 4.0
PAUSE = 0.3
SETTINGS = """
fetch_ca_file = "{ca_file}"
fetch_exceptions = ["{authority}=127.0.0.0/8,::1/128"]
metadata_document_fetches_per_address = "100000 per minute"
"""
WHILE_LOCKED = {"database_lock_timeout": "120", "database_statement_timeout": "120"}


@dataclass(frozen=True)
class Node:
    """A ``running`` node, whose ``metrics`` are at that URL, and what it fetches from."""

    running: Scene
    publisher: Publisher
    metrics: str

    def busy(self) -> float:
        """How many requests threads are answering."""
        return Scrape(httpx2.get(self.metrics).text).value("authserver_requests_in_flight")


@pytest.fixture(scope="module")
def node(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Node"]:
    """A node of eight threads in one process, and a host whose documents it fetches."""
    url, home, metrics = databases.create(), tmp_path_factory.mktemp("home"), f"127.0.0.1:{free_port()}"
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with host(authority) as published:
        (home / "authserver.toml").write_text(SETTINGS.format(ca_file=authority.ca_file, authority=published.authority))
        with scene(url, home, free_port(), threads="8", metrics_bind=metrics, **WHILE_LOCKED) as found:
            yield Node(found, published.publisher(), f"http://{metrics}/metrics")
    databases.drop(url)


@contextmanager
def crowd(number: int, ask: Callable[[], object]) -> Iterator[None]:
    """So many ask again and again, each once more when answered."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            ask()
            over.wait(PAUSE)

    threads = [threading.Thread(target=go_on) for _ in range(number)]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        over.set()
        for each in threads:
            each.join()


@contextmanager
def apps(node: Node) -> Iterator[None]:
    """Apps whose documents come late ask for authorization, again and again under other names."""
    numbers = count()

    def ask() -> None:
        client_id = f"{node.publisher.base}/{next(numbers) // (APPS // DOCUMENTS)}.json"
        query = {"client_id": client_id, "response_type": "code", "redirect_uri": LOOPBACK}
        with caller() as http:
            http.get(f"{node.running.issuer}/authorize", params=query)

    node.publisher.going.clear()
    with crowd(APPS, ask):
        try:
            yield
        finally:
            node.publisher.going.set()


@contextmanager
def readers(node: Node) -> Iterator[None]:
    """Administrators ask for a page whose table somebody has locked."""
    root = Browser(node.running.issuer, "root")
    with closing(root.http):
        assert root.open("/admin/alerts").status_code == 200
        cookies = dict(root.http.cookies)

    def ask() -> None:
        with caller(cookies=cookies) as http:
            http.get(f"{node.running.issuer}/admin/alerts")

    with closing(Database(create(node.running.site.deployment.settings.database_url))) as other, ExitStack() as unlock:
        unlock.enter_context(other.transaction()).execute(text("LOCK TABLE alerts IN ACCESS EXCLUSIVE MODE"))
        with crowd(READERS, ask):
            try:
                yield
            finally:
                unlock.close()


def test_token_calls_are_answered_while_fetches_and_the_console_hang(node: Node) -> None:
    """On SQLite, which locks no table, while fetches do."""
    indexer, answers, busy = machine(node.running.site), list[tuple[int, float]](), list[float]()
    locks = node.running.site.deployment.stores.database.dialect == "postgresql"
    hanging = (
        3 if locks else 2
    )  # two of the console, as many as it may have threads; of fetches those that are not over
    with readers(node) if locks else nullcontext(), apps(node), caller() as http:
        until(lambda: node.busy() >= hanging)
        over = time.monotonic() + SECONDS
        while time.monotonic() < over:
            began = time.monotonic()
            status = asks(node.running, indexer, http)
            answers.append((status, time.monotonic() - began))
            busy.append(node.busy())
    assert sum(number >= hanging for number in busy) > len(busy) / 2, "they hung meanwhile, not only before"
    assert {status for status, _ in answers} == {200}
    assert max(seconds for _, seconds in answers) < LATEST
