"""The console's first page: what needs attention with a link each, and charts whose figures anybody can read."""

import re
import time
from collections.abc import Callable

import pytest
from sqlalchemy import insert, update

from authserver.protocol.audit import Event
from authserver.protocol.client import HELD_DOCUMENT
from authserver.protocol.role import Role
from authserver.store.models import AlertRow, ClientRow, SigningKeyRow, TallyRow, TraceRow
from authserver.store.pending_grants import Requester, Wanted
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor
from tests.web.pages.test_consent_page import words

EVENT = Event("test.done", "system")


@pytest.fixture
def own_site(site_with: Callable[..., Site]) -> Site:
    """A site in which nothing has happened yet, and all is sealed."""
    site = site_with()
    site.seal()
    return site


def attention(page) -> list[str]:
    """The links under *What needs attention*; empty if the page says nothing of it."""
    found = re.search(r'<ul class="attention">(.*?)</ul>', page.text, re.S)
    return re.findall(r'<a href="([^"]+)">', found[1]) if found else []


def test_where_all_is_well_nothing_asks_for_attention(own_site: Site):
    page = Visitor(own_site, "root").open("/admin")
    assert page.status_code == 200
    assert attention(page) == []
    assert "What needs attention" not in page.text


def test_each_matter_leads_to_where_it_is_looked_after(own_site: Site):
    stores = own_site.deployment.stores
    clients = [Flow(own_site) for _ in range(2)]
    for flow in clients:
        flow.register()
    waiting, held = (stores.clients.find_fresh(flow.values["client_id"]) for flow in clients)
    now = int(time.time())
    with stores.database.transaction() as connection:
        of = update(ClientRow)
        connection.execute(of.where(ClientRow.client_id == waiting.client_id).values(pending_since=now))
        connection.execute(
            of.where(ClientRow.client_id == held.client_id).values(
                {ClientRow.extra: {HELD_DOCUMENT: "x"}, ClientRow.held_since: now}
            )
        )
        connection.execute(insert(AlertRow).values(id="a", kind="volume", resource="r", detail={}, raised_at=now))
        failed = {"step": "token", "verdict": "failed", "cause": "expired", "address": "", "agent": ""}
        connection.execute(insert(TraceRow).values(id="T", started_ms=now * 1000, last_ms=now * 1000, **failed))
        connection.execute(update(SigningKeyRow).values(signs_from=SigningKeyRow.signs_from - 91 * 86_400))
    own_site.deployment.stores.epoch.forget()
    ada = stores.users.by_name("ada")
    asks = Requester(ada.id, waiting.client_id, waiting.identity, NOTES.identifier)
    stores.pending_grants.ask(Wanted(asks, ("tool:write_note",), "a rule"), 600, EVENT)
    page = Visitor(own_site, "root").open("/admin")
    assert attention(page) == [
        "/admin/keys",
        "/admin/approvals",
        "/admin/approvals?kind=change",
        "/admin/approvals?kind=grant",
        "/admin/alerts",
        "/admin/traces",
    ]
    said = words(page)
    assert "A key has signed tokens for 91 days: rotate it" in said
    assert "A client waits for approval" in said
    shown = Visitor(own_site, "root").open("/admin/clients?only=changed").text
    assert held.client_id in shown
    assert waiting.client_id not in shown


def test_nobody_is_told_of_what_their_role_cannot_open(site: Site, signed_in_as, monkeypatch):
    monkeypatch.setattr("authserver.services.attention.SEALED_WITHIN_MS", -10_000)
    monkeypatch.setattr("authserver.services.attention.DAY", -(10**9))
    owner, support = (attention(signed_in_as(role).http.get("/admin")) for role in (Role.OWNER, Role.SUPPORT))
    assert {"/admin/audit", "/admin/keys"} <= set(owner), "events are not sealed, and keys are due"
    assert not {"/admin/audit", "/admin/keys"} & set(support)


def test_what_was_counted_is_drawn_and_written(own_site: Site):
    database = own_site.deployment.stores.database
    hour = own_site.deployment.stores.tallies.hours()[0]
    with database.transaction() as connection:
        for back, series, times in ((1, "tokens", 126), (2, "failures", 7), (30, "calls", 45)):
            connection.execute(insert(TallyRow).values(series=series, hour=hour - back, times=times))
    page = Visitor(own_site, "root").open("/admin")
    assert page.text.count("<svg ") == 8
    assert page.text.count('role="img" aria-label=') == 8
    said = words(page)
    assert "126 tokens in 24 hours, at most 126 in one" in page.text
    assert "7 failures" in said
    assert "45 tool calls in 30 days" in page.text
    assert "0 tool calls in 24 hours" in page.text
    row = re.search(r"<th scope=\"row\">([^<]+)</th>((?:<td>\d+</td>)+)", page.text)
    assert row
    assert row[2].count("<td>") == 5
    assert "2.1 per minute" in said
    assert "style=" not in page.text
    assert "<script" not in page.text


def test_sign_ins_of_now_are_drawn_once_they_are_sealed(own_site: Site):
    browser = Visitor(own_site, "root")
    assert "0 sign-ins, 0 failures in 24 hours" in browser.open("/admin").text
    own_site.seal()
    assert "1 sign-in, 0 failures in 24 hours" in browser.http.get("/admin").text


def test_registrations_that_pile_up_are_told_of(site_with: Callable[..., Site], monkeypatch):
    monkeypatch.setattr("authserver.services.attention.MANY_UNUSED", 3)
    site = site_with(share_identical_registrations=False)
    for _ in range(3):
        Flow(site).register({**PUBLIC, "client_name": "Piling"})
    page = Visitor(site, "root").open("/admin")
    assert "/admin/clients/alike" in attention(page)
    assert "3 registrations that nobody ever used" in words(page)
