"""An attempt has one reference, whether its query was read already or is looked at anew at another page."""

import pytest

from authserver.protocol import form
from authserver.protocol.errors import InvalidRequest

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
WHOLE = f"client_id=a&code_challenge={CHALLENGE}&scope=x%20y&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"


@pytest.mark.parametrize(
    "query",
    [
        WHOLE,
        f"{WHOLE}&resource=https%3A%2F%2Fone.example&resource=https%3A%2F%2Fother.example",
        f"{WHOLE}&resource=&resource=https%3A%2F%2Fother.example",
        f"{WHOLE}&state=&nonce=",
        "client_id=a&code_challenge=&scope=x",
        "client_id=&code_challenge=" + CHALLENGE,
        f"client_id=%C3%A9&code_challenge={CHALLENGE}&scope={'z' * 3000}",
        "scope=x",
        "",
    ],
)
def test_what_was_read_already_makes_the_same_attempt(site, query: str):
    tracing = site.deployment.tracing
    assert tracing.attempt(query, form.parse(query)) == tracing.attempt(query)


@pytest.mark.parametrize(
    "query",
    [f"{WHOLE}&client_id=b", f"{WHOLE}&scope=", f"{WHOLE}&state=%FF", f"{WHOLE}&state=%00", "&".join(["a=b"] * 101)],
)
def test_what_cannot_be_read_is_an_attempt_all_the_same(site, query: str):
    with pytest.raises(InvalidRequest):
        form.parse(query)
    assert site.deployment.tracing.attempt(query) == site.deployment.tracing.attempt(query)
