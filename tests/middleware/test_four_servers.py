"""The same guard before four servers behaves in the same way: one table, run over all, over real connections."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest

from tests.middleware.four_servers import SERVERS, Ran, serving
from tests.middleware.granting import Granting, key_file
from tests.middleware.issuer import Issuer, es256
from tests.middleware.issuer import serving as serving_issuer

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture(scope="module")
def authority() -> Iterator[Issuer]:
    with serving_issuer(Issuer()) as published:
        Granting(published, "")
        yield published


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, authority: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Ran]]:
    identity = key_file(tmp_path_factory.mktemp("guard"))
    with serving(request.param, authority.url, once="once", identity=identity) as served:
        yield served


@pytest.fixture
def ask(server: tuple[str, Ran], authority: Issuer) -> Iterator["Asker"]:
    server[1].clear()
    with httpx2.Client(timeout=10) as http:
        yield Asker(http, *server, authority)


class Asker:
    """A client of revision 2026-07-28, by hand."""

    def __init__(self, http: httpx2.Client, url: str, ran: Ran, issuer: Issuer) -> None:
        self.http, self.url, self.ran, self.issuer = http, url, ran, issuer

    def token(self, scope: str = "read", **changes: Any) -> str:
        return self.issuer.token(**{"aud": self.url, "scope": scope, **changes})

    def call(self, tool: str, token: str | None, path: str = "", **headers: str) -> httpx2.Response:
        return self.send(message(tool), token, path, **{"Mcp-Method": "tools/call", "Mcp-Name": tool, **headers})

    def send(self, body: Any, token: str | None, path: str = "", **headers: str) -> httpx2.Response:
        lines = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            **({} if token is None else {"Authorization": f"Bearer {token}"}),
            **headers,
        }
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(self.url + path, content=content, headers=lines)


def message(tool: str, number: int = 1) -> dict[str, Any]:
    params = {"name": tool, "arguments": {}, "_meta": META}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


@pytest.mark.requirement("RS-1", "RS-5")
def test_what_the_token_opens_runs_for_its_caller(ask: Asker) -> None:
    assert ask.call("look", ask.token(sub="bob")).status_code == 200
    assert ask.call("wipe", ask.token("read wipe")).status_code == 200
    assert ask.call("wipe", ask.token("all")).status_code == 200
    assert ask.ran == [("look", "bob"), ("wipe", "alice"), ("wipe", "alice")]


@pytest.mark.requirement("RS-1", "RS-3")
def test_who_has_no_good_token_is_told_where_to_get_one(ask: Asker) -> None:
    bare = ask.call("look", None)
    metadata = ask.url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
    assert (bare.status_code, bare.headers["www-authenticate"]) == (
        401,
        f'Bearer scope="read", resource_metadata="{metadata}"',
    )
    good = ask.token()
    header, payload, _ = good.split(".")
    refused = [
        ask.token(aud=f"{ask.url}/"),
        ask.token(aud=[ask.url, "https://other.example"]),
        ask.token(iss="https://other.example"),
        ask.token(exp=1),
        ask.token(iat=10**10, nbf=10**10, exp=10**11),
        ask.token(key=es256("stranger")),
        ask.token(headers={"typ": "JWT"}),
        ask.token(headers={"typ": "id_token+jwt", "jku": "https://evil.example/jwks"}),
        f"{header}.{payload}.",
        f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}.",
        ask.token(scope="read " * 2000),
    ]
    for token in refused:
        answer = ask.call("look", token)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert answer.json()["error"]["code"] == 401
        assert token not in answer.text
    assert not ask.ran


@pytest.mark.requirement("RS-3", "RS-5")
def test_what_the_token_does_not_open_is_challenged_with_all_scopes(ask: Asker) -> None:
    answer = ask.call("wipe", ask.token())
    assert (answer.status_code, answer.json()["id"]) == (403, 1)
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert 'scope="read wipe"' in answer.headers["www-authenticate"]
    assert answer.headers["access-control-expose-headers"].startswith("WWW-Authenticate")
    assert not ask.ran


@pytest.mark.requirement("RS-5")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","name":"wipe"}}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look"},"params":{"name":"wipe"}}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","Name":"wipe"}}', -32600),
        (b"{", -32700),
        (b"[]", -32600),
        (json.dumps(message("wipe")).encode("utf-16"), -32700),
        (json.dumps([message("look"), message("wipe", 2)]).encode(), 403),
        (json.dumps(message("wipe")).encode(), -32020),
    ],
)
def test_no_call_hides_in_a_body(ask: Asker, body: bytes, code: int) -> None:
    headers = {"Mcp-Method": "tools/call", "Mcp-Name": "look"}
    if code == 403:
        headers = {"MCP-Protocol-Version": "2025-03-26"}
    answer = ask.send(body, ask.token(), **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403 if code == 403 else 400, code)
    assert not ask.ran


@pytest.mark.requirement("RS-5")
@pytest.mark.parametrize("tool", ["wіpe", "Wipe", "wipe ", "wipe\u200b", "ｗipe", "look\x00", "lооk", "look/../wipe"])
def test_a_tool_that_looks_like_another_is_a_tool_without_a_rule(ask: Asker, tool: str) -> None:
    answer = ask.send(message(tool), ask.token(), **{"MCP-Protocol-Version": "2025-11-25"})
    assert answer.status_code == 403
    assert 'scope="read wipe"' in answer.headers["www-authenticate"]
    assert not ask.ran


@pytest.mark.requirement("RS-2")
def test_a_token_outside_the_header_is_refused(ask: Asker) -> None:
    assert ask.call("look", None, f"?access_token={ask.token()}").status_code == 400
    assert ask.call("look", ask.token(), f"?access_token={ask.token()}").status_code == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask.send(f"access_token={ask.token()}".encode(), ask.token(), **form).status_code == 400
    twice = [("Authorization", f"Bearer {ask.token()}")] * 2 + [("Content-Type", "application/json")]
    assert ask.http.post(ask.url, content=b"{}", headers=twice).status_code == 400
    assert not ask.ran


@pytest.mark.requirement("RS-5")
@pytest.mark.parametrize("path", ["/", "/.", "/x/..", "%2f", ";x"])
def test_a_call_is_judged_at_every_spelling_of_the_endpoint(ask: Asker, path: str) -> None:
    assert ask.call("wipe", ask.token(), path).status_code == 403
    assert not ask.ran


@pytest.mark.requirement("RS-5")
def test_a_body_is_bounded(ask: Asker) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b" " * 1024 * 1024] * 5

    headers = {"Authorization": f"Bearer {ask.token()}", "Content-Type": "application/json"}
    with suppress(httpx2.NetworkError):  # the server may hang up before all is sent
        assert ask.http.post(ask.url, content=pieces(), headers=headers).status_code == 413
    assert not ask.ran


@pytest.mark.requirement("RS-4")
def test_documents_and_preflights_are_the_guards(ask: Asker) -> None:
    origin = ask.url.removesuffix("/mcp")
    for path in ("/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"):
        answer = ask.http.get(origin + path)
        assert (answer.status_code, answer.json()["resource"]) == (200, ask.url)
        assert answer.headers["access-control-allow-origin"] == "*"
    asked = {"Origin": "https://app.example", "Access-Control-Request-Headers": "authorization,mcp-param-x"}
    preflight = ask.http.options(ask.url, headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "authorization,mcp-param-x"


@pytest.mark.requirement("EX-7", "RS-5")
def test_a_tool_that_is_called_once_at_a_time_runs_once(ask: Asker, authority: Issuer) -> None:
    granting = Granting(authority, ask.url)
    for details in ([], [granting.detail("look", "once")]):
        answer = ask.call("once", granting.token(*details))
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert 'scope="read wipe tool:once:once"' in answer.headers["www-authenticate"]
    token = granting.token(granting.once("once"), scope="read wipe")
    assert [ask.call("once", token).status_code for _ in range(2)] == [200, 403]
    assert ask.ran == [("once", "alice")]


@pytest.mark.requirement("EX-7", "RS-5")
def test_what_details_close_is_asked_for_by_name_or_by_call(ask: Asker, authority: Issuer) -> None:
    granting = Granting(authority, ask.url)
    token = granting.token(granting.detail("wipe", limits={"/a": {"values": [1]}}), scope="read wipe")
    assert 'scope="read tool:look"' in ask.call("look", token).headers["www-authenticate"]
    answer = ask.call("wipe", token)
    [limit] = granting.registered
    assert f'scope="read wipe {limit}"' in answer.headers["www-authenticate"]
    assert ask.call("wipe", granting.token(granting.registered[limit], scope="read wipe")).status_code == 200
    assert ask.ran == [("wipe", "alice")]
