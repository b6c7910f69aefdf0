"""For how long something is allowed: what the consent page offers, what is chosen, and what becomes of it (AZ-8)."""

import re
import time

import jwt
import pytest
from sqlalchemy import update

from authserver.protocol.audit import Event
from authserver.store.audit import AuditFilter
from authserver.store.models import GrantRow
from tests.conformance.flow import PUBLIC
from tests.conformance.site import PASSWORD
from tests.conformance.visitor import Visitor, forms

from .conftest import HOSTED
from .test_consent_page import groups, words
from .test_decisions import consent_form, decide

EVENT = Event("test.done", "system")
HOUR, DAY = 3600, 86_400


def offered(page) -> list[str]:
    return re.findall(r'name="until" value="(.*?)"', page.text)


def chosen(page) -> list[str]:
    return [value for name, value in consent_form(page).fields if name == "until"]


def grants(site, flow):
    return site.deployment.stores.grants.of_client(flow.values["client_id"], 10).lines


def live(site, flow):
    (grant,) = [one for one in grants(site, flow) if not one.revoked_at and not one.ran_out]
    return grant


def end_at_once(site):
    with site.deployment.stores.database.transaction() as connection:
        ended = update(GrantRow).where(GrantRow.ends_at.is_not(None))
        connection.execute(ended.values(ends_at=int(time.time()) - 1))


def in_seconds(site, seconds):
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(GrantRow).values(ends_at=int(time.time()) + seconds))


@pytest.mark.requirement("AZ-8")
def test_it_is_allowed_until_it_is_ended_unless_the_person_says_otherwise(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    assert offered(page) == ["revoked", "30-days", "8-hours", "session"]
    assert chosen(page) == ["revoked"]
    flow.answer(decide(visitor, page))
    (grant,) = grants(site, flow)
    assert grant.ends_at is None


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(("until", "seconds"), [("30-days", 30 * DAY), ("8-hours", 8 * HOUR)])
def test_the_person_chooses_for_how_long(flow, visitor, site, until, seconds):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until=until))
    assert seconds - 60 < live(site, flow).ends_at - time.time() <= seconds


@pytest.mark.requirement("AZ-8", "TK-1")
def test_no_access_token_outlives_its_grant(flow, visitor, site):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until="8-hours"))
    whole = flow.token().json
    assert whole["expires_in"] == site.deployment.settings.access_token_lifetime
    in_seconds(site, 200)
    (grant,) = grants(site, flow)
    for found in (flow.refresh().json, flow.refresh().json):
        assert 100 < found["expires_in"] <= 200
        claims = jwt.decode(found["access_token"], options={"verify_signature": False})
        assert claims["exp"] <= grant.ends_at


@pytest.mark.requirement("AZ-8", "TK-10")
def test_what_is_over_is_refused_everywhere_before_anybody_has_written_it_down(flow, visitor, site):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until="8-hours"))
    token = flow.token().json["access_token"]
    end_at_once(site)
    assert flow.refresh().json["error"] == "invalid_grant"
    flow.answer(decide(visitor, visitor.open(flow.url()), until="8-hours"))
    end_at_once(site)
    assert flow.token().json["error"] == "invalid_grant"
    assert site.deployment.introspection.formats.read(token)
    assert groups(visitor.open(flow.url())) == {"What it asks for": ["notes:read"]}
    assert "No app is connected" in visitor.open("/account/connections").text


@pytest.mark.requirement("AZ-8")
def test_for_the_session_means_until_the_person_signs_out_here(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    assert "Until you sign out here at the latest" in words(page)
    flow.answer(decide(visitor, page, until="session"))
    flow.token()
    assert flow.refresh().status_code == 200
    visitor.submit(page, next(form for form in forms(page) if form.action == "/sign-out"), {})
    assert flow.refresh().json["error"] == "invalid_grant"
    (grant,) = grants(site, flow)
    assert grant.revoked_at


@pytest.mark.requirement("AZ-8", "AZ-10")
def test_for_the_session_goes_on_here_and_ends_elsewhere_as_all_others_are_signed_out(flow, visitor, site):
    flow.register()
    other = Visitor(site)
    for browser in (other, visitor):
        flow.answer(decide(browser, browser.open(flow.url()), until="session"))
    page = visitor.open("/account/sessions/end")
    assert "but for what was allowed until sign-out there" in page.text
    visitor.submit(page, forms(page)[-1], {})
    assert sorted(bool(grant.revoked_at) for grant in grants(site, flow)) == [False, True]
    flow.token()
    here = visitor.open("/account/security")
    visitor.submit(here, next(form for form in forms(here) if form.action == "/sign-out"), {})
    assert flow.refresh().json["error"] == "invalid_grant"


@pytest.mark.requirement("AZ-8", "AZ-10")
def test_for_the_session_does_not_outlive_signing_out_where_the_browser_was_closed_between(flow, visitor, site):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until="session"))
    flow.token()
    visitor.http.delete_cookie("session")
    page = visitor.open(flow.url(scope="notes:read notes:write"))
    assert offered(page)[0] == "revoked", "what was allowed for the session before is over"
    assert flow.refresh().json["error"] == "invalid_grant"
    flow.answer(decide(visitor, page, until="session"))
    flow.token()
    visitor.submit(page, next(form for form in forms(page) if form.action == "/sign-out"), {})
    assert flow.refresh().json["error"] == "invalid_grant"
    assert all(grant.revoked_at for grant in grants(site, flow))


@pytest.mark.requirement("AZ-8", "AZ-10")
def test_for_the_session_goes_on_when_the_person_proves_once_more_who_they_are(flow, visitor, site):
    flow.register()
    page = visitor.open(flow.url())
    flow.answer(decide(visitor, page, until="session"))
    flow.token()
    again = visitor.http.get("/sign-in/again")
    form = next(form for form in forms(again) if "password" in form.names())
    visitor.submit(again, form, {"password": PASSWORD})
    assert flow.refresh().status_code == 200
    here = visitor.open("/account/security")
    visitor.submit(here, next(form for form in forms(here) if form.action == "/sign-out"), {})
    assert flow.refresh().json["error"] == "invalid_grant"


@pytest.mark.requirement("AZ-8", "AZ-14")
def test_the_next_page_tells_until_when_it_is_allowed_and_keeps_that(flow, visitor, site):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until="8-hours"))
    (before,) = grants(site, flow)
    page = visitor.open(flow.url(scope="notes:read notes:write"))
    assert offered(page)[0] == "kept"
    assert chosen(page) == ["kept"]
    assert re.search(r"Allowed until \d+.*?\(UTC\)\. Untick", words(page))
    assert "also for what is allowed already" in words(page)
    flow.answer(decide(visitor, page))
    (after,) = grants(site, flow)
    assert (after.ends_at, after.scopes) == (before.ends_at, ("notes:read", "notes:write"))
    flow.answer(decide(visitor, visitor.open(flow.url()), until="revoked"))
    assert grants(site, flow)[0].ends_at is None


@pytest.mark.requirement("AZ-9")
def test_a_remembered_consent_counts_only_while_its_grant_lives(hosted, visitor, site):
    asked = hosted.url(redirect_uri=HOSTED)
    hosted.answer(decide(visitor, visitor.open(asked), until="8-hours"))
    (before,) = grants(site, hosted)
    assert "code" in hosted.answer(visitor.open(asked)), "not asked again"
    assert grants(site, hosted)[0].ends_at == before.ends_at, "and no longer than was said"
    end_at_once(site)
    assert visitor.open(asked).status_code == 200
    told = hosted.answer(visitor.open(f"{asked}&prompt=none"))
    assert told["error"] == "consent_required"


@pytest.mark.requirement("AZ-9")
def test_what_was_allowed_for_a_while_is_asked_again_on_another_device(hosted, visitor, site):
    asked = hosted.url(redirect_uri=HOSTED)
    hosted.answer(decide(visitor, visitor.open(asked), until="30-days"))
    assert groups(Visitor(site).open(asked)) == {"What it asks for": ["notes:read"]}


@pytest.mark.requirement("AZ-13")
def test_a_silent_answer_for_what_ends_in_that_moment_becomes_a_question(hosted, visitor, site, monkeypatch):
    asked = hosted.url(redirect_uri=HOSTED)
    hosted.answer(decide(visitor, visitor.open(asked), until="8-hours"))
    service = type(site.deployment.authorization)
    approve = service.approve

    def meanwhile(*arguments, **more):
        end_at_once(site)
        return approve(*arguments, **more)

    monkeypatch.setattr(service, "approve", meanwhile)
    assert groups(visitor.open(asked)) == {"What it asks for": ["notes:read"]}


@pytest.mark.requirement("AZ-13")
def test_a_session_that_ends_while_something_is_allowed_for_it_leads_to_sign_in(flow, visitor, site, monkeypatch):
    flow.register()
    page = visitor.open(flow.url())
    service = type(site.deployment.authorization)
    approve = service.approve

    def meanwhile(*arguments, **more):
        site.deployment.stores.sessions.end_all(arguments[3].user_id, EVENT)
        return approve(*arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(service, "approve", meanwhile)
        answer = decide(visitor, page, until="session")
    assert "Password" in answer.text
    assert grants(site, flow) == ()
    assert "code" in flow.answer(decide(visitor, visitor.open(flow.url()), until="session"))


@pytest.mark.parametrize("until", ["", "forever", "\0", "8-hours "])
def test_what_is_no_choice_is_as_the_page_proposed(flow, visitor, site, until):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until=until))
    assert grants(site, flow)[0].ends_at is None


@pytest.mark.parametrize("look", [{"decision": "search"}, {"scope": []}, {"shown": "something else"}])
def test_a_page_that_is_shown_again_keeps_the_choice(flow, visitor, look):
    flow.register()
    again = decide(visitor, visitor.open(flow.url()), **look, until="8-hours")
    assert chosen(again) == ["8-hours"]


@pytest.mark.requirement("AZ-8")
def test_the_page_of_connections_tells_until_when(flow, visitor, site):
    for until, said in (
        ("revoked", "Until you end it"),
        ("session", "Until you sign out of the browser in which you allowed it"),
        ("8-hours", r"Until \d{4}-\S+ \S+ \(UTC\)"),
    ):
        flow.register({**PUBLIC, "client_name": f"App {until}"})
        flow.answer(decide(visitor, visitor.open(flow.url()), until=until))
        page = visitor.open("/account/connections")
        section = page.text.split(f"App {until}")[1].split("</section>")[0]
        assert re.search(said, " ".join(re.sub(r"<[^>]+>", " ", section).split()))


@pytest.mark.requirement("AZ-8")
def test_the_trail_tells_what_was_chosen_and_that_it_ended(flow, visitor, site):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until="8-hours"))
    end_at_once(site)
    assert site.deployment.stores.grants.expire(100)
    about = AuditFilter(client_id=flow.values["client_id"])
    told = {line.event.name: line.event for line in site.deployment.stores.audit.page(about, None, 20)}
    assert told["grant.approved"].detail["until"] == "8-hours"
    assert told["grant.expired"].user_id == site.deployment.stores.users.by_name("ada").id
    assert told["grant.expired"].grant_id == grants(site, flow)[0].id
    assert "A connection ended when you had wanted it to" in visitor.open("/account/activity").text
