"""Who a back-channel request says it is, and whether that is proven."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol import credential
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.protocol.client_authentication import Presented, authenticate, presented
from authserver.protocol.errors import InvalidClient, InvalidRequest, OAuthError
from authserver.protocol.form import Form

pytestmark = pytest.mark.requirement("CR-12")

SECRET = "mcps_" + "s" * 43
NOW = 1_800_000_000.0


def client(method: AuthMethod, *, suspended: bool = False) -> Client:
    stored = None if method is AuthMethod.NONE else credential.digest(SECRET)
    uris = ("https://a.example/cb",)
    return Client("me", ClientKind.DYNAMIC, "Me", uris, method, (), 0, secret_digest=stored, suspended=suspended)


def shown_by(authorization: str | None, client_id: str | None, secret: str | None) -> Presented:
    given = {"client_id": client_id, "client_secret": secret}
    return presented(authorization, Form({name: value for name, value in given.items() if value}))


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@pytest.mark.requirement("TK-7")
def test_basic_and_an_agreeing_client_id_in_the_body_are_fine_together():
    shown = shown_by(basic("me", SECRET), "me", None)
    assert authenticate(client(AuthMethod.SECRET_BASIC), shown, NOW).client_id == "me"


@pytest.mark.requirement("TK-7")
@pytest.mark.parametrize(("client_id", "secret"), [("other", None), ("me", SECRET)])
def test_two_ways_that_disagree_or_repeat_the_secret_are_refused(client_id, secret):
    with pytest.raises(InvalidRequest):
        shown_by(basic("me", SECRET), client_id, secret)


def test_basic_credentials_are_form_decoded():
    assert shown_by(basic("a%3Ab+c", "s%2B"), None, None).client_id == "a:b c"


@pytest.mark.parametrize("method", [AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST])
def test_a_confidential_client_needs_its_secret(method):
    for shown in (shown_by(None, "me", None), shown_by(None, "me", "wrong"), shown_by(basic("me", ""), None, None)):
        with pytest.raises(InvalidClient):
            authenticate(client(method), shown, NOW)
    assert authenticate(client(method), shown_by(None, "me", SECRET), NOW)


def test_a_public_client_proves_nothing_and_must_not_try():
    assert authenticate(client(AuthMethod.NONE), shown_by(None, "me", None), NOW)
    with pytest.raises(InvalidClient):
        authenticate(client(AuthMethod.NONE), shown_by(None, "me", "anything"), NOW)


@pytest.mark.requirement("CR-15")
def test_unknown_suspended_and_wrong_are_told_in_the_same_words():
    shown = shown_by(None, "me", "wrong")
    errors = []
    for known in (None, client(AuthMethod.SECRET_POST, suspended=True), client(AuthMethod.SECRET_POST)):
        with pytest.raises(InvalidClient) as refused:
            authenticate(known, shown, NOW)
        errors.append((refused.value.status_code, refused.value.description))
    assert len(set(errors)) == 1
    assert errors[0][0] == 401


@given(st.text())
def test_any_authorization_header_is_read_or_refused(text):
    for header in (text, "Basic " + text):
        try:
            shown_by(header, None, None)
        except OAuthError as refused:
            assert refused.error in {"invalid_client", "invalid_request"}


@pytest.mark.parametrize("method", [AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST])
def test_the_secret_before_the_last_rotation_is_good_until_its_time_and_not_after(method):
    rotated = replace(
        client(method),
        secret_digest=credential.digest("mcps_new"),
        previous_secret_digest=credential.digest(SECRET),
        previous_secret_until=int(NOW),
    )
    for now, secrets in ((NOW - 1, ("mcps_new", SECRET)), (NOW, ("mcps_new",))):
        for secret in secrets:
            assert authenticate(rotated, shown_by(None, "me", secret), now)
    for now, secret in ((NOW, SECRET), (NOW - 1, "mcps_other"), (NOW - 1, "")):
        with pytest.raises(InvalidClient):
            authenticate(rotated, shown_by(None, "me", secret), now)


def test_a_client_with_keys_cannot_get_by_with_a_secret_or_with_nothing():
    keyed = replace(client(AuthMethod.SECRET_BASIC), auth_method=AuthMethod.PRIVATE_KEY_JWT)
    for secret in (SECRET, None):
        with pytest.raises(InvalidClient):
            authenticate(keyed, shown_by(None, "me", secret), NOW)
