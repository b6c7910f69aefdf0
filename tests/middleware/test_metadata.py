"""What is served without a token: where to get one, and how browsers may ask."""

import json

import pytest

from mcp_token_guard import Guard
from tests.middleware.asgi_client import App, Client
from tests.middleware.issuer import RESOURCE, Issuer

ROOT = "/.well-known/oauth-protected-resource"
SUFFIXED = f"{ROOT}/mcp"
SERVER = "/.well-known/oauth-authorization-server"
REQUEST_HEADERS = (
    "Authorization, Content-Type, DPoP, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, "
    "Mcp-Param-Region, Mcp-Param-X, Last-Event-ID"
)


@pytest.mark.requirement("DI-6", "RS-4")
@pytest.mark.parametrize("path", [ROOT, SUFFIXED, ROOT + "/", SUFFIXED + "/"])
async def test_the_resource_says_whose_tokens_it_takes(client: Client, issuer: Issuer, path: str) -> None:
    answer = await client.send("GET", path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == {
        "resource": RESOURCE,
        "authorization_servers": [issuer.url],
        "scopes_supported": ["notes:read"],
        "bearer_methods_supported": ["header"],
    }
    assert not client.app.calls
    assert not issuer.seen


@pytest.mark.requirement("DI-6", "RS-4")
async def test_the_metadata_of_a_resource_at_the_root_is_at_the_root(issuer: Issuer) -> None:
    for resource in ("https://notes.example", "https://notes.example/"):
        client = Client(Guard(resource, issuer=issuer.url, scopes="a", resource_name="Notes"))
        answer = await client.send("GET", ROOT)
        assert json.loads(answer.body)["resource"] == resource
        assert json.loads(answer.body)["resource_name"] == "Notes"
        challenge = (await client.send("GET", "/")).headers["www-authenticate"]
        assert f'resource_metadata="https://notes.example{ROOT}"' in challenge


@pytest.mark.requirement("DI-6", "DI-3")
async def test_the_metadata_does_not_follow_the_host_header(client: Client) -> None:
    headers = [("Host", "evil.example"), ("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example")]
    assert b"evil" not in (await client.send("GET", SUFFIXED, headers=headers)).body
    assert "evil" not in (await client.send("GET", "/mcp", headers=headers)).headers["www-authenticate"]


@pytest.mark.requirement("RS-4")
async def test_metadata_is_cacheable_and_revalidated_by_its_tag(client: Client) -> None:
    first = await client.send("GET", SUFFIXED)
    assert "max-age" in first.headers["cache-control"]
    for tag in (first.headers["etag"], f'"x", W/{first.headers["etag"]}'):
        again = await client.send("GET", SUFFIXED, headers=[("If-None-Match", tag)])
        assert (again.status, again.body) == (304, b"")
    assert (await client.send("GET", SUFFIXED, headers=[("If-None-Match", '"x"')])).status == 200


@pytest.mark.requirement("RS-4")
async def test_metadata_is_read_only(client: Client, issuer: Issuer) -> None:
    assert (await client.send("HEAD", SUFFIXED)).body == b""
    for method in ("POST", "PUT", "DELETE", "get"):
        answer = await client.send(method, SUFFIXED, token=issuer.token())
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert not client.app.calls


@pytest.mark.requirement("RS-4", "RS-10")
@pytest.mark.parametrize(
    "path",
    [f"{ROOT}/other", f"{ROOT}/mcp/x", f"{ROOT}x", SERVER, f"{SERVER}/mcp", "/.well-known/openid-configuration"],
)
async def test_no_other_document_is_made_up_or_asked_of_the_application(client: Client, path: str) -> None:
    assert (await client.send("GET", path)).status == 404
    assert not client.app.calls


@pytest.mark.requirement("RS-10")
async def test_old_clients_find_the_authorization_server_at_the_resources_origin(issuer: Issuer) -> None:
    issuer.metadata["token_endpoint"] = f"{issuer.url}/token"
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="a", serve_authorization_server_metadata=True))
    published = issuer.document(SERVER)[1]
    for path in (SERVER, f"{SERVER}/mcp", f"{SERVER}/"):
        answer = await client.send("GET", path)
        assert (answer.status, answer.body) == (200, published)
        assert answer.headers["access-control-allow-origin"] == "*"
    assert issuer.fetched(SERVER) == 1
    again = await client.send("GET", SERVER, headers=[("If-None-Match", answer.headers["etag"])])
    assert again.status == 304
    issuer.overrides[SERVER] = (500, b"")
    assert (await client.send("GET", SERVER)).status == 200


@pytest.mark.requirement("RS-10")
async def test_an_issuer_that_cannot_be_reached_is_said_so(issuer: Issuer) -> None:
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="a", serve_authorization_server_metadata=True))
    issuer.overrides[SERVER] = (500, b"")
    answer = await client.send("GET", SERVER)
    assert (answer.status, "retry-after" in answer.headers) == (503, True)


@pytest.mark.requirement("DI-7")
@pytest.mark.parametrize("path", ["/mcp", "/", ROOT, SUFFIXED, SERVER, "/elsewhere"])
async def test_a_preflight_needs_no_token_and_allows_the_headers_asked_for(client: Client, path: str) -> None:
    asked = [
        ("Origin", "https://inspector.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", REQUEST_HEADERS.lower()),
    ]
    answer = await client.send("OPTIONS", path, headers=asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == REQUEST_HEADERS.lower()
    assert {"GET", "POST", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert "access-control-allow-credentials" not in answer.headers
    assert "Access-Control-Request-Headers" in answer.headers["vary"]
    assert not client.app.calls


@pytest.mark.requirement("DI-7")
@pytest.mark.parametrize("asked", [None, "", "a b", "x\r\nSet-Cookie: a=b", "é", "x" * 5000, "a,,b", '"'])
async def test_a_preflight_never_echoes_what_is_no_header_name(client: Client, asked: str | None) -> None:
    headers = [] if asked is None else [("Access-Control-Request-Headers", asked)]
    answer = await client.send("OPTIONS", "/mcp", headers=headers)
    assert answer.status == 204
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "Mcp-Name" in answer.headers["access-control-allow-headers"]


@pytest.mark.requirement("DI-7", "RS-4")
async def test_every_answer_can_be_read_by_a_page(client: Client, issuer: Issuer) -> None:
    answers = [
        await client.send("GET", SUFFIXED),
        await client.call("read_note"),
        await client.call("write_note", token=issuer.token()),
        await client.call("read_note", token=issuer.token()),
        await client.send(body=b"{", token=issuer.token()),
    ]
    assert [answer.status for answer in answers] == [200, 401, 403, 200, 400]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"WWW-Authenticate", "DPoP-Nonce", "Mcp-Session-Id", "Retry-After"} <= set(exposed)
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.requirement("DI-7")
async def test_an_application_with_cors_of_its_own_keeps_it(guard: Guard, issuer: Issuer) -> None:
    own = [(b"Access-Control-Allow-Origin", b"https://app.example")]
    client = Client(guard, App(headers=own))
    answer = await client.call("read_note", token=issuer.token())
    assert answer.headers == {"Access-Control-Allow-Origin": "https://app.example"}
