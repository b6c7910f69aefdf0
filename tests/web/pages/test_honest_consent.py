"""What a click means is what the page said: implied scopes, changed clients, decisions that contradict themselves."""

import secrets

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.resource import Resource
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Tool
from authserver.web.attempt import MOST_QUERY
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms

from .conftest import HOSTED
from .test_consent_page import boxes, groups, words
from .test_decisions import consent_form, decide

READ = Scope("h:read", "Look", is_default=True)
ALL = Scope("h:all", "Do everything", implies=("h:read", "h:delete"))
DELETE = Scope("h:delete", "Delete things", Risk.DESTRUCTIVE)


@pytest.fixture
def hierarchy(site: Site) -> str:
    """The identifier of an MCP server whose scopes contain one another."""
    identifier = f"https://{secrets.token_hex(8)}.example/mcp"
    tools = (Tool("del", "Delete all", ("h:delete",)),)
    made = Resource(identifier, "Hierarchy", (READ, ALL, DELETE), tools)
    site.deployment.stores.resources.add(made, Event("resource.added", "system"))
    return identifier


def scopes(flow: Flow, resource: str) -> set[str]:
    return set(flow.token(resource=resource).json["scope"].split())


@pytest.mark.requirement("AZ-8", "AZ-9")
def test_all_that_a_scope_implies_stands_on_the_page_and_nothing_else_is_granted(flow, visitor, hierarchy):
    flow.register()
    page = visitor.open(flow.url(resource=hierarchy, scope="h:all"))
    assert boxes(page) == ["h:read", "h:all", "h:delete"]
    assert "Includes: Look , Delete things" in words(page)
    assert "Delete all" in words(page)
    flow.answer(decide(visitor, page))
    assert scopes(flow, hierarchy) == {"h:read", "h:all", "h:delete"}


@pytest.mark.requirement("AZ-8", "AZ-13")
def test_a_decision_that_contradicts_itself_is_asked_again(flow, visitor, hierarchy):
    flow.register()
    page = visitor.open(flow.url(resource=hierarchy, scope="h:all"))
    again = decide(visitor, page, scope=["h:read", "h:all"])
    assert again.status_code == 400
    assert "includes something that you did not tick" in again.text
    flow.answer(decide(visitor, again, scope=["h:read"]))
    assert scopes(flow, hierarchy) == {"h:read"}


@pytest.mark.requirement("AZ-14")
def test_what_can_destroy_does_not_join_by_way_of_a_scope_that_contains_it(flow, visitor, hierarchy):
    flow.register()
    flow.answer(visitor.decide(flow.url(resource=hierarchy, scope="h:all")))
    page = visitor.open(flow.url(resource=hierarchy, scope="h:read"))
    assert groups(page) == {"Already allowed on this device": ["h:read"]}
    assert "not part of this: Do everything , Delete things" in words(page)
    flow.answer(decide(visitor, page))
    assert scopes(flow, hierarchy) == {"h:read"}


def change(flow: Flow, **members: object) -> None:
    answer = flow.site.app.test_client().put(
        f"/register/{flow.values['client_id']}",
        json={**PUBLIC, "redirect_uris": [HOSTED], **members},
        headers={"Authorization": f"Bearer {flow.client['registration_access_token']}"},
    )
    assert answer.status_code == 200, answer.text
    flow.client = answer.json


@pytest.mark.requirement("AZ-8", "AZ-9")
@pytest.mark.parametrize(
    "changed",
    [
        {"client_name": "Claude by Anthropic"},
        {"client_name": "Hosted app", "redirect_uris": [HOSTED, "https://app.example/other"]},
    ],
)
def test_a_client_that_changed_after_consent_is_asked_for_again_and_stands_out(hosted, visitor, changed):
    asked = hosted.url(redirect_uri=HOSTED)
    hosted.answer(visitor.decide(asked))
    assert "code" in hosted.answer(visitor.open(asked)), "unchanged, it is remembered"
    change(hosted, **changed)
    page = visitor.open(asked)
    assert page.status_code == 200
    assert "This app has changed" in words(page)
    assert ("It was called Hosted app" in words(page)) == (changed["client_name"] != "Hosted app")
    hosted.answer(decide(visitor, page))
    assert "code" in hosted.answer(visitor.open(asked)), "agreed to as it is now, it is remembered again"


@pytest.mark.requirement("AZ-8")
def test_a_client_that_changed_after_its_connection_was_ended_stands_out(hosted, visitor, site):
    asked = hosted.url(redirect_uri=HOSTED)
    hosted.answer(visitor.decide(asked))
    end_newest(visitor, site, hosted)
    assert "This app has changed" not in words(visitor.open(asked))
    change(hosted, client_name="Zeta Notes")
    said = words(visitor.open(asked))
    assert "This app has changed" in said
    assert "It was called Hosted app" in said


@pytest.mark.requirement("AZ-8", "AZ-9")
def test_a_client_that_changed_is_asked_for_again_where_it_is_connected_still(hosted, visitor, site):
    asked, other = hosted.url(redirect_uri=HOSTED), Visitor(site)
    for browser in (other, visitor):
        hosted.answer(browser.decide(f"{asked}&prompt=consent"))
    end_newest(visitor, site, hosted)
    change(hosted, client_name="Claude", redirect_uris=[HOSTED, "https://app.example/other"])
    for uri in (HOSTED, "https://app.example/other"):
        assert "This app has changed" in words(other.open(hosted.url(redirect_uri=uri)))


def end_newest(visitor: Visitor, site: Site, flow: Flow) -> None:
    """Their newest connection, on their own page."""
    newest = site.deployment.stores.grants.of_client(flow.values["client_id"], 9).lines[0]
    page = visitor.open(f"/account/connection/end?id={newest.id}")
    visitor.submit(page, forms(page)[-1], {})


@pytest.mark.requirement("AZ-13")
def test_suspending_twice_by_a_double_click_does_not_resume_a_client(flow, admin, site):
    flow.register()
    path = f"/admin/client/suspend?id={flow.values['client_id']}"
    page = admin.open(path)
    form = next(form for form in forms(page) if "suspend" in form.names())
    for _ in range(2):
        admin.submit(page, form, {})
    assert site.deployment.stores.clients.find_fresh(flow.values["client_id"]).suspended


@pytest.mark.requirement("AZ-13")
def test_the_longest_request_that_is_taken_comes_through_sign_in_unharmed(flow, visitor):
    flow.register()
    room = MOST_QUERY - len(flow.url(state="").partition("?")[2])
    for length, status in ((room // 3, 200), (room // 3 + 1, 400)):
        state = "{" * length
        asked = flow.url(state=state)
        way = visitor.http.get(asked)
        assert max(len(asked), len(way.location or "")) < 8000
        page = visitor.open(asked)
        assert page.status_code == status
        if status == 200:
            assert flow.answer(decide(visitor, page))["state"] == state
            visitor = type(visitor)(flow.site)


@pytest.mark.requirement("AZ-9")
def test_what_is_unticked_is_not_remembered_for_another_device(hosted, visitor, site):
    both = hosted.url(redirect_uri=HOSTED, scope="notes:read notes:write")
    hosted.answer(visitor.decide(both))
    page = visitor.open(hosted.url(redirect_uri=HOSTED, scope="notes:read notes:write", prompt="consent"))
    assert consent_form(page)
    hosted.answer(decide(visitor, page, scope=["notes:read"]))
    elsewhere = type(visitor)(site)
    assert "notes:write" in boxes(elsewhere.open(both))


@pytest.mark.requirement("TK-3", "TK-5")
def test_a_refresh_with_nothing_left_of_its_scopes_is_refused_and_costs_no_token(flow, visitor, site):
    flow.register()
    flow.allow(visitor)
    first = flow.token().json
    page = visitor.open(flow.url(scope="notes:write"))
    flow.answer(decide(visitor, page, scope=["notes:write"]))
    for _ in range(2):
        answer = flow.refresh(refresh_token=first["refresh_token"])
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")
    flow.answer(visitor.decide(flow.url(scope="notes:read")))
    assert flow.refresh(refresh_token=first["refresh_token"]).status_code == 200
