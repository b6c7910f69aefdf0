"""GitHub's way, against a server that answers as GitHub's API does."""

from collections.abc import Callable

import pytest

from authserver.protocol.role import Role
from tests.conformance.site import Site
from tests.conformance.visitor import forms

from .journey import Journey, begin, refused
from .liar import ACCESS_TOKEN, Liar

PERSON = {"id": 583231, "login": "octocat", "name": "The Octocat", "email": "public@elsewhere.example"}
ADDRESSES = [
    {"email": "public@elsewhere.example", "primary": False, "verified": True},
    {"email": "Octo@corp.example", "primary": True, "verified": True},
]


@pytest.fixture
def site(site_of: Callable[..., Site]) -> Site:
    return site_of(kind="github", client_secret="s3cret", trusted_domains=["corp.example"], roles={"acme": "support"})


@pytest.fixture
def hub(false: Liar) -> Liar:
    """What GitHub says of the octocat."""
    false.answers["/login/oauth/access_token"] = {"access_token": ACCESS_TOKEN, "token_type": "bearer", "scope": ""}
    false.answers["/api/v3/user"] = PERSON
    false.answers["/api/v3/user/emails"] = ADDRESSES
    false.answers["/api/v3/user/orgs"] = [{"login": "acme", "id": 1}]
    return false


@pytest.fixture
def journey(site: Site, hub: Liar) -> Journey:
    return begin(site.http(), hub)


def test_somebody_signs_in_with_github(site: Site, hub: Liar, journey: Journey):
    assert (journey.asked["scope"], journey.asked["code_challenge_method"]) == ("read:user user:email", "S256")
    assert journey.back().status_code == 303
    found = site.deployment.stores.identities.find(hub.issuer, "583231")
    assert (found.username, found.email, found.display_name) == (
        "octo@corp.example",
        "octo@corp.example",
        "The Octocat",
    )
    assert found.role is Role.SUPPORT
    _, form, _ = next(each for each in hub.asked if each[0] == "/login/oauth/access_token")
    assert (form["client_secret"], len(form["code_verifier"][0])) == (["s3cret"], 43)
    assert all(header == f"Bearer {ACCESS_TOKEN}" for path, _, header in hub.asked if path.startswith("/api"))


def test_an_address_that_is_not_verified_there_counts_for_nothing(site: Site, hub: Liar, journey: Journey):
    hub.answers["/api/v3/user/emails"] = [{"email": "octo@corp.example", "primary": True, "verified": False}]
    assert journey.back().status_code == 303
    found = site.deployment.stores.identities.find(hub.issuer, "583231")
    assert (found.username, found.email) == ("octocat@liar", None)


def test_a_name_that_was_given_to_another_opens_another_account(site: Site, hub: Liar, journey: Journey):
    hub.answers["/api/v3/user/emails"] = []
    journey.back()
    hub.answers["/api/v3/user"] = {**PERSON, "id": 7}
    begin(site.http(), hub).back()
    first, second = (site.deployment.stores.identities.find(hub.issuer, subject) for subject in ("583231", "7"))
    assert first.id != second.id
    assert second.username == "octocat-2@liar"


@pytest.mark.parametrize("answer", [{}, [], {"id": "583231"}, {"id": True}, {"id": None}, (401, b"{}")], ids=str)
def test_an_api_that_does_not_say_who_it_is_signs_in_nobody(site: Site, hub: Liar, journey: Journey, answer: object):
    hub.answers["/api/v3/user"] = answer
    assert journey.back().status_code == 502
    assert refused(site) == "NotBelieved"


@pytest.mark.parametrize("answer", [{}, "x", [7], [{"email": 7, "primary": True, "verified": True}]], ids=str)
def test_odd_lists_are_none(site: Site, hub: Liar, journey: Journey, answer: object):
    hub.answers["/api/v3/user/emails"] = answer
    hub.answers["/api/v3/user/orgs"] = answer
    assert journey.back().status_code == 303


def test_github_cannot_prove_that_somebody_is_still_there(site: Site, hub: Liar, journey: Journey):
    journey.back()
    page = journey.http.get("/sign-in/again")
    assert "Sign out, sign in again" in page.text
    assert not [form for form in forms(page) if "upstream" in form.names()]
    assert site.deployment.upstream.again(site.deployment.stores.identities.find(hub.issuer, "583231")) == ()
