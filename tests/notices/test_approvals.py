"""The approval queue: what waits is listed and told, decided once, and ends by itself."""

import html
import json
import re
from collections.abc import Callable

import pytest

from authserver.protocol.audit import Event
from authserver.services.notices.gathering import MOST_TOLD
from authserver.store.audit import AuditFilter
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.test_consent_page import words

from .conftest import Desk
from .test_rules import look

DAY = 86_400
DECIDED = Event("approval.decided", "system")


@pytest.fixture
def desk(desk_with: Callable[..., Desk]) -> Desk:
    return desk_with(registration="approval")


def register(site: Site, name: str = "Note\u202e taker") -> str:
    flow = Flow(site)
    assert flow.register({**PUBLIC, "client_name": name}).status_code == 201
    return str(flow.values["client_id"])


def names(site: Site, client_id: str) -> list[str]:
    found = site.deployment.stores.audit.page(AuditFilter(client_id=client_id), None, 50)
    return [line.event.name for line in found]


def test_a_client_that_waits_is_told_once_with_where_to_decide(desk: Desk):
    client_id = register(desk.site)
    look(desk.site)
    desk.round()
    [mail] = desk.mails
    said = mail.get_content()
    assert "- Note taker: sends people to" in said
    assert "Where: http://localhost:9000/admin/approvals" in said
    [(_, body)] = desk.hook.posts
    posted = json.loads(body)
    assert (posted["type"], posted["data"]["items"][0]["id"]) == ("approval.client", client_id)
    assert posted["data"]["items"][0]["expires_at"] - posted["data"]["items"][0]["since"] == 14 * DAY


def test_what_was_decided_before_anybody_was_told_is_told_to_nobody(desk: Desk):
    client_id = register(desk.site)
    [request] = desk.deployment.approvals.kinds[0].page(None, 10)
    assert desk.deployment.approvals.approve(request, DECIDED)
    look(desk.site)
    desk.round()
    assert desk.mails == []
    assert names(desk.site, client_id)[0] == "client.approved"


def test_a_flood_of_registrations_is_one_message_and_then_one_more(desk: Desk):
    for number in range(60):
        register(desk.site, f"App {number}")
        if number == 0:
            look(desk.site)
            desk.round()
    look(desk.site)
    desk.round()
    assert len(desk.mails) == 1
    with desk.deployment.stores.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE notice_messages SET created_at = created_at - 301")
    desk.round()
    assert [mail["Subject"] for mail in desk.mails[1:]] == ["[localhost] 59 × request for a decision"]
    items = json.loads(desk.hook.posts[1][1])["data"]["items"]
    assert len(items) == MOST_TOLD


def test_what_nobody_decides_about_ends_as_if_it_was_denied(desk: Desk):
    client_id = register(desk.site)
    other = register(desk.site, "Other")
    approvals, stores = desk.deployment.approvals, desk.deployment.stores
    assert approvals.expire() == 0
    with stores.database.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE clients SET pending_since = pending_since - {14 * DAY}")  # noqa: S608
    request = approvals.find("client", other)
    assert request
    assert approvals.approve(request, DECIDED)
    assert approvals.expire() == 1
    assert approvals.expire() == 0
    assert stores.clients.tombstoned(client_id)
    assert names(desk.site, client_id)[0] == "client.approval_expired"
    assert not stores.clients.tombstoned(other)


def test_of_two_who_decide_the_second_is_told_who_was_first(desk: Desk):
    first, second = Visitor(desk.site, "root"), Visitor(desk.site, "root")
    client_id = register(desk.site)
    path = f"/admin/approval/approve?kind=client&id={client_id}"
    pages = [(visitor, visitor.open(path)) for visitor in (first, second)]
    deny = second.open(path.replace("/approve", "/deny"))
    assert first.submit(pages[0][1], forms(pages[0][1])[-1], {}).status_code == 200
    for page in (pages[1][1], deny):
        answer = second.submit(page, forms(page)[-1], {})
        assert answer.status_code == 409
        assert "Nothing was done: root approved it at" in words(answer)
    found = desk.deployment.stores.clients.find_fresh(client_id)
    assert found
    assert not found.pending
    assert "Nothing waits under this id." in words(first.open("/admin/approval/deny?kind=client&id=unknown"))
    assert first.open("/admin/approval/approve?kind=unknown&id=x").status_code == 404


def test_the_page_lists_who_asks_for_what_until_when_page_by_page(desk: Desk):
    root = Visitor(desk.site, "root")
    for number in range(51):
        register(desk.site, f"App <b>{number}</b>")
    page = root.open("/admin/approvals")
    said = words(page)
    assert "51" in said
    assert "<b>5" not in page.text
    assert "sends people to" in said
    assert "127.0.0.1" in said
    second = root.open(html.unescape(re.findall(r'href="([^"]*after=[^"]*)"', page.text)[0]))
    assert second.text.count("/admin/approval/approve?") == 1
