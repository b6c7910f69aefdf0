"""A server's own requests carry no token that was issued for it."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

import httpx2
import pytest

from mcp_token_guard import Downstream, Guard, TokenForwarded
from tests.middleware.issuer import Issuer
from tests.middleware.served import listener, serving_app

pytestmark = pytest.mark.requirement("RS-6")


@pytest.fixture
def downstream(guard: Guard) -> Downstream:
    return Downstream(guard)


def test_headers_with_the_callers_token_are_refused(downstream: Downstream, issuer: Issuer) -> None:
    token = issuer.token()
    basic = base64.b64encode(f"user:{token}".encode()).decode()
    for name, value in (
        ("Authorization", f"Bearer {token}"),
        ("authorization", f"bearer  {token}"),
        ("X-Forwarded-Token", token),
        ("Cookie", f"a=b; session={token}"),
        ("Authorization", f"Basic {basic}"),
        ("X-Url", quote(f"https://a.example/?t={token}", safe="")),
        ("Authorization", f"Bearer {issuer.token(sub='bob', aud=[issuer.claims()['aud'], 'other'])}"),
        ("X-Part", token.split(".")[1]),
    ):
        with pytest.raises(TokenForwarded) as caught:
            downstream.headers({"Accept": "*/*", name: value})
        assert token not in str(caught.value)


def test_other_headers_pass(downstream: Downstream, issuer: Issuer) -> None:
    other = {
        "Authorization": f"Bearer {issuer.token(aud='https://downstream.example')}",
        "X-Long": "a" * 100_000,
        "X-Deep": base64.b64encode(b"[" * 9000).decode(),
        "X-Odd": "Basic \xff.é..=",
    }
    assert downstream.headers(other) == other


@pytest.fixture
def other_server() -> Iterator[str]:
    """It sends who comes to ``/`` on to what the header ``X-To`` says."""

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        to = dict(scope["headers"]).get(b"x-to", b"/end")
        headers = [(b"location", to), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 302 if scope["path"] == "/" else 200, "headers": headers})
        await send({"type": "http.response.body"})

    listening = listener()
    with serving_app(app, listening):
        yield f"http://localhost:{listening.getsockname()[1]}/"


async def test_clients_with_the_hook_refuse_to_send_it(
    downstream: Downstream, issuer: Issuer, other_server: str
) -> None:
    stolen = {"Authorization": f"Bearer {issuer.token()}"}
    with httpx2.Client(event_hooks={"request": [downstream.check]}, follow_redirects=True) as client:
        assert client.get(other_server).status_code == 200
        with pytest.raises(TokenForwarded):
            client.get(other_server, headers=stolen)
        with pytest.raises(TokenForwarded):
            client.get(other_server, params={"access_token": issuer.token()})
        with pytest.raises(TokenForwarded):
            client.get(other_server, headers={"X-To": "/end?to=elsewhere", "X-Other": issuer.token()})
    async with httpx2.AsyncClient(event_hooks={"request": [downstream.check_async]}) as client:
        assert (await client.get(f"{other_server}end")).status_code == 200
        with pytest.raises(TokenForwarded):
            await client.get(other_server, headers=stolen)
