"""PKCE: S256 and nothing else."""

import pytest

from authserver.protocol import pkce
from authserver.protocol.errors import InvalidRequest

pytestmark = pytest.mark.requirement("AZ-1")

# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_example_of_the_rfc():
    assert pkce.challenge_of(VERIFIER) == CHALLENGE
    assert pkce.check_challenge(CHALLENGE, "S256") == CHALLENGE


@pytest.mark.parametrize("method", [None, "plain", "s256", "S512"])
def test_every_other_method_is_refused(method):
    with pytest.raises(InvalidRequest):
        pkce.check_challenge(CHALLENGE, method)


@pytest.mark.parametrize("challenge", [None, "", "short", CHALLENGE + "\n", CHALLENGE + "A", CHALLENGE[:-1] + "+"])
def test_a_missing_or_malformed_challenge_is_refused(challenge):
    with pytest.raises(InvalidRequest):
        pkce.check_challenge(challenge, "S256")


@pytest.mark.parametrize("verifier", [None, "a" * 42, "a" * 129, "a" * 43 + "\n", "ä" * 43, "a b" * 20])
def test_a_verifier_has_43_to_128_unreserved_characters(verifier):
    with pytest.raises(InvalidRequest):
        pkce.challenge_of(verifier)


@pytest.mark.parametrize("length", [43, 128])
def test_the_bounds_are_allowed(length):
    assert pkce.challenge_of("a" * length)
