"""Client assertions: which are read, and which prove nothing."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol import client_assertion
from authserver.protocol.client_assertion import BadAssertion

pytestmark = pytest.mark.requirement("CR-12")

NOW = 1_800_000_000.0
ISSUER = "https://auth.example"
AUDIENCES = {ISSUER, f"{ISSUER}/token"}
HEADER = {"alg": "ES256", "kid": "key-1"}
CLAIMS = {"iss": "me", "sub": "me", "aud": ISSUER, "jti": "once", "iat": NOW, "exp": NOW + 60}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def compact(header: object = HEADER, claims: object = CLAIMS) -> str:
    return f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}.c2ln"


def judged(**claims: object) -> int:
    return client_assertion.check(client_assertion.parse(compact(claims={**CLAIMS, **claims})), AUDIENCES, NOW)


@pytest.mark.parametrize("aud", [ISSUER, f"{ISSUER}/token", [ISSUER]])
def test_it_is_for_the_issuer_or_its_token_endpoint(aud):
    assert judged(aud=aud) == NOW + 60


@pytest.mark.parametrize(
    "aud",
    [
        None, "", [], "https://other.example", [ISSUER, "https://other.example"], [ISSUER, f"{ISSUER}/token"],
        [[ISSUER]], {"aud": ISSUER}, f"{ISSUER}/", ISSUER.upper(), f"{ISSUER}/introspect", 7,
    ],
)  # fmt: skip
def test_it_is_for_nobody_else_even_beside_us(aud):
    with pytest.raises(BadAssertion):
        judged(aud=aud)


@pytest.mark.parametrize(
    "times",
    [
        {"exp": NOW - 29}, {"exp": NOW + 330}, {"exp": NOW + 60.5}, {"iat": NOW - 330}, {"iat": None},
        {"iat": NOW + 30, "nbf": NOW + 30},
    ],
)  # fmt: skip
def test_clocks_may_differ_a_little(times):
    assert judged(**times) >= NOW - 29


@pytest.mark.parametrize(
    "times",
    [
        {"exp": None}, {"exp": NOW - 30}, {"exp": NOW + 331}, {"exp": str(NOW + 60)}, {"exp": True}, {"exp": [NOW]},
        {"exp": 10**400}, {"exp": -1}, {"exp": float("inf")}, {"exp": float("nan")},
        {"iat": str(NOW)}, {"iat": NOW - 331}, {"iat": NOW + 31}, {"iat": False}, {"iat": {}}, {"iat": 1e300},
        {"nbf": NOW + 31}, {"nbf": "now"},
    ],
)  # fmt: skip
def test_times_are_numbers_within_bounds(times):
    with pytest.raises(BadAssertion):
        judged(**times)


@pytest.mark.parametrize("jti", [None, "", ["once"], 7, {"jti": "once"}])
def test_it_has_a_name_of_its_own(jti):
    with pytest.raises(BadAssertion):
        judged(jti=jti)


@pytest.mark.parametrize(
    "claims",
    [{"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": ["me"]}, {"iss": None}, {"iss": "other"}, {"iss": ["me"]}],
)
def test_issuer_and_subject_are_the_client(claims):
    with pytest.raises(BadAssertion):
        client_assertion.parse(compact(claims={**CLAIMS, **claims}))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": None}, {"alg": 7}, {"alg": ["ES256"]}, {"kid": 7}, {"kid": ["key-1"]}, {"typ": "at+jwt"},
        {"typ": "oauth-id-jag+jwt"}, {"typ": "dpop+jwt"}, {"typ": None}, {"typ": 7}, {"crit": ["exp"]}, {"crit": []},
        {"crit": ["b64"], "b64": False}, {"b64": False}, {"b64": True},
    ],
)  # fmt: skip
def test_a_header_that_asks_for_something_else_is_refused(header):
    with pytest.raises(BadAssertion):
        client_assertion.parse(compact(header={**HEADER, **header}))


@pytest.mark.parametrize("kind", ["JWT", "jwt", "client-authentication+jwt", "application/client-authentication+JWT"])
def test_the_types_of_an_assertion_are_taken(kind):
    assert client_assertion.parse(compact(header={**HEADER, "typ": kind})).client_id == "me"


GOOD = compact()
HEAD, BODY = json.dumps(HEADER).encode(), json.dumps(CLAIMS).encode()


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "a.b", "a.b.c.d.e", f"{GOOD}.", f".{GOOD}", f"{GOOD}=", f"{GOOD} ", f"{GOOD}\n", f"ü{GOOD}",
        GOOD.replace(".", ".="), GOOD.rpartition(".")[0] + ".", GOOD + "a" * 9000,
    ],
)  # fmt: skip
def test_what_is_no_compact_jws_is_refused(text):
    with pytest.raises(BadAssertion):
        client_assertion.parse(text)


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b"[]", BODY), (b"[" * 3000, BODY), (b"null", BODY), (HEAD[:-1] + b',"alg":"none"}', BODY), (b"\xff\xfe", BODY),
        (HEAD, b"[]"), (HEAD, b"{"), (HEAD, b"\xff\xfe"), (HEAD, GOOD.encode()), (HEAD, b'"me"'), (HEAD, b"{}" + BODY),
        (HEAD, BODY[:-1] + b',"sub":"other"}'), (HEAD, BODY[:-1] + b',"x":{"y":1,"y":2}}'),
        (HEAD, BODY[:-1] + b',"n":' + b"9" * 5000 + b"}"), (HEAD, BODY[:-1] + b',"n":NaN}'),
        (HEAD, BODY[:-1] + b',"n":' + b"[" * 2500 + b"}"),
    ],
)  # fmt: skip
def test_header_and_claims_are_plain_objects_that_say_each_thing_once(header, payload):
    with pytest.raises(BadAssertion):
        client_assertion.parse(f"{encoded(header)}.{encoded(payload)}.c2ln")


def test_names_of_two_clients_do_not_meet():
    first = client_assertion.parse(compact(claims={**CLAIMS, "iss": "a", "sub": "a", "jti": "bc"}))
    second = client_assertion.parse(compact(claims={**CLAIMS, "iss": "ab", "sub": "ab", "jti": "c"}))
    assert client_assertion.fingerprint("a", first) != client_assertion.fingerprint("ab", second)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["alg", "kid", "typ", "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "crit"])


@given(st.dictionaries(MEMBERS, JSON), st.dictionaries(MEMBERS, JSON))
def test_any_members_are_judged_or_refused(header, claims):
    try:
        found = client_assertion.parse(compact({**HEADER, **header}, {**CLAIMS, **claims}))
        client_assertion.check(found, AUDIENCES, NOW)
    except BadAssertion:
        return
    assert found.client_id == found.claims["iss"]
    assert len(client_assertion.fingerprint(found.client_id, found)) == 32


@given(st.text())
def test_any_text_is_read_or_refused(text):
    with pytest.raises(BadAssertion):
        client_assertion.parse(text)
