"""Opaque tokens: whole and ours, or nothing (TK-2)."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.keys.opaque import OpaqueTokens

pytestmark = pytest.mark.requirement("TK-2", "TK-6")
ISSUER = "https://auth.example"
TOKENS = OpaqueTokens(lambda: b"k" * 32, ISSUER)
CLAIMS = {"iss": ISSUER, "sub": "alice", "exp": 4_000_000_000, "scope": "notes:read"}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_what_was_sealed_is_opened_and_shows_nothing():
    token = TOKENS.seal(CLAIMS)
    assert TOKENS.open(token) == CLAIMS
    assert token.startswith("mcpa_")
    raw = base64.urlsafe_b64decode(token.removeprefix("mcpa_") + "==")
    assert b"alice" not in raw
    assert TOKENS.seal(CLAIMS) != token


def test_another_spelling_of_any_character_is_another_token():
    token = TOKENS.seal(CLAIMS)
    for place in range(len(token)):
        for letter in (ALPHABET[(ALPHABET.find(token[place]) + step) % 64] for step in (1, 2, 16, 32)):
            forged = token[:place] + letter + token[place + 1 :]
            assert TOKENS.open(forged) is None, (place, letter)


def test_a_shorter_or_longer_one_is_none():
    token = TOKENS.seal(CLAIMS)
    for length in range(len(token)):
        assert TOKENS.open(token[:length]) is None
    for more in ("A", "AA", "AAAA", "=", "==", "\n", " "):
        assert TOKENS.open(token + more) is None


def test_one_of_another_deployment_or_issuer_is_none():
    for other in (OpaqueTokens(lambda: b"j" * 32, ISSUER), OpaqueTokens(lambda: b"k" * 32, ISSUER + "/tenant")):
        assert TOKENS.open(other.seal(CLAIMS)) is None


def test_it_ends_with_its_time():
    assert TOKENS.open(TOKENS.seal({**CLAIMS, "exp": int(time.time())})) is None
    assert TOKENS.open(TOKENS.seal({**CLAIMS, "exp": int(time.time()) + 60}))


@given(st.one_of(st.text(), st.text(ALPHABET), st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode())))
def test_nothing_that_somebody_makes_up_is_one(text: str):
    assert TOKENS.open("mcpa_" + text) is None
    assert TOKENS.open(text) is None
