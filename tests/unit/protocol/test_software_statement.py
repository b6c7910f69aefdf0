"""Software statements made of anything at all: applied, or refused in words."""

import base64
import json
from contextlib import suppress

import hypothesis.strategies as st
import pytest
from hypothesis import given

from authserver.protocol import jwk
from authserver.protocol.errors import InvalidSoftwareStatement, UnapprovedSoftwareStatement
from authserver.protocol.jwk import PublicKey
from authserver.protocol.registration.software_statement import MEMBER, StatementIssuers

VENDOR = "https://vendor.example"
KEY = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
       "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ALGS = st.sampled_from(["ES256", "none", "RS256", "HS256"]) | ANYTHING
HEADERS = st.fixed_dictionaries({"alg": ALGS}, optional=dict.fromkeys(("kid", "typ", "crit", "jwk"), ANYTHING))
MEMBERS = ("exp", "nbf", "iat", "aud", "client_name", "redirect_uris", "jwks")
CLAIMS = st.fixed_dictionaries({"iss": st.just(VENDOR) | ANYTHING}, optional=dict.fromkeys(MEMBERS, ANYTHING))


class Agreeing:
    """In a key's place: takes every signature, so that all that comes after it is tried too."""

    kid = None

    def verifies(self, alg: str, message: bytes, signature: bytes) -> bool:
        return True


def compact(header: object, claims: object, signature: bytes) -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.requirement("CR-2")
@given(HEADERS | ANYTHING, CLAIMS | ANYTHING, st.binary(min_size=1, max_size=80), st.booleans())
def test_a_statement_of_anything_is_applied_or_refused(header, claims, signature, agreeing):

    key = jwk.read(KEY)
    assert isinstance(key, PublicKey)
    issuers = StatementIssuers("https://as.example", {VENDOR: (Agreeing() if agreeing else key,)})  # type: ignore[dict-item]
    with suppress(InvalidSoftwareStatement, UnapprovedSoftwareStatement):
        issuers.apply({MEMBER: compact(header, claims, signature)}, 1_800_000_000.0)
