"""What providers publish and how they are asked: kept while it is good, and never believed of another."""

import threading
from collections.abc import Callable
from typing import cast
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from sqlalchemy import update

from authserver.protocol import credential
from authserver.store.models import FetchedDocumentRow
from authserver.store.upstream_attempts import Purpose, UpstreamAttempt
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor
from tests.journeys.ports import free_port
from tests.outbound.authority import Authority

from .conftest import settings, table_of
from .journey import begin, check_refused
from .liar import ACCESS_TOKEN, Liar, public

WELL_KNOWN = "/.well-known/openid-configuration"


def test_a_key_that_came_with_a_rotation_is_fetched(site: Site, false: Liar):
    first, journey = begin(site.http(), false), begin(site.http(), false)
    false.gives(false.sign(first.claims()))
    assert first.back().status_code == 303
    false.key, false.kid = ec.generate_private_key(ec.SECP256R1()), "second"
    false.answers["/jwks"] = {"keys": [public(false.key, "second")]}
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(FetchedDocumentRow).values(fetched_at=FetchedDocumentRow.fetched_at - 60))
    false.gives(false.sign(journey.claims()))
    assert journey.back().status_code == 303


class TestUserInfo:
    @pytest.fixture
    def told(self, false: Liar) -> Liar:
        document = false.metadata(userinfo_endpoint=f"{false.issuer}/userinfo")
        false.answers[WELL_KNOWN] = document
        return false

    def test_it_adds_what_the_token_does_not_say(self, site: Site, told: Liar):
        journey = begin(site.http(), told)
        told.gives(told.sign(journey.claims(name="By token")))
        told.answers["/userinfo"] = {"sub": "s-1", "email": "a@b.example", "name": "By user info", "iss": "evil"}
        assert journey.back().status_code == 303
        assert ("/userinfo", {}, f"Bearer {ACCESS_TOKEN}") in told.asked
        assert site.deployment.stores.identities.find(told.issuer, "s-1").display_name == "By token"

    @pytest.mark.parametrize("answer", [{"sub": "s-2"}, {}, [], "x"])
    def test_that_of_somebody_else_is_refused(self, site: Site, told: Liar, answer: object):
        journey = begin(site.http(), told)
        told.gives(told.sign(journey.claims()))
        told.answers["/userinfo"] = answer
        check_refused(site, journey)


class TestMetadata:
    @pytest.mark.parametrize(
        "changes",
        [
            {"issuer": "https://evil.example"},
            {"issuer": None},
            {"authorization_endpoint": "http://localhost/authorize"},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"authorization_endpoint": "https://x.example/#a"},
            {"authorization_endpoint": "https://x.example/\nSet-Cookie: a=b"},
            {"token_endpoint": None},
            {"jwks_uri": 7},
        ],
        ids=str,
    )
    def test_what_is_not_right_sends_nobody_anywhere(self, site: Site, false: Liar, changes: dict[str, object]):
        false.answers[WELL_KNOWN] = false.metadata(**changes)
        http = site.http()
        with pytest.raises(AssertionError, match="Liar does not answer"):
            begin(http, false)

    @pytest.mark.parametrize("answer", [(404, b""), (500, b""), (200, b"<html>"), (301, b"")])
    def test_a_provider_that_is_down_gets_a_page_and_no_loop(self, site: Site, false: Liar, answer: tuple[int, bytes]):
        false.answers[WELL_KNOWN] = answer
        http = site.http()
        for _ in range(2):
            with pytest.raises(AssertionError, match="Liar does not answer"):
                begin(http, false)
        assert len([path for path, _, _ in false.asked if path == WELL_KNOWN]) == 1  # it is left alone for a while

    def test_a_good_document_outlives_a_bad_one(self, site: Site, false: Liar):
        begin(site.http(), false)
        false.answers[WELL_KNOWN] = false.metadata(issuer="https://evil.example")
        with site.deployment.stores.database.transaction() as connection:
            connection.execute(update(FetchedDocumentRow).values(fresh_until=1, fetched_at=1_000_000_000_0))
        begin(site.http(), false)

    @pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": 7}, {"keys": [{"kty": "oct", "k": "AAAA"}]}, []])
    def test_a_key_set_without_a_usable_key_signs_in_nobody(self, site: Site, false: Liar, keys: object):
        false.answers["/jwks"] = keys
        journey = begin(site.http(), false)
        false.gives(false.sign(journey.claims()))
        check_refused(site, journey, "Down", 503)

    def test_a_private_network_that_was_not_chosen_is_not_reached(self, site: Site, false: Liar):
        document = false.metadata(token_endpoint="https://127.0.0.2:9/token")
        false.answers[WELL_KNOWN] = document
        journey = begin(site.http(), false)
        check_refused(site, journey, "Down", 503)


def test_a_client_proves_itself_as_the_provider_takes_it(site_of: Callable[..., Site], false: Liar):
    site = site_of(client_secret="s: /+")
    for methods, basic in (([], True), (["client_secret_post"], False), (["client_secret_basic"], True)):
        false.answers[WELL_KNOWN] = false.metadata(token_endpoint_auth_methods_supported=methods or None)
        with site.deployment.stores.database.transaction() as connection:
            connection.execute(update(FetchedDocumentRow).values(fresh_until=0, fetched_at=0))
        site.deployment.stores.fetched.forget()
        journey = begin(site.http(), false)
        false.gives(false.sign(journey.claims()))
        assert journey.back().status_code == 303
        _, form, header = next(each for each in reversed(false.asked) if each[0] == "/token")
        assert (header == "Basic dXM6cyUzQSUyMCUyRiUyQg==", form.get("client_secret") == ["s: /+"]) == (
            basic,
            not basic,
        )


def test_an_issuer_may_end_in_a_slash(site_of: Callable[..., Site], false: Liar):
    site = site_of(issuer=f"{false.issuer}/")
    false.answers[WELL_KNOWN] = false.metadata(issuer=f"{false.issuer}/")
    journey = begin(site.http(), false)
    false.gives(false.sign(journey.claims(iss=f"{false.issuer}/")))
    assert journey.back().status_code == 303


def test_an_issuer_that_is_another_by_a_slash_alone_is_another(site_of: Callable[..., Site], false: Liar):
    site = site_of(issuer=f"{false.issuer}/")
    with pytest.raises(AssertionError, match="Liar does not answer"):
        begin(site.http(), false)


def test_a_flood_of_sign_ins_from_one_address_is_slowed_down(
    site_with: Callable[..., Site], authority: Authority, false: Liar
):
    site = site_with(**settings(authority, table_of(false)), sign_ins_per_address="2 per minute")
    begin(site.http(), false)
    begin(site.http(), false)
    with pytest.raises(AssertionError, match="Please slow down"):
        begin(site.http(), false)


def test_a_state_is_consumed_once_however_many_ask_at_once(site: Site):
    store, browser = site.deployment.stores.upstream_attempts, credential.digest("browser")
    digest = credential.digest("state")
    store.begin(UpstreamAttempt(digest, browser, "liar", Purpose.SIGN_IN, None, "/"), 600)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(store.consume(digest, browser, "liar"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([each for each in found if each is not None]) == 1


@pytest.mark.requirement("AZ-6")
@pytest.mark.parametrize(
    ("listed", "preferred", "told"),
    [
        ("fr-CA de", "en", "fr-CA de"),
        ("", "de-AT, en;q=0.5", "de"),
        ("<script> de", "en", "de"),
        ("", "fr", None),
        ("_", "", None),
    ],
)
def test_a_provider_is_asked_in_the_languages_of_the_app_or_else_of_the_page(
    site: Site, false: Liar, listed: str, preferred: str, told: str | None
):
    http = site.http()
    cast(FlaskClient, http).environ_base["HTTP_ACCEPT_LANGUAGE"] = preferred
    onwards = quote(f"/authorize?ui_locales={quote(listed, safe='')}", safe="")
    assert begin(http, false, f"/sign-in?next={onwards}").asked.get("ui_locales") == told


def test_when_nothing_answers_people_sign_in_with_their_passwords(site_of: Callable[..., Site], false: Liar):
    site = site_of(issuer=f"https://localhost:{free_port()}")
    with pytest.raises(AssertionError, match="sign in with that"):
        begin(site.http(), false)
    assert "You are signed in as" in Visitor(site).open("/sign-in").text
