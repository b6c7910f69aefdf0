"""What a provider says is believed only if all of it is right; otherwise nobody is signed in, and a page says so."""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conformance.site import Site, open_site
from tests.database import Databases
from tests.outbound.authority import Authority

from .conftest import settings, table_of
from .journey import CLIENT_ID, Journey, begin, check_refused
from .liar import Liar, liar, public, unsigned


@pytest.fixture(scope="module")
def known(databases: Databases, set_up: tuple[str, Path], authority: Authority) -> Iterator[tuple[Site, Liar]]:
    """A server and its provider, for all tests that change no more than what is said of one person."""
    url = databases.create(set_up[0])
    with liar(authority.serving("localhost")) as found:
        site = open_site(url, set_up[1], **settings(authority, table_of(found)))
        yield site, found
        site.deployment.stores.database.close()
    databases.drop(url)


@pytest.fixture
def site(known: tuple[Site, Liar]) -> Site:
    return known[0]


@pytest.fixture
def false(known: tuple[Site, Liar]) -> Liar:
    known[1].asked.clear()
    return known[1]


@pytest.fixture
def journey(site: Site, false: Liar) -> Journey:
    found = begin(site.http(), false)
    found.subject = f"s-{secrets.token_hex(8)}"
    return found


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": ["a"]},
        {"aud": "somebody else"},
        {"aud": None},
        {"aud": [CLIENT_ID, "somebody else"]},
        {"aud": [CLIENT_ID, "somebody else"], "azp": "somebody else"},
        {"aud": [CLIENT_ID, "somebody else"], "azp": CLIENT_ID},
        {"azp": "somebody else"},
        {"nonce": "another"},
        {"nonce": ""},
        {"nonce": 7},
        {"exp": timedelta(hours=-1)},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": timedelta(days=-1)},
        {"iat": timedelta(days=1)},
        {"iat": None},
        {"iat": "now"},
        {"nbf": timedelta(days=1)},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "a\nb"},
        {"at_hash": "wrong"},
        {"at_hash": 7},
        {"amr": "pwd"},
        {"auth_time": "now"},
    ],
    ids=str,
)
def test_a_claim_that_is_not_right_is_refused(site: Site, false: Liar, journey: Journey, changes: dict[str, object]):
    now = time.time()
    said = {name: int(now + at.total_seconds()) if isinstance(at, timedelta) else at for name, at in changes.items()}
    false.gives(false.sign(journey.claims(**said)))
    check_refused(site, journey)


def test_a_token_without_a_nonce_is_refused(site: Site, false: Liar, journey: Journey):
    claims = journey.claims()
    del claims["nonce"]
    false.gives(false.sign(claims))
    check_refused(site, journey)


def test_a_token_of_another_round_trip_is_refused(site: Site, false: Liar, journey: Journey):
    false.gives(false.sign(begin(site.http(), false).claims()))
    check_refused(site, journey)


@pytest.mark.parametrize("alg", ["none", "None", "", "HS256", "RS256", "EdDSA", None, 7])
def test_another_algorithm_is_refused(site: Site, false: Liar, journey: Journey, alg: object):
    false.gives(unsigned({"alg": alg, "kid": "first"}, journey.claims()) + "c2ln")
    check_refused(site, journey)


def test_a_public_key_is_no_secret_for_hmac(site: Site, false: Liar, journey: Journey):
    signed = unsigned({"alg": "HS256", "kid": "first"}, journey.claims()).rstrip(".")
    secret = json.dumps(public(false.key, "first")).encode()
    signature = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).rstrip(b"=").decode()
    false.gives(f"{signed}.{signature}")
    check_refused(site, journey)


@pytest.mark.parametrize("header", [{}, {"jku": "https://evil.example/jwks"}, {"kid": "unknown"}])
def test_a_token_of_another_key_is_refused(site: Site, false: Liar, journey: Journey, header: dict[str, str]):
    key = ec.generate_private_key(ec.SECP256R1())
    false.gives(jwt.encode(journey.claims(), key, "ES256", {"kid": "first", "jwk": public(key, "first"), **header}))
    check_refused(site, journey)


@pytest.mark.parametrize("header", [{"crit": ["b64"], "b64": True}, {"typ": "at+jwt"}, {"typ": "logout+jwt"}])
def test_another_kind_of_token_is_refused(site: Site, false: Liar, journey: Journey, header: dict[str, object]):
    false.gives(jwt.encode(journey.claims(), false.key, "ES256", {"kid": "first", **header}))
    check_refused(site, journey)


@pytest.mark.parametrize("text", [None, 7, "", "a.b", "a.b.c", "x" * 100_000, {"a": 1}, "e30.e30.", "e30.W10.c2ln"])
def test_what_is_no_token_is_refused(site: Site, false: Liar, journey: Journey, text: object):
    false.gives(text)
    check_refused(site, journey)


@pytest.mark.parametrize(
    "answer",
    [
        (400, b'{"error": "invalid_grant"}'),
        (401, b'{"error": "invalid_client"}'),
        (200, b'{"error": "bad_verification_code"}'),
        (200, b"{}"),
        (200, b'{"access_token": 7}'),
    ],
)
def test_a_code_that_is_refused_there_signs_in_nobody(
    site: Site, false: Liar, journey: Journey, answer: tuple[int, bytes]
):
    false.answers["/token"] = answer
    check_refused(site, journey)


@pytest.mark.parametrize(
    "answer", [(500, b"{}"), (200, b"<html>"), (200, b"[]"), (302, b""), (200, b"{" + b" " * 300_000)]
)
def test_a_provider_out_of_order_gets_a_page_that_says_so(
    site: Site, false: Liar, journey: Journey, answer: tuple[int, bytes]
):
    false.answers["/token"] = answer
    check_refused(site, journey, "Down", 503)
