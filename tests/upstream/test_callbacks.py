"""What browsers bring back: used once, by who began it, from the provider that was asked, in time."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from authserver.protocol.audit import Event, Origin
from authserver.protocol.role import Role
from authserver.protocol.trace.step import Cause
from authserver.store.models import UpstreamAttemptRow, UserRow
from authserver.store.traces import TraceFilter
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms
from tests.outbound.authority import Authority
from tests.purging import purge

from .conftest import settings, table_of
from .journey import CLIENT_ID, begin, is_signed_in, refused
from .liar import Liar, liar

OVER = "That sign-in is over"
PROVIDERS = "/account/security/providers"


def test_an_honest_answer_signs_in_and_goes_on(site: Site, false: Liar):
    http = site.http()
    journey = begin(http, false, "/sign-in?next=/account/connections")
    assert journey.asked["response_type"] == "code"
    assert (journey.asked["client_id"], journey.asked["scope"]) == (CLIENT_ID, "openid email profile")
    assert (journey.asked["code_challenge_method"], len(journey.asked["code_challenge"])) == ("S256", 43)
    assert journey.asked["redirect_uri"] == "http://localhost:9000/sign-in/from/liar"
    false.gives(false.sign(journey.claims()))
    answer = journey.back()
    assert (answer.status_code, answer.location) == (303, "/account/connections")
    assert is_signed_in(http)
    (token,) = (form for path, form, _ in false.asked if path == "/token")
    assert token["client_id"] == [CLIENT_ID]
    assert len(token["code_verifier"][0]) == 43
    assert token["redirect_uri"] == [journey.asked["redirect_uri"]]


@pytest.mark.requirement("AZ-10", "AZ-13")
def test_a_replayed_answer_is_refused_and_ends_nothing(site: Site, false: Liar):
    http = site.http()
    journey = begin(http, false)
    false.gives(false.sign(journey.claims()))
    assert journey.back().status_code == 303
    again = journey.back()
    assert (again.status_code, OVER in again.text) == (400, True)
    assert is_signed_in(http)
    assert len([path for path, _, _ in false.asked if path == "/token"]) == 1


def test_an_answer_in_another_browser_is_refused_and_stays_good_in_the_right_one(site: Site, false: Liar):
    journey = begin(site.http(), false)
    false.gives(false.sign(journey.claims()))
    right, other = journey.http, site.http()
    journey.http = other
    answer = journey.back()
    assert (answer.status_code, OVER in answer.text) == (400, True)
    begin(other, false)  # one that has a device cookie of its own
    assert journey.back().status_code == 400
    assert not is_signed_in(other)
    journey.http = right
    assert journey.back().status_code == 303


@pytest.mark.parametrize(
    "changes",
    [
        {"state": None},
        {"state": ""},
        {"state": "x" * 43},
        {"state": "\N{LATIN SMALL LETTER A WITH DIAERESIS}" * 43},
        {"state": "x" * 100_000},
        {"code": None},
        {"code": ""},
        {"error": "access_denied"},
        {"code": "x" * 5000},
        {"code": "a\0b"},
    ],
    ids=str,
)
def test_a_forged_answer_is_refused(site: Site, false: Liar, changes: dict[str, str | None]):
    journey = begin(site.http(), false)
    answer = journey.back(**changes)
    assert (answer.status_code, OVER in answer.text) == (400, True)
    assert not [path for path, _, _ in false.asked if path == "/token"]


def test_a_parameter_that_comes_twice_is_refused(site: Site, false: Liar):
    journey = begin(site.http(), false)
    state = journey.asked["state"]
    for query in (f"state={state}&code=a&code=b", f"state={state}&state=x&code=a"):
        assert journey.http.get(f"/sign-in/from/liar?{query}").status_code == 400
    assert journey.http.get("/sign-in/from/nobody?state=x&code=y").status_code == 404


def test_an_answer_after_ten_minutes_is_refused(site: Site, false: Liar):
    journey = begin(site.http(), false)
    database = site.deployment.stores.database
    with database.transaction() as connection:
        connection.execute(update(UpstreamAttemptRow).values(expires_at=UpstreamAttemptRow.expires_at - 600))
    answer = journey.back()
    assert (answer.status_code, OVER in answer.text) == (400, True)
    assert purge(database)["upstream_attempts"] == 1


def test_the_database_knows_no_state_and_no_secret_of_an_attempt(site: Site, false: Liar):
    journey = begin(site.http(), false)
    with site.deployment.stores.database.reading() as connection:
        row = connection.execute(select(*UpstreamAttemptRow.__table__.columns)).one()
    kept = repr(tuple(row))
    assert journey.asked["state"] not in kept
    assert journey.asked["nonce"] not in kept


@pytest.mark.requirement("AZ-10")
@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_no_answer_leads_elsewhere(site: Site, false: Liar, next_page: str):
    journey = begin(site.http(), false, f"/sign-in?next={next_page}")
    false.gives(false.sign(journey.claims()))
    assert journey.back().location == "/"


@pytest.mark.requirement("AZ-10")
def test_a_sign_in_is_not_begun_by_another_site(site: Site):
    answer = site.http().post("/sign-in", data={"upstream": "liar"})
    assert answer.status_code == 400
    assert "out of date" in answer.text


@pytest.mark.requirement("AZ-10")
def test_a_session_that_was_there_before_is_ended(site: Site, false: Liar):
    ada = Visitor(site)
    ada.open("/sign-in")
    old = ada.http.get_cookie("session").value
    page = ada.http.get(PROVIDERS)
    ada.submit(page, forms(page)[0], {})  # signs out
    journey = begin(ada.http, false)
    false.gives(false.sign(journey.claims(name="Other")))
    assert journey.back().status_code == 303
    thief = site.http()
    thief.set_cookie("session", old)
    assert not is_signed_in(thief)


class TestLinking:
    def test_it_ends_with_the_session_that_began_it(self, site: Site, false: Liar):
        ada = Visitor(site)
        ada.open("/sign-in")
        journey = begin(ada.http, false, PROVIDERS, field="link")
        page = ada.http.get("/")
        ada.submit(page, next(form for form in forms(page) if form.action == "/sign-out"), {})
        ada.username = "root"
        ada.open("/sign-in")
        false.gives(false.sign(journey.claims()))
        answer = journey.back()
        assert (answer.status_code, OVER in answer.text) == (400, True)
        assert refused(site) == "NotBegun"
        for name in ("ada", "root"):
            user = site.deployment.stores.users.by_name(name)
            assert not site.deployment.stores.identities.of_user(user.id)

    def test_somebody_who_is_lured_to_an_answer_of_anothers_links_nothing(self, site: Site, false: Liar):
        mallory, ada = Visitor(site, "root"), Visitor(site)
        mallory.open("/sign-in")
        ada.open("/sign-in")
        journey = begin(mallory.http, false, PROVIDERS, field="link")
        false.gives(false.sign(journey.claims()))
        journey.http = ada.http
        assert journey.back().status_code == 400
        assert not site.deployment.stores.identities.of_user(site.deployment.stores.users.by_name("ada").id)

    def test_it_takes_a_sign_in_of_late_and_a_form_of_this_site(self, site: Site, false: Liar):
        assert site.http().get(PROVIDERS).status_code == 303
        ada = Visitor(site)
        ada.open("/sign-in")
        assert ada.http.post(PROVIDERS, data={"link": "liar"}).status_code == 400


class TestAgain:
    def test_another_account_there_does_not_make_the_session_fresh(self, site: Site, false: Liar):
        http = site.http()
        journey = begin(http, false)
        false.gives(false.sign(journey.claims()))
        journey.back()
        again = begin(http, false, f"/sign-in/again?next={PROVIDERS}")
        assert (again.asked["prompt"], again.asked["max_age"]) == ("login", "0")
        false.gives(false.sign(again.claims(sub="s-2", auth_time=again.claims()["iat"])))
        assert again.back().status_code == 403
        assert refused(site) == "Another"

    @pytest.mark.parametrize("auth_time", [None, 1, True, "now"])
    def test_a_sign_in_of_before_does_not_make_the_session_fresh(self, site: Site, false: Liar, auth_time: object):
        http = site.http()
        journey = begin(http, false)
        false.gives(false.sign(journey.claims()))
        journey.back()
        again = begin(http, false, f"/sign-in/again?next={PROVIDERS}")
        false.gives(false.sign(again.claims(auth_time=auth_time)))
        assert again.back().status_code == 502
        assert refused(site) == "NotBelieved"

    def test_a_session_is_as_old_as_the_sign_in_there(self, site: Site, false: Liar):
        http = site.http()
        journey = begin(http, false)
        now = journey.claims()["iat"]
        false.gives(false.sign(journey.claims(auth_time=now - 3600)))
        journey.back()
        assert http.get(PROVIDERS).location == f"/sign-in/again?next={PROVIDERS}"


class TestMixUp:
    @pytest.mark.parametrize("iss", ["https://evil.example", "", "https://localhost"])
    def test_an_answer_of_another_issuer_is_refused(self, site: Site, false: Liar, iss: str):
        journey = begin(site.http(), false)
        assert journey.back(iss=iss).status_code == 502
        assert refused(site) == "NotBelieved"
        assert not [path for path, _, _ in false.asked if path == "/token"]

    def test_a_provider_that_names_itself_always_has_to(self, site: Site, false: Liar):
        document = false.metadata(authorization_response_iss_parameter_supported=True)
        false.answers["/.well-known/openid-configuration"] = document
        assert begin(site.http(), false).back().status_code == 502
        journey = begin(site.http(), false)
        false.gives(false.sign(journey.claims()))
        assert journey.back(iss=false.issuer).status_code == 303

    def test_a_code_is_not_sent_to_another_provider(
        self, site_with: Callable[..., Site], authority: Authority, false: Liar
    ):
        with liar(authority.serving("localhost")) as other:
            site = site_with(**settings(authority, table_of(false), table_of(other, "other")))
            journey = begin(site.http(), other, upstream="other")
            journey.upstream = "liar"
            assert journey.back().status_code == 400
            assert not [path for path, _, _ in [*other.asked, *false.asked] if path == "/token"]


def test_a_disabled_person_is_told_so_and_stays_out(site: Site, false: Liar):
    http = site.http()
    journey = begin(http, false)
    false.gives(false.sign(journey.claims()))
    journey.back()
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(UserRow).where(UserRow.password_hash == "").values(disabled_at=1))
    journey = begin(http, false)
    false.gives(false.sign(journey.claims()))
    answer = journey.back()
    assert (answer.status_code, "Your account is disabled" in answer.text) == (403, True)
    assert not is_signed_in(http)


@pytest.mark.requirement("AZ-12")
def test_who_has_no_password_is_not_opened_by_any(site: Site):
    event = Event("user.added", "system", Origin())
    site.deployment.stores.users.add("nopass", "No", "", Role.MEMBER, event)
    for password in ("", " ", "x", PASSWORD):
        http = site.http()
        form = dict(forms(http.get("/sign-in"))[0].fields)
        http.post("/sign-in", data={**form, "username": "nopass", "password": password})
        assert not is_signed_in(http)


def test_whoever_switches_the_account_is_asked_there_who_they_are(site: Site, false: Liar):
    http = site.http()
    journey = begin(http, false)
    false.gives(false.sign(journey.claims()))
    journey.back()
    form = next(form for form in forms(http.get("/")) if form.action == "/sign-out")
    http.post("/sign-out", data={**dict(form.fields), "next": "/account/connections"})
    assert begin(http, false).asked["prompt"] == "login"
    begun = begin(site.http(), false)
    assert "prompt" not in begun.asked
    assert begun.asked["max_age"] == str(site.deployment.settings.session_lifetime)


def test_a_sign_in_with_a_provider_belongs_to_the_attempt_to_connect(site: Site, false: Liar):
    http, tracing = site.http(), site.deployment.tracing
    onwards = f"/authorize?client_id=app&code_challenge={'x' * 43}&code_challenge_method=S256"
    journey = begin(http, false, f"/sign-in?next={quote(onwards, safe='')}")
    false.gives("no token")
    answer = journey.back()
    reference = re.search(r"Reference: <code>([^<]+)", answer.text)[1]
    tracing.recorder.flush()
    (line,) = site.deployment.stores.traces.page(TraceFilter(), None, 5).lines
    assert (line.id, line.cause) == (reference, Cause.UPSTREAM_FAILED)
