"""Clients that prove themselves by their key, at each endpoint that asks who they are."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from authserver.protocol.audit import Event
from authserver.protocol.client_authentication import WORDING
from authserver.protocol.jwk import ALGORITHMS
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.signer import MAKERS, Members, Signer, claims, presenting
from tests.conformance.site import ISSUER, Site
from tests.conformance.visitor import Visitor

pytestmark = pytest.mark.requirement("CR-12")


def registered(site: Site, *signers: Signer, **changes: Any) -> Flow:
    flow = Flow(site)
    keys = {"jwks": {"keys": [signer.jwk for signer in signers]}} if signers else {}
    answer = flow.register({**PUBLIC, "token_endpoint_auth_method": "private_key_jwt", **keys, **changes})
    assert answer.status_code == 201, answer.text
    return flow


@pytest.fixture
def signer() -> Signer:
    return Signer.new()


@pytest.fixture
def keyed(site: Site, signer: Signer) -> Flow:
    return registered(site, signer)


def ask(flow: Flow, form: Members) -> TestResponse:
    """A request that only a proven client gets an answer to: about a token that there is not."""
    return flow.site.post("/token", data={"grant_type": "refresh_token", "refresh_token": "none", **form})


def refused(answer: TestResponse) -> bool:
    found = answer.json
    return (answer.status_code, found["error"], found["error_description"]) == (401, "invalid_client", WORDING)


def proven(answer: TestResponse) -> bool:
    return (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("alg", MAKERS)
@pytest.mark.parametrize("names", [{"client_id": None}, {}])
def test_a_client_proves_itself_by_its_key(site: Site, visitor: Visitor, alg: str, names: dict[str, None]) -> None:
    signer = Signer.new(alg)
    flow = registered(site, signer)
    assert "client_secret" not in flow.client
    assert "client_secret_expires_at" not in flow.client
    flow.allow(visitor)
    name = flow.client["client_id"]
    assert flow.token(**signer.form(name), **names).status_code == 200
    assert flow.refresh(**signer.form(name), **names).status_code == 200


@pytest.mark.requirement("TK-8", "TK-9")
def test_revocation_and_introspection_take_the_same_proof(keyed: Flow, signer: Signer, visitor: Visitor) -> None:
    keyed.allow(visitor)
    site, name = keyed.site, keyed.client["client_id"]
    tokens = keyed.token(**signer.form(name)).json
    about = {"token": tokens["access_token"]}
    assert site.post("/introspect", data={**about, **signer.form(name)}).json["active"] is True
    for path in ("/introspect", "/revoke"):
        stranger = Signer.new().form(name)
        assert refused(site.post(path, data={**about, **stranger}))
        assert site.post(path, data={**about, "client_id": name}).status_code == 401
    assert site.post("/revoke", data={**about, **signer.form(name)}).status_code == 200
    assert site.post("/introspect", data={**about, **signer.form(name)}).json == {"active": False}


def test_an_assertion_is_good_once_wherever_it_is_presented(site: Site, keyed: Flow, signer: Signer) -> None:
    form = signer.form(keyed.client["client_id"])
    assert proven(ask(keyed, form))
    assert refused(ask(keyed, form))
    for path in ("/introspect", "/revoke"):
        assert refused(site.post(path, data={"token": "x", **form}))


def test_the_name_that_counts_is_the_claim_and_not_its_spelling(keyed: Flow, signer: Signer) -> None:
    said = claims(keyed.client["client_id"])
    head = {"alg": "ES256", "kid": "key-1"}
    assert proven(ask(keyed, presenting(signer.signed(json.dumps(head).encode(), json.dumps(said).encode()))))
    escaped = "".join(f"\\u{ord(character):04x}" for character in said["jti"])
    again = json.dumps({**said, "exp": said["exp"] + 1}, indent=1).replace(said["jti"], escaped)
    assert refused(ask(keyed, presenting(signer.signed(json.dumps(head).encode(), again.encode()))))


def test_two_clients_may_use_one_name_for_an_assertion(site: Site, signer: Signer) -> None:
    for flow in (registered(site, signer), registered(site, signer)):
        assert proven(ask(flow, signer.form(flow.client["client_id"], jti="the same")))


def test_the_audience_is_the_issuer_or_its_token_endpoint_alone(keyed: Flow, signer: Signer) -> None:
    name = keyed.client["client_id"]
    for aud in (ISSUER, f"{ISSUER}/token", [ISSUER]):
        assert proven(ask(keyed, signer.form(name, aud=aud)))
    for aud in ("https://other.example", [ISSUER, "https://other.example"], f"{ISSUER}/revoke", None, [], ""):
        assert refused(ask(keyed, signer.form(name, aud=aud)))


def test_it_lives_five_minutes_at_the_most(keyed: Flow, signer: Signer) -> None:
    name, now = keyed.client["client_id"], int(time.time())
    wrong: list[Members] = [
        {"exp": now + 3600},
        {"exp": now - 60},
        {"exp": None},
        {"iat": now - 600},
        {"nbf": now + 99},
    ]
    for times in (*wrong, {"iat": "now"}, {"exp": str(now + 60)}):
        assert refused(ask(keyed, signer.form(name, **times)))
    assert proven(ask(keyed, signer.form(name, exp=now + 300)))


def test_the_key_of_another_client_proves_nothing(site: Site, keyed: Flow, signer: Signer) -> None:
    other = Signer.new()
    registered(site, other)
    assert refused(ask(keyed, other.form(keyed.client["client_id"])))
    name = registered(site, other).client["client_id"]
    assert refused(ask(keyed, signer.form(name)))
    crossed = signer.form(keyed.client["client_id"])
    answer = ask(keyed, {**crossed, "client_id": name})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_the_kid_chooses_the_key_and_without_it_each_is_tried(site: Site) -> None:
    first, second = Signer.new(kid="a"), Signer.new("RS256", kid="b")
    flow = registered(site, first, second)
    name = flow.client["client_id"]
    for signer in (first, second):
        assert proven(ask(flow, signer.form(name)))
        assert proven(ask(flow, presenting(signer.assertion(name, {"kid": None}))))
    for kid in ("b", "", "c", "../../a", "a\0", "A", "' OR 1=1", "/dev/null", "k" * 4000):
        assert refused(ask(flow, presenting(first.assertion(name, {"kid": kid}))))


def test_a_header_cannot_bring_its_own_key(keyed: Flow) -> None:
    name, stranger = keyed.client["client_id"], Signer.new()
    brought = {"jwk": stranger.jwk, "jku": "http://127.0.0.1:1/jwks", "x5u": "http://127.0.0.1:1/x", "x5c": ["AAAA"]}
    for header in ({}, {"kid": None}):
        assert refused(ask(keyed, presenting(stranger.assertion(name, {**brought, **header}))))


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"]}, {"b64": False}, {"crit": ["b64"], "b64": False}, {"typ": "at+jwt"}, {"crit": []}]
)
def test_a_header_that_asks_for_more_is_refused(keyed: Flow, signer: Signer, header: Members) -> None:
    assert refused(ask(keyed, presenting(signer.assertion(keyed.client["client_id"], header))))


def test_no_algorithm_stands_in_for_the_keys_own(site: Site) -> None:
    signer = Signer.new("RS256")
    flow = registered(site, signer)
    payload = json.dumps(claims(flow.client["client_id"])).encode()

    def forged(alg: str, secret: bytes) -> str:
        parts = (json.dumps({"alg": alg, "kid": "key-1"}).encode(), payload)
        signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
        mac = hmac.new(secret, signed, hashlib.sha256).digest() if secret else b"x"
        return f"{signed.decode()}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    pem = signer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (b"", json.dumps(signer.jwk).encode(), signer.jwk["n"].encode(), pem):
        for alg in ("none", "None", "HS256", "RS256", "PS256", "ES256", "EdDSA"):
            assert refused(ask(flow, presenting(forged(alg, secret))))


@pytest.mark.requirement("CR-13")
def test_a_client_that_named_its_algorithm_is_held_to_it(site: Site) -> None:
    signer = Signer.new("RS256")
    flow = registered(site, signer, token_endpoint_auth_signing_alg="RS256")
    assert proven(ask(flow, signer.form(flow.client["client_id"])))
    other = Signer(signer.key, "PS256")
    assert refused(ask(flow, other.form(flow.client["client_id"])))
    free = registered(site, signer)
    assert proven(ask(free, other.form(free.client["client_id"])))


PARTS = st.text('abcAZ09-_=.{}"', max_size=60) | st.binary(max_size=60).map(
    lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")
)


@given(
    st.lists(PARTS, max_size=5).map(".".join) | st.text(max_size=40),
    st.sampled_from(["/token", "/revoke", "/introspect"]),
)
def test_whatever_is_sent_as_an_assertion_is_refused_in_the_protocols_words(site: Site, text: str, path: str) -> None:
    answer = site.post(path, data={"token": "x", "grant_type": "client_credentials", **presenting(text)})
    assert answer.status_code in {400, 401}
    assert answer.json["error"] in {"invalid_client", "invalid_request"}


def test_an_access_token_of_ours_is_no_assertion(keyed: Flow, signer: Signer, visitor: Visitor) -> None:
    keyed.allow(visitor)
    token = keyed.token(**signer.form(keyed.client["client_id"])).json["access_token"]
    assert refused(ask(keyed, presenting(token)))


def test_two_ways_at_once_are_refused(keyed: Flow, signer: Signer) -> None:
    name = keyed.client["client_id"]
    basic = {"Authorization": "Basic " + base64.b64encode(f"{name}:x".encode()).decode()}
    form = {"grant_type": "refresh_token", "refresh_token": "none"}
    for headers, extra in (
        ({}, {"client_secret": "x"}),
        (basic, {}),
        ({}, {"client_assertion_type": "other"}),
        ({}, {"client_assertion_type": ""}),
        ({}, {"client_assertion": ""}),
    ):
        data = {**form, **signer.form(name), **extra}
        answer = keyed.site.post("/token", data=data, headers=headers)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_all_failures_are_told_in_the_same_words(site: Site, keyed: Flow, signer: Signer, flow: Flow) -> None:
    flow.register()
    suspended = registered(site, signer)
    site.deployment.stores.clients.set_suspended(
        suspended.client["client_id"], True, Event("client.suspended", "system")
    )
    attempts = [
        signer.form("nobody"),
        signer.form(flow.client["client_id"]),
        signer.form(suspended.client["client_id"]),
        signer.form("\0"),
        signer.form("\ud800"),
        presenting("x"),
        presenting("x" * 60_000),
        {"client_id": keyed.client["client_id"]},
        {"client_id": keyed.client["client_id"], "client_secret": "x"},
    ]
    assert all(refused(ask(keyed, form)) for form in attempts)


@pytest.mark.requirement("DI-4")
def test_the_metadata_says_what_is_taken(site: Site) -> None:
    found = site.get("/.well-known/oauth-authorization-server").json
    for endpoint in ("token", "revocation", "introspection"):
        assert "private_key_jwt" in found[f"{endpoint}_endpoint_auth_methods_supported"]
        assert found[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == list(ALGORITHMS)
    assert "none" in found["token_endpoint_auth_methods_supported"]
