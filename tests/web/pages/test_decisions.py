"""Decisions: what allowing, unticking and denying come to, and how little can go wrong on the way."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from authserver.protocol.audit import Event
from authserver.store.audit import AuditFilter
from tests.conformance.flow import LOOPBACK, PUBLIC
from tests.conformance.site import ISSUER, NOTES
from tests.conformance.visitor import Visitor, forms

from .conftest import HOSTED
from .test_consent_page import boxes, groups

EVENT = Event("test.done", "system")


def consent_form(page):
    return next(form for form in forms(page) if "decision" in form.names())


def decide(visitor, page, **filled):
    return visitor.submit(page, consent_form(page), {"decision": "allow", "scope": boxes(page), **filled})


@pytest.mark.requirement("AZ-3")
def test_allowing_sends_a_code_with_state_and_issuer_to_the_client(flow, visitor):
    flow.register()
    page = visitor.open(flow.url())
    answer = decide(visitor, page)
    assert answer.status_code == 303
    assert answer.location.startswith(f"{LOOPBACK}?code=mcpc_")
    told = flow.answer(answer)
    assert (told["state"], told["iss"]) == (flow.values["state"], ISSUER)


@pytest.mark.requirement("AZ-3")
def test_denying_tells_the_client_so_and_grants_nothing(flow, visitor, site):
    flow.register()
    told = flow.answer(visitor.decide(flow.url(), "deny"))
    assert (told["error"], told["state"], told["iss"]) == ("access_denied", flow.values["state"], ISSUER)
    assert groups(visitor.open(flow.url())) == {"What it asks for": ["notes:read"]}
    denied = site.deployment.stores.audit.page(
        AuditFilter(name="grant.denied", client_id=flow.values["client_id"]), None, 10
    )
    assert [line.event.outcome for line in denied] == ["refused"]


@pytest.mark.requirement("AZ-8", "AZ-9")
def test_what_is_unticked_is_not_granted(flow, visitor):
    flow.register()
    flow.answer(visitor.decide(flow.url(scope="notes:read notes:write"), scopes={"notes:read"}))
    token = flow.token().json
    assert token["scope"] == "notes:read"


@pytest.mark.requirement("AZ-9")
def test_a_scope_that_was_not_on_the_page_is_not_granted(flow, visitor):
    flow.register()
    page = visitor.open(flow.url())
    flow.answer(decide(visitor, page, scope=["notes:read", "notes:delete", "calendar:admin", "\0"]))
    assert flow.token().json.get("scope", "notes:read") == "notes:read"


@pytest.mark.requirement("AZ-14")
def test_what_is_allowed_already_is_included_in_the_step_up(flow, visitor):
    flow.tokens(visitor)
    flow.allow(visitor, scope="notes:write")
    assert set(flow.token().json["scope"].split()) == {"notes:read", "notes:write"}


@pytest.mark.requirement("AZ-14")
def test_unticking_what_was_allowed_takes_it_back(flow, visitor):
    flow.tokens(visitor, scope="notes:read notes:write")
    flow.answer(visitor.decide(flow.url(), scopes={"notes:read"}))
    assert flow.token().json["scope"] == "notes:read"
    assert groups(visitor.open(flow.url())) == {"Already allowed on this device": ["notes:read"]}


@pytest.mark.requirement("AZ-14")
def test_a_new_authorization_on_a_device_leaves_the_earlier_refresh_family_alone(flow, visitor):
    flow.tokens(visitor)
    earlier = flow.values["refresh_token"]
    flow.tokens(visitor, scope="notes:write")
    assert flow.refresh(refresh_token=earlier).status_code == 200


@pytest.mark.requirement("AZ-13")
def test_allowing_without_a_tick_shows_the_page_again(flow, visitor):
    flow.register()
    page = decide(visitor, visitor.open(flow.url()), scope=[])
    assert page.status_code == 400
    assert "ticked nothing" in page.text
    assert "code" in flow.answer(decide(visitor, page))


@pytest.mark.requirement("AZ-8", "AZ-13")
def test_a_decision_counts_only_for_what_was_shown(site, flow, visitor):
    flow.register()
    page = visitor.open(flow.url())
    clients = site.deployment.stores.clients
    clients.update(replace(clients.find_fresh(flow.values["client_id"]), name="Somebody else"), EVENT)
    again = decide(visitor, page)
    assert again.status_code == 409
    assert "has changed" in again.text
    assert "Somebody else" in again.text
    assert "code" in flow.answer(decide(visitor, again))


@pytest.mark.requirement("AZ-13")
def test_anything_but_a_clear_yes_is_a_no(flow, visitor):
    flow.register()
    page = visitor.open(flow.url())
    assert flow.answer(decide(visitor, page, decision="perhaps"))["error"] == "access_denied"


def approvals(site, flow) -> int:
    about = AuditFilter(name="grant.approved", client_id=flow.values["client_id"])
    return len(site.deployment.stores.audit.page(about, None, 20).lines)


def tabs_of(visitor, site, number) -> list[Visitor]:
    """That many tabs of the browser of *visitor*."""
    tabs = [Visitor(site) for _ in range(number)]
    for tab in tabs:
        tab.http._cookies = visitor.http._cookies
    return tabs


@pytest.mark.requirement("AZ-13")
def test_the_two_clicks_of_a_double_click_are_one_decision_with_one_code(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    first, second = decide(visitor, page), decide(visitor, page)
    assert first.location == second.location
    assert approvals(site, flow) == 1
    flow.answer(first)
    assert flow.token().status_code == 200


@pytest.mark.requirement("AZ-13")
def test_a_form_that_comes_many_times_at_one_instant_is_one_decision_with_one_code(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda tab: decide(tab, page), tabs_of(visitor, site, 8)))
    assert len({answer.location for answer in answers}) == 1
    assert approvals(site, flow) == 1
    flow.answer(answers[0])
    assert flow.token().status_code == 200


@pytest.mark.requirement("AZ-13")
def test_the_same_page_with_other_ticks_is_another_decision(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url(scope="notes:read notes:write"))
    first, second = decide(visitor, page), decide(visitor, page, scope=["notes:read"])
    assert flow.answer(first)["code"] != flow.answer(second)["code"]
    assert flow.token().json["scope"] == "notes:read"


@pytest.mark.requirement("AZ-13")
def test_the_back_button_and_a_second_decision_give_a_code_again(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    first = flow.answer(decide(visitor, page))["code"]
    flow.token()
    assert flow.answer(decide(visitor, page))["code"] != first, "that one is used up"
    assert flow.token().status_code == 200
    assert approvals(site, flow) == 2


@pytest.mark.requirement("AZ-13")
def test_nobody_else_gets_the_code_of_a_form(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    mine = flow.answer(decide(visitor, page))["code"]
    stranger = Visitor(site, "root")
    theirs = stranger.open(flow.url())
    same = {name: value for name, value in consent_form(page).fields if name != "csrf_token"}
    told = stranger.submit(theirs, consent_form(theirs), {**same, "decision": "allow", "scope": boxes(page)})
    assert flow.answer(told)["code"] != mine


@pytest.mark.requirement("AZ-13")
def test_two_tabs_with_the_same_request_are_two_decisions_about_one_grant(flow, visitor, site):
    flow.register()
    first, second = visitor.open(flow.url()), visitor.open(flow.url())
    codes = {flow.answer(decide(visitor, page))["code"] for page in (first, second)}
    assert len(codes) == 2
    assert flow.token().status_code == 200
    assert len(site.deployment.stores.grants.page(flow.values["client_id"], None, 10).lines) == 1


@pytest.mark.requirement("AZ-13")
def test_denying_in_one_tab_what_was_allowed_in_another_tells_the_app_and_takes_nothing_back(flow, visitor):
    flow.register()
    first, second = visitor.open(flow.url()), visitor.open(flow.url())
    code = flow.answer(decide(visitor, first))["code"]
    assert flow.answer(decide(visitor, second, decision="deny"))["error"] == "access_denied"
    assert flow.token(code=code).status_code == 200


@pytest.mark.requirement("AZ-13")
def test_the_second_click_of_a_double_click_on_a_step_up_gives_a_code_too(flow, visitor):
    flow.tokens(visitor)
    page = visitor.open(flow.url(scope="notes:read notes:write"))
    decide(visitor, page)
    assert "code" in flow.answer(decide(visitor, page))


@pytest.mark.requirement("AZ-13")
def test_two_tabs_can_ask_and_be_answered_in_either_order(flow, visitor):
    flow.register()
    first, second = visitor.open(flow.url()), visitor.open(flow.url(scope="notes:read notes:write"))
    assert "code" in flow.answer(decide(visitor, second))
    again = decide(visitor, first)
    assert again.status_code == 409, "the first page did not show what is allowed by now"
    assert "code" in flow.answer(decide(visitor, again))


@pytest.mark.requirement("AZ-13", "AZ-14")
def test_decisions_at_one_instant_add_up_to_one_grant(flow, visitor, site):
    flow.register()
    pages = [visitor.open(flow.url(scope=scope)) for scope in ("notes:read", "notes:write", "notes:delete")] * 3
    tabs = zip(tabs_of(visitor, site, len(pages)), pages, strict=True)
    with ThreadPoolExecutor(len(pages)) as pool:
        answers = list(pool.map(lambda each: decide(*each), tabs))
    assert {answer.status_code for answer in answers} <= {303, 409}
    listed = site.deployment.stores.grants.page(flow.values["client_id"], None, 10)
    (grant,) = listed.lines
    assert set(grant.scopes) <= {"notes:read", "notes:write", "notes:delete"}


@pytest.mark.requirement("AZ-13")
def test_a_session_that_ended_meanwhile_leads_through_sign_in_back_to_the_page(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    ada = site.deployment.stores.users.by_name("ada")
    site.deployment.stores.sessions.end_all(ada.id, EVENT)
    answer = decide(visitor, page)
    assert "Password" in answer.text
    again = visitor.open(flow.url())
    assert boxes(again) == ["notes:read"]
    assert "code" in flow.answer(decide(visitor, again))


@pytest.mark.requirement("AZ-10", "AZ-13")
@pytest.mark.parametrize("token", ["", "stale", "\0"])
def test_a_stale_form_shows_the_page_again_and_decides_nothing(flow, visitor, token):
    flow.register()
    page = visitor.open(flow.url())
    again = decide(visitor, page, csrf_token=token)
    assert again.status_code == 400
    assert "out of date" in again.text
    assert groups(again) == {"What it asks for": ["notes:read"]}
    assert "code" in flow.answer(decide(visitor, again))


@pytest.mark.requirement("AZ-10")
def test_a_form_that_another_site_sends_decides_nothing(hosted, visitor, site):
    visitor.open("/sign-in")
    forged = visitor.http.post(
        hosted.url(redirect_uri=HOSTED),
        data={"decision": "allow", "scope": "notes:read"},
        headers={"Origin": "https://evil.example"},
    )
    assert (forged.status_code, forged.location) == (400, None)
    assert not site.deployment.stores.grants.page(hosted.values["client_id"], None, 10).lines


@pytest.mark.requirement("AZ-13")
def test_a_client_deleted_between_page_and_decision_is_a_page(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    site.deployment.stores.clients.delete(flow.values["client_id"], EVENT)
    answer = decide(visitor, page)
    assert (answer.status_code, answer.location) == (400, None)
    assert "not registered here" in answer.text


def test_a_redirect_uri_keeps_its_own_query(flow, visitor):
    uri = "https://app.example/cb?tenant=a%20b&x="
    flow.register({**PUBLIC, "redirect_uris": [uri]})
    answer = visitor.decide(flow.url(redirect_uri=uri))
    assert answer.location.startswith(f"{uri}&code=")


def test_a_server_without_default_scopes_needs_a_scope(flow, visitor, site):
    bare = replace(NOTES, identifier="https://bare.example/mcp", name="Bare", is_default=False)
    bare = replace(bare, scopes=tuple(replace(scope, is_default=False) for scope in bare.scopes))
    site.deployment.stores.resources.add(bare, EVENT)
    try:
        flow.register()
        told = flow.answer(visitor.open(flow.url(resource=bare.identifier, scope=None)))
    finally:
        site.deployment.stores.resources.remove(bare.identifier, EVENT)
    assert told["error"] == "invalid_scope"
