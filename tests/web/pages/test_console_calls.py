"""The console's view of tool calls: filtered, paged, linked from what they are about; and alerts, dismissed."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Event
from authserver.store.alerts import Alert
from authserver.store.audit import AuditFilter
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor, forms
from tests.web.backchannel.test_revocation import resource_server
from tests.web.backchannel.test_tool_receipts import receipt, send
from tests.web.pages.test_connections import called, connected
from tests.web.pages.test_consent_page import words
from tests.web.pages.test_console import press

pytestmark = pytest.mark.requirement("RS-8")

SERVER = quote(NOTES.identifier, safe="")


@pytest.fixture
def own(site_with: Callable[..., Site]) -> Site:
    return site_with()


@pytest.fixture
def root(own: Site) -> Visitor:
    return Visitor(own, "root")


def tools(page) -> list[str]:
    """The tools of the list's lines, top to bottom."""
    return re.findall(r'scope="row"><code>([^<]+)</code>', page.text)


def test_calls_are_listed_newest_first_and_filtered(own: Site, root: Visitor):
    ada, other = connected(own, Visitor(own)), connected(own, root, "Other")
    guard = resource_server(own, NOTES.identifier)
    send(own, guard, called(ada, ago=20, tool="one"), called(other, ago=10, tool="two"), receipt(tool="three"))
    page = root.open("/admin/calls")
    assert tools(page) == ["three", "two", "one"]
    assert "no grant fits said to be somebody" in words(page)
    grant = own.deployment.connections.of(ada["sub"])[0].grant.id
    for query, found in (
        ("person=ada", ["one"]),
        ("person=ADA", ["one"]),
        ("person=nobody", []),
        (f"client={other['client_id']}", ["two"]),
        ("tool=two", ["two"]),
        (f"server={SERVER}&tool=one", ["one"]),
        ("server=x", []),
        (f"grant={grant}", ["one"]),
        ("tool=%00", ["three", "two", "one"]),
        ("after=x&tool=", ["three", "two", "one"]),
    ):
        assert tools(root.open(f"/admin/calls?{query}")) == found, query


def test_lists_go_on_on_the_next_page_with_the_same_filter(own: Site, root: Visitor):
    guard = resource_server(own, NOTES.identifier)
    send(own, guard, *(receipt(number, tool="many") for number in range(60)), *(receipt() for _ in range(5)))
    page = root.open(f"/admin/calls?tool=many&server={SERVER}")
    assert len(tools(page)) == 50
    [further] = re.findall(r'href="([^"]+)" rel="next"', page.text)
    assert tools(root.open(further.replace("&amp;", "&"))) == ["many"] * 10


def test_how_busy_tools_are_is_told(own: Site, root: Visitor):
    guard = resource_server(own, NOTES.identifier)
    send(own, guard, *(receipt(tool="busy") for _ in range(3)), receipt(2 * 86_400, tool="busy", outcome="refused 403"))
    assert f"busy {NOTES.identifier} 3 4 1" in words(root.open("/admin/calls"))


def test_grants_clients_and_servers_lead_to_their_calls(own: Site, root: Visitor):
    claims = connected(own, Visitor(own))
    grant = own.deployment.connections.of(claims["sub"])[0].grant.id
    assert f'href="/admin/calls?grant={grant}"' in root.open("/admin/grants").text
    assert 'href="/admin/calls?client=' in root.open(f"/admin/client?id={claims['client_id']}").text
    assert 'href="/admin/calls?server=' in root.open(f"/admin/server?id={SERVER}").text


def test_alerts_are_told_in_words_and_dismissed_after_a_question(own: Site, root: Visitor):
    claims = connected(own, Visitor(own))
    about = {"resource": NOTES.identifier, "client_id": claims["client_id"]}
    alerts = [
        Alert(AlertKind.FIRST_DESTRUCTIVE_USE, user_id=claims["sub"], tool="wipe", **about),
        Alert(AlertKind.MANY_CALLS, NOTES.identifier, tool="read", detail={"calls": 900, "normal": 3.5}),
        Alert(AlertKind.MANY_REFUSALS, detail={"calls": 20}, **about),
        Alert(AlertKind.RECEIPTS_LOST, NOTES.identifier, detail={"receipts": 17}),
    ]
    own.deployment.stores.alerts.raise_new(alerts, Event("alert.raised", "system"))
    said = words(root.open("/admin"))
    for sentence in (
        "Editor used wipe , which can delete or destroy, for Ada for the first time on",
        "read was called 900 times in 24 hours; in the week before it was 3.5 a day on",
        "20 or more calls of Editor were refused within an hour on",
        "17 or more receipts were lost, so that not all calls are listed",
    ):
        assert sentence in said
    assert root.open("/admin/alerts").status_code == 200
    assert press(root, f"/admin/alert/dismiss?id={alerts[0].id}").status_code == 200
    assert "used wipe" not in words(root.open("/admin"))
    [event] = own.deployment.stores.audit.page(AuditFilter(name="alert.dismissed"), None, 10)
    root_id = own.deployment.stores.users.by_name("root").id
    assert (event.event.actor, event.event.user_id) == (f"user:{root_id}", claims["sub"])
    assert root.open(f"/admin/alert/dismiss?id={alerts[0].id}").status_code == 404
    question = root.open(f"/admin/alert/dismiss?id={alerts[1].id}")
    for _ in range(2):
        assert root.submit(question, forms(question)[-1], {}).status_code == 200


def test_all_older_alerts_of_a_kind_are_dismissed_if_that_is_asked_for(own: Site, root: Visitor):
    stores = own.deployment.stores
    kinds = (AlertKind.MANY_CALLS, AlertKind.MANY_CALLS, AlertKind.RECEIPTS_LOST)
    alerts = [Alert(kind, NOTES.identifier, occasion=str(number)) for number, kind in enumerate(kinds)]
    stores.alerts.raise_new(alerts, Event("alert.raised", "system"))
    newest = next(line for line in stores.alerts.standing(None, 9) if line.kind == "many_calls")
    question = root.open(f"/admin/alert/dismiss?id={newest.id}")
    assert "And all older ones of its kind" in words(question)
    assert root.submit(question, forms(question)[-1], {"older": "yes"}).request.path == "/admin"
    assert [line.kind for line in stores.alerts.standing(None, 9)] == ["receipts_lost"]
