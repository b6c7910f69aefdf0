"""Whatever is sent as a passkey gets the page again, with a word about it, and opens nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.accounts.errors import WrongFactor
from authserver.protocol.audit import Event, Origin
from authserver.protocol.credential import base64url
from authserver.store.factors import Kind, NewFactor, PasskeyExists
from tests.conformance.site import Site
from tests.conformance.visitor import forms
from tests.web.pages.factor_owner import FACTORS, Person

WORDS = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=80).map(base64url)
PARTS = ("id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature", "userHandle")
MADE_UP = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PARTS), inner, max_size=8)
)
EVENT = Event("factor.added", "system")


@pytest.fixture
def person(site: Site) -> Person:
    return Person(site)


def client_data(challenge: bytes, **changes: object) -> str:
    said = {"type": "webauthn.get", "challenge": base64url(challenge), "origin": "http://localhost:9000"}
    return base64url(json.dumps({**said, **changes}).encode())


def signed_by_nobody(credential_id: bytes, data: str, **response: object) -> str:
    parts = {"clientDataJSON": data, "authenticatorData": base64url(b"\0" * 37), "signature": base64url(b"x")}
    named = {"id": base64url(credential_id), "rawId": base64url(credential_id), "type": "public-key"}
    return json.dumps({**named, "response": {**parts, **response}})


@pytest.mark.parametrize(
    "sent",
    [
        *(
            "",
            "x",
            "[]",
            "null",
            "{}",
            "{" * 9000,
            "\ud800",
            "x" * 100_000,
            '{"rawId":"é"}',
            '{"rawId":"AA","response":"x"}',
        ),
        *('{"rawId":"AA","response":{"clientDataJSON":"AA"}}', '{"rawId":"A","rawId":"B"}', '{"rawId":1e999}'),
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", f"{FACTORS}/passkey"])
def test_what_is_no_passkey_is_told_so(person: Person, path: str, sent: str):
    if path != "/sign-in":
        person.browser.open("/sign-in")
    form = next(form for form in forms(person.browser.http.get(path)) if "credential" in form.names())
    answer = person.browser.http.post(path, data={**dict(form.fields), "credential": sent.encode("utf-8", "replace")})
    assert answer.status_code in {400, 413}
    assert person.site.deployment.stores.factors.of_user(person.user.id) == ()


@given(MADE_UP)
def test_nothing_made_up_is_a_passkey(site: Site, made_up: object):
    passkeys, sent = site.deployment.second_factors.passkeys, json.dumps(made_up)
    user = site.deployment.stores.users.by_name("ada")
    with pytest.raises(WrongFactor):
        passkeys.judge(sent, "sign-in", Origin())
    with pytest.raises(WrongFactor):
        passkeys.add(user, "x", sent, "x", Origin())


def test_a_known_passkey_takes_its_own_signature_over_a_challenge_of_ours(person: Person, site: Site):
    passkeys, credential_id = site.deployment.second_factors.passkeys, person.user.id.encode()
    new = NewFactor(Kind.PASSKEY, "Key", b"no key", credential_id=credential_id)
    site.deployment.stores.factors.add(person.user.id, new, EVENT)
    ours = passkeys.challenges.new("ask sign-in")
    for data in (
        client_data(ours),
        client_data(ours, origin="https://evil.example"),
        client_data(ours[:-1] + bytes([ours[-1] ^ 1])),
        client_data(passkeys.challenges.new("ask second 00")),
        client_data(b""),
        client_data(ours, type="webauthn.create"),
    ):
        for handle in (None, base64url(b"somebody else"), base64url(credential_id), 5):
            with pytest.raises(WrongFactor):
                passkeys.judge(signed_by_nobody(credential_id, data, userHandle=handle), "sign-in", Origin())
    assert person.events("sign_in.failed")


@pytest.mark.requirement("AZ-12")
def test_passkeys_have_the_ceiling_of_their_address(site_with):
    http = site_with(sign_ins_per_address="2 per hour").http()
    token = dict(forms(http.get("/sign-in"))[0].fields)["csrf_token"]
    sent = {"csrf_token": token, "credential": signed_by_nobody(b"x", client_data(b""))}
    answers = [http.post("/sign-in", data=sent) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert "Retry-After" in answers[-1].headers


def test_a_challenge_is_for_one_purpose_and_taken_once(site: Site):
    challenges = site.deployment.second_factors.passkeys.challenges
    made = challenges.new("ask sign-in")
    assert challenges.is_ours(made, "ask sign-in")
    assert not challenges.is_ours(made, "add sign-in")
    late = bytes(4) + made[4:]
    assert not challenges.is_ours(late, "ask sign-in")
    assert challenges.use(made)
    assert not challenges.use(made)


def test_one_passkey_is_of_one_person(person: Person, site: Site):
    new = NewFactor(Kind.PASSKEY, "Key", b"x", credential_id=f"of {person.name}".encode())
    site.deployment.stores.factors.add(person.user.id, new, EVENT)
    with pytest.raises(PasskeyExists):
        site.deployment.stores.factors.add(Person(site).user.id, new, EVENT)


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9000", "http://[::1]:9000"])
def test_on_an_address_no_passkey_is_offered(site_with, issuer: str):
    person = Person(site_with(issuer=issuer))
    assert "data-ask" not in person.browser.open("/signed-out").text
    assert "data-ask" not in person.browser.http.get("/sign-in", base_url=issuer).text
    assert not person.site.deployment.second_factors.passkeys.are_possible
