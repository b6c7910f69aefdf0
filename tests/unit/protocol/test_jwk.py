"""Public keys of clients: which are taken, and what each may be used for."""

import base64

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from authserver.protocol import jwk
from authserver.protocol.errors import InvalidClientMetadata
from tests.conformance.signer import MAKERS, Signer

pytestmark = pytest.mark.requirement("CR-12")

SIGNER = Signer.new()
FITTING = {"ES256": {"ES256"}, "EdDSA": {"EdDSA"}, "PS256": {"PS256", "RS256"}, "RS256": {"PS256", "RS256"}}
EVERY = ("ES256", "ES384", "EdDSA", "PS256", "RS256", "HS256", "none", "", "es256")


def number(value: int) -> str:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize("alg", MAKERS)
def test_a_key_verifies_by_the_algorithms_that_fit_it_and_no_other(alg):
    signer = Signer.new(alg)
    key = jwk.read(signer.jwk)
    assert key is not None
    signature = jwt.get_algorithm_by_name(alg).sign(b"message", signer.key)
    assert key.verifies(alg, b"message", signature)
    assert not key.verifies(alg, b"other", signature)
    assert set(key.algorithms) == FITTING[alg]
    assert not any(key.verifies(other, b"message", signature) for other in EVERY if other != alg)


def test_a_key_that_names_its_algorithm_takes_no_other():
    signer = Signer.new("PS256")
    key = jwk.read({**signer.jwk, "alg": "RS256"})
    assert key is not None
    assert key.algorithms == ("RS256",)
    assert jwk.read({**signer.jwk, "alg": "ES256"}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"}, {"key_ops": ["encrypt"]}, {"key_ops": "verify"}, {"alg": "RSA-OAEP"}, {"alg": "none"},
        {"alg": 7}, {"kty": "oct", "k": "c2VjcmV0"}, {"kty": None}, {"kty": ["EC"]}, {"crv": "P-384"}, {"crv": None},
        {"crv": "secp256k1"}, {"x": ""}, {"x": "AAAA"}, {"x": 7}, {"y": None}, {"kid": 7}, {"kid": ["a"]},
        {"kid": "k" * 2000},
    ],
)  # fmt: skip
def test_a_key_of_another_purpose_or_form_is_of_no_use(changes):
    assert jwk.read({**SIGNER.jwk, **changes}) is None


def test_a_point_off_the_curve_is_no_key():
    assert jwk.read({**SIGNER.jwk, "y": SIGNER.jwk["x"]}) is None


@pytest.mark.parametrize("bits", [1024, 2040])
def test_a_weak_key_is_of_no_use(bits):
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    assert jwk.read({"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}) is None


@pytest.mark.parametrize(
    ("n", "e"), [(2**8200 + 1, 65537), (2**2047 + 1, 2**2046 + 1), (2**2047 + 1, 1), (2**2047 + 1, 4)]
)
def test_a_key_that_is_slow_to_use_or_none_is_of_no_use(n, e):
    assert jwk.read({"kty": "RSA", "n": number(n), "e": number(e)}) is None


def test_a_key_is_read_once():
    assert jwk.read(SIGNER.jwk) is jwk.read(dict(SIGNER.jwk))


def test_a_set_keeps_the_public_members_of_the_keys_that_are_of_use():
    other = {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}
    sent = {"keys": [{**SIGNER.jwk, "x5u": "https://evil.example", "note": "x" * 100}, other], "more": 1}
    assert jwk.public_set(sent) == {"keys": [SIGNER.jwk]}


PRIVATE = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    "sent",
    [
        None, [], "keys", {}, {"keys": {}}, {"keys": []}, {"keys": ["key"]}, {"keys": [{}]}, {"keys": [[SIGNER.jwk]]},
        {"keys": [SIGNER.jwk] * 11},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        {"keys": [SIGNER.jwk, {"kty": "oct", "k": "c2VjcmV0"}]},
        {"keys": [jwt.get_algorithm_by_name("ES256").to_jwk(PRIVATE, as_dict=True)]},
        {"keys": [{**SIGNER.jwk, "d": None}]},
        {"keys": [{"kty": "RSA", "n": number(2**1023 + 1), "e": "AQAB"}]},
    ],
)  # fmt: skip
def test_a_set_that_is_none_or_gives_secrets_away_is_refused(sent):
    with pytest.raises(InvalidClientMetadata):
        jwk.public_set(sent)
