"""A person's own page: what they let apps do, what was done as them, and how they narrow and end it."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from sqlalchemy import update

from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Event
from authserver.protocol.resource import Resource
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Tool
from authserver.services.connections import Connection
from authserver.store.alerts import Alert
from authserver.store.audit import AuditFilter
from authserver.store.models import GrantRow
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor, forms
from tests.web.backchannel.test_revocation import resource_server
from tests.web.backchannel.test_tool_receipts import DAY, receipt, send
from tests.web.pages.test_consent_page import words

pytestmark = pytest.mark.requirement("RS-8")

BOTH = "notes:read notes:write"
PATHS = ("/account/connection/narrow", "/account/connection/end", "/account/calls")


@pytest.fixture
def own(site_with: Callable[..., Site]) -> Site:
    """An application of the test's own, where Ada has nothing yet."""
    return site_with()


@pytest.fixture
def ada(own: Site) -> Visitor:
    return Visitor(own)


def connected(site: Site, visitor: Visitor, name: str = "Editor") -> dict[str, Any]:
    """Let a new app of this *name* read and write; what its token says."""
    flow = Flow(site)
    flow.register({**PUBLIC, "client_name": name})
    token = flow.tokens(visitor, scope=BOTH)["access_token"]
    return {**jwt.decode(token, options={"verify_signature": False}), "flow": flow}


def called(claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    family = claims["jti"].partition(".")[0]
    return receipt(subject=claims["sub"], client=claims["client_id"], family=family, **changes)


def only(site: Site, user_id: str) -> Connection:
    [found] = site.deployment.connections.of(user_id)
    return found


def ada_id(site: Site) -> str:
    return site.deployment.stores.users.by_name("ada").id


def unneeded(site: Site, visitor: Visitor) -> dict[str, Any]:
    """A connection of 40 days, of which writing was never needed, at a server that tells of calls."""
    claims, guard = connected(site, visitor), resource_server(site, NOTES.identifier)
    send(site, guard, *(receipt(day * DAY) for day in (1, 39)), called(claims))
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(GrantRow).values(created_at=GrantRow.created_at - 40 * DAY))
    return claims


def test_connections_are_listed_by_app_with_what_they_may_do(own: Site, ada: Visitor):
    connected(own, ada, "Editor")
    page = ada.open("/account/connections")
    said = words(page)
    assert "Editor" in said
    assert "See your notes reads only" in said
    assert "Write notes makes changes" in said
    assert "0 calls" in said
    assert "Not needed" not in said
    assert "no-store" in page.headers["Cache-Control"]


def test_nobody_sees_them_without_signing_in(site: Site):
    for path in ("/account/connections", *PATHS):
        answer = site.get(f"{path}?id=x")
        assert (answer.status_code, answer.location.partition("=")[0]) == (303, "/sign-in?next")


def test_what_an_app_did_as_me_is_told_and_nothing_of_others(own: Site, ada: Visitor):
    claims, others = connected(own, ada), connected(own, Visitor(own, "root"), "Root's app")
    guard = resource_server(own, NOTES.identifier)
    odd = "<script>\u202etool"
    send(own, guard, called(claims, tool=odd, arguments={"<b>title": "<i>Plans"}), called(others, tool="others_tool"))
    page = ada.open("/account/calls")
    assert "&lt;script&gt;" in page.text
    assert "&lt;i&gt;Plans" in page.text
    assert "\u202e" not in page.text
    assert "others_tool" not in page.text
    grant = only(own, claims["sub"]).grant.id
    assert "&lt;i&gt;Plans" in ada.open(f"/account/calls?id={grant}").text
    assert "1 call" in words(ada.open("/account/connections"))


def test_somebody_elses_connection_is_not_found(own: Site, ada: Visitor):
    claims = unneeded(own, Visitor(own, "root"))
    grant = only(own, claims["sub"]).grant.id
    page = ada.open("/account/connections")
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0]
    for path in PATHS:
        assert ada.open(f"{path}?id={grant}").status_code == 404
    for path in PATHS[:2]:
        answer = ada.http.post(
            f"{path}?{urlencode({'id': grant})}",
            data={"csrf_token": token, "scope": "notes:write"},
            headers={"Referer": "http://localhost:9000/"},
        )
        assert answer.status_code == 404
    found = only(own, claims["sub"])
    assert [scope.name for scope in found.scopes] == BOTH.split()
    assert ada.open("/account/connection/end?id=unknown").status_code == 404
    assert ada.open("/account/connection/end").status_code == 404


def test_a_permission_that_no_call_needed_is_removed_by_a_button(own: Site, ada: Visitor):
    claims = unneeded(own, ada)
    page = ada.open("/account/connections")
    assert "Not needed in 30 days: Write notes" in words(page)
    [link] = re.findall(r'href="(/account/connection/narrow[^"]+)"', page.text)
    question = ada.open(link)
    assert "No call of the last 30 days needed: Write notes" in words(question)
    after = ada.submit(question, forms(question)[-1], {})
    assert "Write notes" not in words(after)
    assert "See your notes" in words(after)
    refreshed = claims["flow"].refresh(scope="").json
    assert refreshed["scope"] == "notes:read"
    [event] = own.deployment.stores.audit.page(AuditFilter(name="grant.narrowed"), None, 10)
    assert event.event.detail == {"withdrawn": "notes:write"}
    assert event.event.actor == f"user:{claims['sub']}"
    again = ada.submit(question, forms(question)[-1], {})
    assert again.status_code == 200, "a second press finds it done"


def test_a_form_removes_nothing_but_what_is_not_needed(own: Site, ada: Visitor):
    claims = unneeded(own, ada)
    grant = only(own, claims["sub"]).grant.id
    question = ada.open(f"/account/connection/narrow?id={grant}")
    guard = resource_server(own, NOTES.identifier)
    send(own, guard, called(claims, tool="write_note"))
    ada.submit(question, forms(question)[-1], {"scope": "notes:read"})
    ada.submit(question, forms(question)[-1], {"scope": "notes:write"})
    assert [scope.name for scope in only(own, claims["sub"]).scopes] == BOTH.split()


def _young(site: Site, visitor: Visitor) -> dict[str, Any]:
    claims = unneeded(site, visitor)
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(GrantRow).values(created_at=GrantRow.created_at + 20 * DAY))
    return claims


def _untold(site: Site, visitor: Visitor) -> dict[str, Any]:
    claims = connected(site, visitor)
    send(site, resource_server(site, NOTES.identifier), called(claims))
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(GrantRow).values(created_at=GrantRow.created_at - 40 * DAY))
    return claims


@pytest.mark.parametrize("prepare", [_young, _untold])
def test_nothing_is_called_unused_that_is_young_or_that_nobody_tells_of(own: Site, ada: Visitor, prepare):
    assert only(own, prepare(own, ada)["sub"]).unused == ()


def test_a_connection_is_ended_by_a_button_and_its_calls_stay_told(own: Site, ada: Visitor):
    claims = connected(own, ada)
    send(own, resource_server(own, NOTES.identifier), called(claims))
    page = ada.open("/account/connections")
    [link] = re.findall(r'href="(/account/connection/end[^"]+)"', page.text)
    question = ada.open(link)
    after = ada.submit(question, forms(question)[-1], {})
    assert "No app is connected" in words(after)
    assert claims["flow"].refresh().status_code == 400
    assert "list_notes" in ada.open("/account/calls").text
    assert ada.submit(question, forms(question)[-1], {}).status_code == 200, "a second press finds it done"


def test_what_looked_unusual_about_me_is_told_until_it_is_dismissed(own: Site, ada: Visitor):
    claims = connected(own, ada)
    alert = Alert(AlertKind.FIRST_DESTRUCTIVE_USE, NOTES.identifier, claims["client_id"], claims["sub"], "wipe")
    own.deployment.stores.alerts.raise_new([alert], Event("alert.raised", "system"))
    assert "Editor used wipe , which can delete or destroy" in words(ada.open("/account/connections"))
    assert "used wipe" not in words(Visitor(own, "root").open("/account/connections"))


def test_the_bar_and_the_front_door_lead_there(site: Site, visitor: Visitor):
    visitor.open("/sign-in")
    assert visitor.open("/").text.count('href="/account/connections"') == 2


def test_a_stale_form_shows_the_page_again(own: Site, ada: Visitor):
    claims = connected(own, ada)
    grant = only(own, claims["sub"]).grant.id
    answer = ada.http.post(f"/account/connection/end?id={grant}", data={"csrf_token": "x"})
    assert answer.status_code == 400
    assert "End this connection?" in answer.text
    assert only(own, claims["sub"]).grant.id == grant


def test_a_person_unticks_what_an_app_may_do_and_keeps_the_rest(own: Site, ada: Visitor):
    claims = connected(own, ada)
    connection = only(own, claims["sub"])
    address = f"/account/connection/edit?id={connection.grant.id}"
    page = ada.open(address)
    shown = [value for name, value in forms(page)[-1].fields if name == "shown_scope"]
    assert shown == ["notes:read", "notes:write"]
    fields = {"csrf_token": dict(forms(page)[-1].fields)["csrf_token"], "shown_scope": shown}
    assert ada.http.post(address, data={**fields, "scope": ["notes:read"]}).status_code == 303
    assert only(own, claims["sub"]).grant.scopes == ("notes:read",)
    assert claims["flow"].refresh().json["scope"] == "notes:read"
    stranger = Visitor(own, "root")
    stranger.open("/account/connections")
    assert stranger.http.post(address, data=fields).status_code in {400, 404}
    assert ada.http.post(address, data=fields).status_code == 303
    assert not own.deployment.connections.of(claims["sub"]), "with nothing ticked it ends"


def test_what_the_page_did_not_show_stays(own: Site, ada: Visitor):
    claims = connected(own, ada)
    connection = only(own, claims["sub"])
    address = f"/account/connection/edit?id={connection.grant.id}"
    token = dict(forms(ada.open(address))[-1].fields)["csrf_token"]
    assert ada.http.post(address, data={"csrf_token": token, "shown_scope": ["notes:write"]}).status_code == 303
    assert only(own, claims["sub"]).grant.scopes == ("notes:read",)


def test_a_permission_that_another_one_includes_is_not_taken_out_alone(own: Site, ada: Visitor):
    scopes = (
        Scope("h:read", "Look"),
        Scope("h:write", "Change", Risk.WRITE),
        Scope("h:admin", "Manage", implies=("h:read",)),
    )
    tools = (Tool("list_all", "List", ("h:read",)), Tool("set_up", "Set up", ("h:admin",)))
    own.deployment.stores.resources.add(
        Resource("https://h.example/mcp", "H", scopes, tools), Event("test.done", "system")
    )
    flow = Flow(own)
    flow.values["resource"] = "https://h.example/mcp"
    flow.register()
    flow.tokens(ada, scope="h:read h:write h:admin")
    [connection] = own.deployment.connections.of(ada_id(own))
    page = ada.open(f"/account/connection/edit?id={connection.grant.id}")
    again = ada.submit(page, forms(page)[-1], {"scope": ["h:admin", "h:write"], "tool": ["set_up"]})
    assert again.status_code == 400
    assert "Tick both, or neither" in again.text
    assert sorted(forms(again)[-1].checked) == [("scope", "h:admin"), ("scope", "h:write"), ("tool", "set_up")]
    assert only(own, ada_id(own)).grant.scopes == ("h:read", "h:write", "h:admin")
    ada.submit(again, forms(again)[-1], {"scope": ["h:read"], "tool": ["list_all"]})
    assert only(own, ada_id(own)).grant.scopes == ("h:read",)


@pytest.mark.requirement("AZ-14")
def test_an_app_on_two_devices_is_one_app_to_people_and_ends_as_one(own: Site, ada: Visitor):
    first, second = connected(own, ada), connected(own, Visitor(own))
    other = connected(own, ada, "Another")
    page = ada.open("/account/connections").text
    assert page.count("<h2") == 2
    assert "2 connections" in page
    grant = next(
        one for one in own.deployment.connections.of(first["sub"]) if one.grant.client_id == first["client_id"]
    )
    question = ada.open(f"/account/app/end?id={grant.grant.id}")
    assert "2 connections" in words(question)
    ada.submit(question, forms(question)[-1], {})
    assert [flow["flow"].refresh().status_code for flow in (first, second, other)] == [400, 400, 200]


def test_every_connection_ends_at_once(own: Site, ada: Visitor):
    held = [connected(own, ada, name) for name in ("One", "Two")]
    root = Visitor(own, "root")
    others = connected(own, root)
    question = ada.open("/account/connections/end")
    assert "2 connections" in words(question)
    ada.submit(question, forms(question)[-1], {})
    assert [flow["flow"].refresh().status_code for flow in (*held, others)] == [400, 400, 200]


def test_a_person_sees_what_happened_with_their_own_account_alone(own: Site, ada: Visitor):
    connected(own, ada, "<b>Mine</b>")
    connected(own, Visitor(own, "root"), "Not mine")
    said = words(ada.open("/account/activity"))
    for fact in ("You signed in", "You let an app in", "An app got its first tokens", "127.0.0.1"):
        assert fact in said
    assert "Not mine" not in said
    assert "<b>Mine" not in ada.open("/account/activity").text
    assert own.get("/account/activity").status_code == 303
