"""Who a back-channel request says it is, and whether that is proven."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol import credential
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.protocol.client_authentication import authenticate, presented
from authserver.protocol.errors import InvalidClient, InvalidRequest, OAuthError

pytestmark = pytest.mark.requirement("CR-12")

SECRET = "mcps_" + "s" * 43


def client(method: AuthMethod, *, suspended: bool = False) -> Client:
    stored = None if method is AuthMethod.NONE else credential.digest(SECRET)
    uris = ("https://a.example/cb",)
    return Client("me", ClientKind.DYNAMIC, "Me", uris, method, (), 0, secret_digest=stored, suspended=suspended)


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@pytest.mark.requirement("TK-7")
def test_basic_and_an_agreeing_client_id_in_the_body_are_fine_together():
    shown = presented(basic("me", SECRET), "me", None)
    assert authenticate(client(AuthMethod.SECRET_BASIC), shown).client_id == "me"


@pytest.mark.requirement("TK-7")
@pytest.mark.parametrize(("client_id", "secret"), [("other", None), ("me", SECRET)])
def test_two_ways_that_disagree_or_repeat_the_secret_are_refused(client_id, secret):
    with pytest.raises(InvalidRequest):
        presented(basic("me", SECRET), client_id, secret)


def test_basic_credentials_are_form_decoded():
    assert presented(basic("a%3Ab+c", "s%2B"), None, None).client_id == "a:b c"


@pytest.mark.parametrize("method", [AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST])
def test_a_confidential_client_needs_its_secret(method):
    for shown in (presented(None, "me", None), presented(None, "me", "wrong"), presented(basic("me", ""), None, None)):
        with pytest.raises(InvalidClient):
            authenticate(client(method), shown)
    assert authenticate(client(method), presented(None, "me", SECRET))


def test_a_public_client_proves_nothing_and_must_not_try():
    assert authenticate(client(AuthMethod.NONE), presented(None, "me", None))
    with pytest.raises(InvalidClient):
        authenticate(client(AuthMethod.NONE), presented(None, "me", "anything"))


@pytest.mark.requirement("CR-15")
def test_unknown_suspended_and_wrong_are_told_in_the_same_words():
    shown = presented(None, "me", "wrong")
    errors = []
    for known in (None, client(AuthMethod.SECRET_POST, suspended=True), client(AuthMethod.SECRET_POST)):
        with pytest.raises(InvalidClient) as refused:
            authenticate(known, shown)
        errors.append((refused.value.status_code, refused.value.description))
    assert len(set(errors)) == 1
    assert errors[0][0] == 401


@given(st.text())
def test_any_authorization_header_is_read_or_refused(text):
    for header in (text, "Basic " + text):
        try:
            presented(header, None, None)
        except OAuthError as refused:
            assert refused.error in {"invalid_client", "invalid_request"}
