"""Whoever decides nothing new is led back at once, by what comes with their session; what has changed is asked anew."""

import time

import pytest
from sqlalchemy import update

from authserver.protocol.audit import Event
from authserver.protocol.grant_term import GrantOver
from authserver.store.grants import GrantStore
from authserver.store.models import GrantRow
from authserver.store.standing import LATELY_SECONDS
from authserver.web.oauth.at_once import AtOnce

from .conftest import HOSTED
from .test_decisions import consent_form, decide


@pytest.fixture
def asked_apart(monkeypatch):
    """The places that grants were asked about, apart from sessions."""
    found, standing = [], GrantStore.standing

    def note(store, user_id, place):
        found.append(place)
        return standing(store, user_id, place)

    monkeypatch.setattr(GrantStore, "standing", note)
    return found


@pytest.fixture
def by_views(monkeypatch):
    """Has every authorization request be answered by the views."""
    monkeypatch.setattr(AtOnce, "answer", lambda *_: None)


@pytest.mark.requirement("AZ-9")
def test_how_they_stand_comes_with_the_session(hosted, visitor, asked_apart):
    hosted.answer(visitor.decide(hosted.url(redirect_uri=HOSTED)))
    assert "code" in hosted.answer(visitor.open(hosted.url(redirect_uri=HOSTED)))
    assert asked_apart == []


@pytest.mark.requirement("AZ-9")
@pytest.mark.parametrize("left_out", ["redirect_uri", "resource"])
def test_what_a_request_leaves_to_the_server_is_what_they_allowed_all_the_same(hosted, visitor, asked_apart, left_out):
    hosted.answer(visitor.decide(hosted.url(redirect_uri=HOSTED)))
    answer = visitor.open(hosted.url(**{"redirect_uri": HOSTED, left_out: ""}))
    assert "code" in hosted.answer(answer)
    assert [place.redirect_host for place in asked_apart] == ["app.example"]


@pytest.mark.requirement("AZ-9", "AZ-14")
def test_what_only_looks_like_the_same_place_is_none(hosted, visitor, admin):
    hosted.answer(visitor.decide(hosted.url(redirect_uri=HOSTED)))
    elsewhere = hosted.url(redirect_uri=HOSTED).replace("app.example", "evil.example")
    assert visitor.open(elsewhere).status_code == 400
    assert consent_form(admin.open(hosted.url(redirect_uri=HOSTED))), "another person"


@pytest.mark.requirement("AZ-13")
@pytest.mark.usefixtures("by_views")
def test_what_has_changed_since_the_session_was_looked_at_is_asked_anew(hosted, visitor, site, asked_apart):
    hosted.answer(decide(visitor, visitor.open(hosted.url(redirect_uri=HOSTED))))
    service = type(site.deployment.authorization)
    approve = service.approve
    with pytest.MonkeyPatch.context() as patched:

        def meanwhile(*arguments, **more):
            patched.setattr(service, "approve", approve)
            with site.deployment.stores.database.transaction() as connection:
                connection.execute(update(GrantRow).values(ends_at=1_700_000_000))
            return approve(*arguments, **more)

        patched.setattr(service, "approve", meanwhile)
        assert "code" in hosted.answer(visitor.open(hosted.url(redirect_uri=HOSTED)))
    (place,) = asked_apart
    assert place.redirect_host == "app.example"


@pytest.mark.requirement("AZ-9")
@pytest.mark.parametrize("when", ["way", "approve"])
@pytest.mark.parametrize("seconds", [0, 2 * LATELY_SECONDS])
def test_what_they_took_back_meanwhile_is_asked_again(hosted, visitor, site, monkeypatch, when, seconds):
    """As the server looks for the client, whose document may take seconds, or as it writes the answer down."""
    asked = hosted.url(redirect_uri=HOSTED)
    hosted.answer(visitor.decide(asked))
    other = type(visitor)(hosted.site)
    other.open("/account/connections")  # another device, where no grant stands, and all is remembered
    service = type(site.deployment.authorization)
    step = getattr(service, when)

    def slowly(*arguments, **more):
        (grant,) = site.deployment.stores.grants.of_client(hosted.values["client_id"], 10).lines
        site.deployment.stores.grants.revoke(grant.id, Event("test.done", "system"))
        time.sleep(seconds)
        return step(*arguments, **more)

    monkeypatch.setattr(service, when, slowly)
    page = other.http.get(asked)
    assert page.status_code == 200
    assert consent_form(page)
    (grant,) = site.deployment.stores.grants.of_client(hosted.values["client_id"], 10).lines
    assert grant.revoked_at, "and nothing was allowed again"


@pytest.mark.requirement("AZ-9", "AZ-10")
@pytest.mark.parametrize("prompt", ["", "none"])
@pytest.mark.usefixtures("by_views")
def test_a_session_that_ends_meanwhile_allows_nothing(hosted, visitor, site, monkeypatch, prompt):
    """As the server looks for the client, whose document may take seconds."""
    asked, ada = hosted.url(redirect_uri=HOSTED, prompt=prompt), site.deployment.stores.users.by_name("ada")
    hosted.answer(visitor.decide(hosted.url(redirect_uri=HOSTED)))
    service = type(site.deployment.authorization)
    way = service.way

    def slowly(*arguments, **more):
        site.deployment.stores.sessions.end_all(ada.id, Event("test.done", "system"))
        return way(*arguments, **more)

    monkeypatch.setattr(service, "way", slowly)
    answer = visitor.http.get(asked)
    assert answer.status_code == 303
    if prompt:
        assert "error=login_required" in answer.location
    else:
        assert answer.location.startswith("/sign-in?next=")


@pytest.mark.requirement("AZ-13")
def test_whoever_decides_while_it_changes_faster_is_shown_it_again(hosted, visitor, site, monkeypatch):
    page = visitor.open(hosted.url(redirect_uri=HOSTED))

    def over(*arguments, **more):
        raise GrantOver

    monkeypatch.setattr(type(site.deployment.authorization), "approve", over)
    shown = decide(visitor, page)
    assert shown.status_code == 409
    assert consent_form(shown)


@pytest.mark.requirement("AZ-13")
def test_whoever_changes_it_faster_than_it_can_be_looked_at_is_asked(hosted, visitor, site, monkeypatch):
    asked = hosted.url(redirect_uri=HOSTED)
    hosted.answer(visitor.decide(asked))

    def over(*arguments, **more):
        raise GrantOver

    monkeypatch.setattr(type(site.deployment.authorization), "approve", over)
    page = visitor.http.get(asked)
    assert page.status_code == 200
    assert consent_form(page)
    told = visitor.http.get(hosted.url(redirect_uri=HOSTED, prompt="none"))
    assert "error=consent_required" in told.location
