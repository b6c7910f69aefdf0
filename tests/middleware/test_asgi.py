"""The middleware itself: bodies read within bounds and handed on untouched, streams left alone, callers announced."""

import asyncio
import json
from typing import Any

import pytest

from mcp_token_guard import Caller, Guard, current_caller
from mcp_token_guard.asgi import SCOPE_KEY
from tests.middleware.asgi_client import App, Client, tool_call
from tests.middleware.issuer import RESOURCE, Issuer


@pytest.mark.requirement("RS-5")
async def test_the_body_reaches_the_application_byte_for_byte(client: Client, issuer: Issuer) -> None:
    body = b' {"jsonrpc":"2.0", "id":1,\n"method":"ping"}\r\n'
    chunks = [body[:5], b"", body[5:7], body[7:]]
    assert (await client.send(chunks=chunks, token=issuer.token())).status == 200
    assert client.app.calls[0]["body"] == body


@pytest.mark.requirement("RS-5")
async def test_a_body_over_the_bound_is_refused_whether_it_says_its_size_or_not(issuer: Issuer) -> None:
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", max_body=100))
    token = issuer.token()
    declared = [("Content-Type", "application/json"), ("Content-Length", "101")]
    assert (await client.send(headers=declared, chunks=[], token=token)).status == 413
    assert (await client.send(chunks=[b" " * 60, b" " * 60], token=token)).status == 413
    huge = [("Content-Type", "application/json"), ("Content-Length", "9" * 5000)]
    assert (await client.send(headers=huge, token=token)).status == 413
    lying = [("Content-Type", "application/json"), ("Content-Length", "1")]
    assert (await client.send(headers=lying, chunks=[b" " * 60, b" " * 60], token=token)).status == 413
    assert not client.app.calls


@pytest.mark.requirement("RS-3")
async def test_no_body_is_read_of_who_has_no_token(client: Client) -> None:
    async def receive() -> Any:
        raise AssertionError("the body was read")

    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": [], "query_string": b""}
    await client.guard.asgi(client.app)(scope, receive, send)
    assert sent[0]["status"] == 401


@pytest.mark.requirement("RS-5")
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "", "multipart/form-data; boundary=x", "application/jsonx", "text/plain, application/json"],
)
async def test_at_the_endpoint_a_body_is_json_or_nothing(client: Client, issuer: Issuer, content_type: str) -> None:
    answer = await client.call("delete_note", token=issuer.token(), headers=[("Content-Type", content_type)])
    assert answer.status == 415
    twice = [("Content-Type", "application/json"), ("Content-Type", content_type)]
    assert (await client.call("read_note", token=issuer.token(), headers=twice)).status == 415
    assert not client.app.calls


@pytest.mark.requirement("RS-5")
async def test_a_body_that_is_no_json_rpc_is_answered_by_the_guard(client: Client, issuer: Issuer) -> None:
    for body, code in ((b"{", -32700), (b'"x"', -32600), (b"\x1f\x8b\x08gzip", -32700)):
        answer = await client.send(body=body, token=issuer.token())
        assert (answer.status, answer.error["code"]) == (400, code)
        assert "www-authenticate" not in answer.headers
    assert not client.app.calls


@pytest.mark.requirement("RS-5")
async def test_routes_beside_the_endpoint_take_their_own_bodies(client: Client, issuer: Issuer) -> None:
    headers = [("Content-Type", "application/octet-stream")]
    upload = await client.send("PUT", "/upload", body=b"\x00\x01", headers=headers, token=issuer.token())
    assert upload.status == 200
    rest = await client.send("POST", "/api", body=[{"name": "x"}] * 200, token=issuer.token())
    assert rest.status == 200
    assert (await client.send("POST", "/api", body=b"{", token=issuer.token())).status == 400
    assert (await client.send("GET", "/api")).status == 401


@pytest.mark.requirement("RS-3")
async def test_every_request_needs_the_base_scopes(client: Client, issuer: Issuer) -> None:
    for method, path in (("GET", "/mcp"), ("DELETE", "/mcp"), ("GET", "/else")):
        assert (await client.send(method, path, token=issuer.token(scope="other"))).status == 403
        assert (await client.send(method, path, token=issuer.token())).status == 200


@pytest.mark.requirement("RS-1")
async def test_the_application_learns_who_calls(client: Client, issuer: Issuer) -> None:
    await client.call("read_note", token=issuer.token(sub="bob"))
    call = client.app.calls[0]
    assert isinstance(call["caller"], Caller)
    assert call["scope"][SCOPE_KEY] is call["caller"]
    assert call["caller"].subject == "bob"
    with pytest.raises(LookupError):
        current_caller()


@pytest.mark.requirement("RS-1")
async def test_requests_at_one_time_each_have_their_own_caller(guard: Guard, issuer: Issuer) -> None:
    class Slow(App):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(0)
            await super().__call__(scope, receive, send)

    client = Client(guard, Slow())
    names = [f"user{number}" for number in range(20)]
    await asyncio.gather(*(client.send("GET", f"/{name}", token=issuer.token(sub=name)) for name in names))
    assert {(call["path"], call["caller"].subject) for call in client.app.calls} == {(f"/{n}", n) for n in names}


async def test_a_caller_cannot_be_planted_on_a_public_path(issuer: Issuer) -> None:
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="a", public_paths=["/health"]))
    assert (await client.send("GET", "/health")).body == b"reached"
    assert client.app.calls[0]["caller"] is None
    assert SCOPE_KEY not in client.app.calls[0]["scope"]


async def test_a_stream_is_passed_on_piece_by_piece(guard: Guard, issuer: Issuer) -> None:
    seen: list[Any] = []

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number in range(3):
            await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
            assert len(seen) == number + 2
        await receive()
        assert (await receive())["type"] == "http.disconnect"

    async def send(event: Any) -> None:
        seen.append(event)

    body = json.dumps(tool_call("read_note")).encode()
    events = [{"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return events.pop(0)

    headers = [(b"authorization", b"Bearer " + issuer.token().encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": headers}
    await guard.asgi(streaming)(scope, receive, send)
    assert [event["type"] for event in seen] == ["http.response.start"] + ["http.response.body"] * 3


async def test_a_client_that_leaves_while_sending_is_let_go(client: Client, issuer: Issuer) -> None:
    answer = await client.send(chunks=[], token=issuer.token())
    assert answer.status == 0
    assert not client.app.calls


async def test_websockets_are_closed(client: Client) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(event: Any) -> None:
        sent.append(event)

    await client.guard.asgi(client.app)({"type": "websocket", "path": "/health", "headers": []}, receive, send)
    assert [event["type"] for event in sent] == ["websocket.close"]
    assert not client.app.calls


async def test_the_lifespan_is_the_applications_and_ends_when_nothing_is_being_fetched(
    guard: Guard, issuer: Issuer
) -> None:
    heard: list[str] = []
    fetched: list[int] = []
    renewal: list[asyncio.Task[Caller]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.complete"})
        renewal.append(asyncio.create_task(guard.verify(issuer.token())))
        await asyncio.sleep(0)
        await send({"type": "lifespan.shutdown.complete"})

    async def send(event: Any) -> None:
        heard.append(event["type"])
        fetched.append(issuer.fetched("/jwks", 200))

    await guard.asgi(app)({"type": "lifespan"}, None, send)
    assert heard == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert fetched == [0, 1]
    assert (await renewal[0]).subject == "alice"


async def test_an_error_of_the_application_is_its_own(guard: Guard, issuer: Issuer) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Client(guard, app).call("read_note", token=issuer.token())  # type: ignore[arg-type]
    with pytest.raises(LookupError):
        current_caller()
