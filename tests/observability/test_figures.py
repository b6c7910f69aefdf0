"""Figures tell how things are: each is brought about in reality, and read in the text of a scrape."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from threading import Event as Signal
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from sqlalchemy import text

from authserver.protocol import own_api
from authserver.protocol.audit import Event
from authserver.protocol.role import Permission
from authserver.services.maintenance import Kept, Maintenance
from authserver.services.own_api import enable
from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.purge import ALONE, LOCK
from authserver.web.admin.roles import ACTS
from tests.conformance.flow import Flow
from tests.conformance.site import ISSUER, Site, open_app
from tests.conformance.visitor import Visitor
from tests.outbound.authority import Authority
from tests.web.api.conftest import RESOURCE
from tests.web.backchannel.test_client_credentials import machine

from .publishing import NOWHERE, publishing
from .scrape import Scrape
from .test_metrics import ERRORS, TOKEN, scraped

SUCCESS = "authserver_purge_last_success_timestamp_seconds"
PURGED = "authserver_purged_rows_total"
UNSEALED = "authserver_audit_unsealed_seconds"
FETCHES = "authserver_fetches_total"
SECONDS = 60
EVENT = Event("test.done", "system")
Made = Callable[..., Site]


@pytest.fixture
def watched(site_with: Made) -> Site:
    return site_with(metrics_token=TOKEN)


@pytest.fixture
def beside(watched: Site) -> Iterator[Callable[..., Site]]:
    """Makes another process's application over the same database, with counts of its own."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Site:
            own = watched.deployment.settings
            app = open_app(own.database_url, own.home, metrics_token=TOKEN, **settings)
            stack.callback(app.extensions["authserver"].stores.database.close)
            return Site(app, app.extensions["authserver"])

        yield make


def maintained(site: Site, **changes: Any) -> Maintenance:
    """What a worker of *site* does beside answering."""
    found = site.deployment
    parts = (found.reaper, found.approvals, found.rotation, Kept.of(found.settings))
    return Maintenance(found.stores, 300, *parts, purged=site.app.extensions["authserver.figures"].purged, **changes)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def test_a_purge_tells_what_it_deleted_and_when(watched: Site) -> None:
    """By the maintenance that each worker runs."""
    began = time.time()
    watched.deployment.stores.access_tokens.revoke("jti", 1, EVENT)
    assert scraped(watched).value(SUCCESS) == 0
    stop = maintained(watched, pause=0.01).start()
    until(lambda: scraped(watched).value(SUCCESS) >= began)
    stop.set()
    found = scraped(watched)
    assert began <= found.value(SUCCESS) <= time.time()
    assert found.value(PURGED, table="revoked_access_tokens") == 1
    assert found.value(PURGED) == 1
    assert 0 < found.value("authserver_purge_seconds_total") <= time.time() - began


def test_a_purge_that_does_not_go_through_is_no_success_of_anybodys(watched: Site) -> None:
    """Another process is at it; or somebody holds one of the tables."""
    if watched.deployment.stores.database.dialect != "postgresql":
        pytest.skip("about locks of tables")
    with closing(Database(create(watched.deployment.settings.database_url))) as other:
        with other.transaction() as connection:
            connection.execute(ALONE, {"lock": LOCK})
            assert maintained(watched).purge(Signal()).rows == {}
        with other.transaction() as connection:
            connection.execute(text("LOCK TABLE tool_receipts IN ACCESS EXCLUSIVE MODE"))
            assert maintained(watched).purge(Signal()).failed.keys() == {"tool_receipts"}
    assert scraped(watched).value(SUCCESS) == 0
    maintained(watched).purge(Signal())
    assert scraped(watched).value(SUCCESS) > 0


def test_status_lists_are_told_by_their_number_and_the_size_of_the_largest(watched: Site) -> None:
    assert scraped(watched).value("authserver_status_lists") == 0
    flow = Flow(watched)
    claims = jwt.decode(flow.tokens(Visitor(watched))["access_token"], options={"verify_signature": False})
    path = urlsplit(claims["status"]["status_list"]["uri"]).path
    lists = [watched.get(path), watched.get(path.rpartition("/")[0] + "/revoked")]
    assert [each.status_code for each in lists] == [200, 200]
    found = scraped(watched)
    assert found.value("authserver_status_lists") == 2
    assert found.value("authserver_status_list_bytes") == max(len(each.data) for each in lists)


def test_connections_are_told_as_they_are_used(watched: Site) -> None:
    database = watched.deployment.stores.database

    def connections(state: str) -> float:
        return scraped(watched).value("authserver_database_connections", state=state)

    before = connections("in_use")
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(database.reading()).execute(text("SELECT 1"))
        assert connections("in_use") == before + 3
        assert before + 3 <= connections("open") <= connections("most")
    assert connections("in_use") == before


def test_events_that_nobody_seals_are_told_by_their_age(watched: Site, beside: Callable[..., Site]) -> None:
    watched.seal()
    earliest = time.time()
    Flow(watched).register()
    latest = time.time()
    Visitor(watched).open("/account/connections")  # for a while
    least = time.time() - latest
    age = scraped(watched).value(UNSEALED)
    most = time.time() - earliest
    assert 0 < least - 0.01 <= age <= most + 0.01
    watched.seal()
    assert scraped(beside()).value(UNSEALED) == 0


def test_fetches_are_counted_by_what_became_of_them(site_with: Made, authority: Authority) -> None:
    with publishing(authority) as host:
        site = site_with(metrics_token=TOKEN, **host.settings)
        for path in ("/one.json", "/two.json", NOWHERE, "/one.json"):
            host.ask(site, path)
        assert host.peer.connections == 3, "what is known is not fetched again"
    found = scraped(site)
    assert found.value(FETCHES, kind="client_document", outcome="fetched") == 2
    assert found.value(FETCHES, kind="client_document", outcome="status") == 1
    assert found.value(FETCHES) == 3


def test_who_comes_too_often_to_the_api_is_counted_as_elsewhere(site_with: Made) -> None:
    """So that the alert on rates, which asks for that word, is no blind one."""
    site = site_with(metrics_token=TOKEN, api_calls_per_client="2 per hour")
    enable(site.deployment.stores.resources, ISSUER, ACTS, EVENT)
    robot = machine(site, ceilings={RESOURCE: (own_api.scope_of(Permission.CLIENTS_READ),)})
    bearer = {"Authorization": f"Bearer {robot.ask(resource=RESOURCE).json['access_token']}"}
    answers = [site.get(f"{own_api.PATH}/clients", headers=bearer).status_code for _ in range(4)]
    assert answers[-1] == 429
    found: Scrape = scraped(site)
    assert found.value(ERRORS, endpoint="api", error="slow_down") == answers.count(429)
