"""Strangers cannot fill the table, nor keep others out of it; and requests never wait for what is recorded."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from authserver.protocol.audit import Origin
from authserver.protocol.trace.record import Record
from authserver.protocol.trace.step import Cause, Step
from authserver.services.traces import recorder
from authserver.services.traces.recorder import Ceiling, Recorder
from authserver.store.traces import TraceFilter
from tests.conformance.flow import PUBLIC, Flow

from .telling import attempts, told

RECORD = Record("AAAAA-AAAAA", Step.AUTHORIZATION, Cause.SCOPE_UNKNOWN, Origin("192.0.2.7", "c0ffee"))


class Store:
    """Keeps what it is given, or fails."""

    def __init__(self) -> None:
        self.kept: list[Record] = []
        self.fails = False

    def write(self, records) -> None:
        if self.fails:
            raise OperationalError("INSERT", {}, Exception("down"))
        self.kept += [record for _, record in records]


@pytest.fixture
def store() -> Store:
    return Store()


def test_one_address_that_floods_leaves_room_for_others(site, flow):
    flow.register()
    for number in range(recorder.MOST_PER_SOURCE * 2):
        site.get(flow.url(code_challenge=f"{number:043}", scope="invented"))
    others = Flow(site, values=dict(flow.values))
    url = others.url(scope="invented")
    site.get(url, environ_base={"REMOTE_ADDR": "203.0.113.5"})
    site.deployment.tracing.recorder.flush()
    page = site.deployment.stores.traces.page(TraceFilter(), None, 1000)
    addresses = [one.address for one in page]
    assert 0 < addresses.count("127.0.0.1") <= recorder.MOST_PER_SOURCE
    assert addresses.count("203.0.113.5") == 1


def test_the_same_again_and_again_is_one_attempt(site, flow):
    flow.register()
    for _ in range(20):
        site.get(flow.url(scope="invented"))
        site.post("/register", json={**PUBLIC, "redirect_uris": ["http://evil.example/"]})
    found = attempts(site)
    assert {one.cause for one in found} == {"scope_unknown", "redirect_refused"}
    assert len(found) <= 3, "a registration may fall into two spans"
    assert [line.times for line in told(site, found[0].id).lines if line.step != "registration"] in ([20], [])


def test_refused_token_requests_of_a_flood_are_not_looked_up(site, flow, monkeypatch):
    asked = []
    codes = type(site.deployment.stores.codes)
    monkeypatch.setattr(codes, "state", lambda self, digest: asked.append(digest))
    for number in range(recorder.MOST_PER_SOURCE + 50):
        site.post("/token", data={"grant_type": "authorization_code", "client_id": "x", "code": str(number)})
    assert len(asked) <= recorder.MOST_PER_SOURCE


def test_a_network_of_one_customer_is_one_source(store):
    found = Recorder(store)
    for number in range(recorder.MOST_PER_SOURCE + 10):
        found.take(replace(RECORD, origin=Origin(f"2001:db8::{number:x}")))
    found.flush()
    assert len(store.kept) == recorder.MOST_PER_SOURCE


def test_the_buffer_is_bounded_whoever_fills_it(store):
    found = Recorder(store)
    for number in range(recorder.MOST_WAITING * 2):
        found.take(replace(RECORD, origin=Origin(f"10.0.{number // 256}.{number % 256}")))
    for number in range(recorder.MOST_WAITING * 2):
        found.take(replace(RECORD, user_id=f"person {number}"))
    found.flush()
    assert len(store.kept) == recorder.MOST_WAITING
    assert sum(record.user_id is None for record in store.kept) == recorder.MOST_OF_NOBODY


def test_too_many_sources_share_one_count():
    ceiling = Ceiling(most=3)
    assert all(ceiling.take(f"10.{number}") for number in range(recorder.MOST_SOURCES))
    assert [ceiling.take(f"11.{number}") for number in range(5)] == [True, True, True, False, False]
    assert ceiling.take("10.1")


def test_a_minute_later_there_is_room_again():
    now = [0.0]
    ceiling = Ceiling(most=1, clock=lambda: now[0])
    assert [ceiling.take("a"), ceiling.take("a"), ceiling.has_room("a")] == [True, False, False]
    now[0] = 61.0
    assert ceiling.has_room("a")
    assert ceiling.take("a")


def test_what_cannot_be_written_is_lost_and_later_steps_are_not(store):
    found = Recorder(store)
    store.fails = True
    found.take(RECORD)
    with pytest.raises(OperationalError):
        found.flush()
    store.fails = False
    found.take(replace(RECORD, reference="LATER"))
    found.flush()
    assert [record.reference for record in store.kept] == ["LATER"]


def test_a_thread_writes_what_waits(store):
    found = Recorder(store, pause=0.001)
    stop = found.start()
    found.take(RECORD)
    while not store.kept:
        stop.wait(0.001)
    stop.set()
