"""The guard before a WSGI application: the same decision, in threads without an event loop."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.validate import validator

import pytest

from mcp_token_guard import Guard, TokenRefused, current_caller, requires
from mcp_token_guard.background import drive
from mcp_token_guard.freshness import RETRY
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.clock import Clock
from tests.middleware.issuer import RESOURCE, Issuer, serving
from tests.middleware.wsgi_client import App, ask


def bearer(token: str) -> dict[str, Any]:
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def call(tool: str) -> bytes:
    return json.dumps(tool_call(tool)).encode()


@pytest.mark.requirement("RS-1", "RS-5")
def test_a_good_call_passes_with_its_body_and_its_caller(guard: Guard, issuer: Issuer) -> None:
    app = App()
    answer = ask(guard, validator(app), body=call("read_note"), wrap=validator, **bearer(issuer.token(sub="bob")))
    assert (answer.status, answer.body) == (200, b"for bob")
    assert app.bodies == [call("read_note")]
    assert app.closed
    assert answer.headers["access-control-allow-origin"] == "*"
    with pytest.raises(LookupError):
        current_caller()


@pytest.mark.requirement("RS-2", "RS-3", "RS-5")
def test_what_is_refused_never_reaches_the_application(guard: Guard, issuer: Issuer) -> None:
    app, good = App(), bearer(issuer.token())
    refused: list[tuple[int, dict[str, Any]]] = [
        (401, {}),
        (401, {"HTTP_AUTHORIZATION": "Basic eDp5"}),
        (401, bearer(issuer.token(aud="http://localhost:9001/mcp/"))),
        (400, {**good, "QUERY_STRING": "access_token=x"}),
        # How servers hand over a header that was sent twice.
        (400, {"HTTP_AUTHORIZATION": f"Bearer {issuer.token()},Bearer {issuer.token()}"}),
        (400, {**good, "CONTENT_TYPE": "application/x-www-form-urlencoded"}),
        (403, {**good, "body": call("write_note")}),
        (403, {**good, "body": call("write_note"), "path": "/mcp/x/.."}),
        (403, {**good, "body": call("write_note"), "SCRIPT_NAME": "/mcp", "path": ""}),
        (400, {**good, "HTTP_MCP_NAME": "write_note", "HTTP_MCP_METHOD": "tools/call"}),
        (400, {**good, "body": b"{"}),
        (405, {**good, "method": "PUT"}),
        (415, {**good, "CONTENT_TYPE": "text/plain"}),
    ]
    for status, asked in refused:
        answer = ask(guard, app, **{"body": call("read_note"), **asked})
        assert answer.status == status, asked
        assert json.loads(answer.body)["error"]["code"]
        assert ("www-authenticate" in answer.headers) >= (status in {401, 403})
    assert not app.bodies


@pytest.mark.requirement("RS-3")
def test_one_challenge_names_all_scopes_of_a_batch(guard: Guard, issuer: Issuer) -> None:
    body = json.dumps([tool_call("write_note", 1), tool_call("delete_note", 2)]).encode()
    answer = ask(guard, App(), body=body, **bearer(issuer.token()))
    assert 'scope="notes:read notes:write notes:delete"' in answer.headers["www-authenticate"]


@pytest.mark.requirement("RS-4")
def test_documents_and_preflights_need_no_token(guard: Guard) -> None:
    document = ask(guard, App(), "GET", "/.well-known/oauth-protected-resource/mcp")
    assert json.loads(document.body)["resource"] == RESOURCE
    assert ask(guard, App(), "HEAD", "/.well-known/oauth-protected-resource").body == b""
    preflight = ask(guard, App(), "OPTIONS", HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization")
    assert (preflight.status, preflight.headers["access-control-allow-headers"]) == (204, "authorization")


@pytest.mark.requirement("RS-5")
def test_bodies_are_read_within_bounds_and_to_their_end(issuer: Issuer) -> None:
    guard = Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", max_body=200)
    app, good = App(), bearer(issuer.token())
    chunked = {**good, "CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    assert ask(guard, app, body=b" " * 201, **good).status == 413
    assert ask(guard, app, body=b" " * 201, **chunked).status == 413
    for broken in ("x", "-1", "", "٣"):
        assert ask(guard, app, body=call("read_note"), CONTENT_LENGTH=broken, **good).status == 400
    assert not app.bodies
    assert ask(guard, app, body=call("read_note"), **chunked).status == 200
    assert app.bodies == [call("read_note")]


@pytest.mark.requirement("RS-7")
def test_without_keys_the_answer_is_503_and_with_them_again_200(clock: Clock) -> None:
    issuer = Issuer()
    with serving(issuer):
        guard = Guard(RESOURCE, issuer=issuer.url, scopes="notes:read")
        good = bearer(issuer.token())
        assert ask(guard, App(), "GET", **good).status == 200
    clock.now += guard.keys_bound
    answer = ask(guard, App(), "GET", **good)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    with serving(issuer, port=int(issuer.url.rpartition(":")[2])):
        clock.now += RETRY
        assert ask(guard, App(), "GET", **good).status == 200


@pytest.mark.requirement("RS-7")
@pytest.mark.usefixtures("clock")
def test_threads_and_loops_share_one_guard_and_one_fetch(issuer: Issuer) -> None:
    guard = Guard(RESOURCE, issuer=issuer.url, scopes="notes:read")
    tokens = [issuer.token(jti=str(number)) for number in range(40)]
    together = threading.Barrier(10)

    def verify(number: int) -> str:
        if number < 10:
            together.wait()
        if number % 2:
            return guard.verify_now(tokens[number]).subject
        return asyncio.run(guard.verify(tokens[number])).subject

    with ThreadPoolExecutor(10) as threads:
        assert set(threads.map(verify, range(40))) == {"alice"}
    assert issuer.fetched("/jwks") == 1


@pytest.mark.requirement("RS-1")
async def test_a_thread_with_a_running_loop_may_ask_too(guard: Guard, issuer: Issuer) -> None:
    assert guard.verify_now(issuer.token()).subject == "alice"
    with pytest.raises(TokenRefused):
        guard.verify_now("x")


def test_only_the_guards_own_coroutines_are_driven() -> None:
    async def other() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="something else"):
        drive(other())


@pytest.mark.requirement("RS-3", "RS-5")
async def test_what_a_view_requires_is_challenged_like_the_guards_own(client: Client, issuer: Issuer) -> None:
    @requires("notes:write", "notes:read")
    def view(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"done"]

    @requires("notes:write notes:read")
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        await client.app(scope, receive, send)

    behind = Client(client.guard, endpoint)  # type: ignore[arg-type]
    for scope, status in (("notes:read", 403), ("notes:read notes:write", 200)):
        token = issuer.token(scope=scope)
        answers = ask(client.guard, view, "GET", **bearer(token)), await behind.send("GET", token=token)
        for answer in answers:
            assert answer.status == status
            assert ('scope="notes:write notes:read"' in answer.headers.get("www-authenticate", "")) == (status == 403)
    with pytest.raises(Exception, match="an access token is required"):
        view({}, None)
