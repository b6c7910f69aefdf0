"""However a path is spelled, nothing reaches the application without a token unless it was made public."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_token_guard import Guard
from mcp_token_guard.paths import plainest, same_place
from tests.middleware.asgi_client import Client
from tests.middleware.issuer import RESOURCE, Issuer

pytestmark = pytest.mark.requirement("RS-3")

PUBLIC = ("/health", "/live/ready")
GUARD = Guard(RESOURCE, issuer="http://localhost:1", scopes="a", public_paths=PUBLIC)
SEPARATORS = ["/", "//", "\\", ";", "?", "#", " ", "%2f", "%00", "\x00", ".", "..", "%2e%2e"]
NAMES = ["mcp", "MCP", "health", "live", "ready", ".well-known", "oauth-protected-resource", "é"]
PIECES = st.sampled_from([*SEPARATORS, *NAMES])
PATHS = st.text() | st.lists(PIECES, max_size=8).map("".join) | st.lists(PIECES, max_size=8).map("/".join)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "post", "PROPFIND", ""])


@given(PATHS, METHODS, st.binary(max_size=20))
def test_without_a_token_only_public_paths_reach_the_application(path: str, method: str, body: bytes) -> None:
    client = Client(GUARD)
    answer = asyncio.run(client.send(method, path, body=body))
    reached = bool(client.app.calls)
    assert reached == (path in PUBLIC)
    assert reached or answer.status in (200, 401, 404, 405)


@pytest.mark.parametrize(
    "path",
    ["/health/", "//health", "/HEALTH", "/%68ealth", "/health/../mcp", "/health/x", "/health%00", "/health;x", ""],
)
async def test_a_public_path_is_exactly_that_path(path: str) -> None:
    client = Client(GUARD)
    assert (await client.send("GET", path)).status == 401
    assert not client.app.calls


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/MCP", "//mcp", "/x/../mcp", "/%6dcp", "/health", ""])
def test_the_endpoint_and_its_spellings_cannot_be_made_public(path: str) -> None:
    if path in ("/health", ""):
        Guard(RESOURCE, issuer="http://localhost:1", scopes="a", public_paths=[path])
        return
    with pytest.raises(ValueError, match="cannot be public"):
        Guard(RESOURCE, issuer="http://localhost:1", scopes="a", public_paths=[path])


@pytest.mark.parametrize(
    "path",
    ["/mcp/", "//mcp", "/MCP", "/./mcp", "/x/../mcp", "/%6Dcp", "/%256dcp", "/mcp;v=1", "\\mcp", "/mcp%2f", "mcp"],
)
def test_spellings_of_the_endpoint_are_the_endpoint(path: str) -> None:
    assert same_place(path, "/mcp")


@pytest.mark.parametrize("path", ["/mcp2", "/mcp/x", "/", "", "/mcp/../x", "/m/cp"])
def test_other_places_are_not_the_endpoint(path: str) -> None:
    assert not same_place(path, "/mcp")


@given(PATHS)
def test_the_plainest_form_is_final(path: str) -> None:
    plain = plainest(path)
    assert plain.startswith("/")
    assert ".." not in plain.split("/")
    assert "//" not in plain


async def test_one_public_path_is_one_path() -> None:
    client = Client(Guard(RESOURCE, issuer="http://localhost:1", scopes="a", public_paths="/health"))
    assert (await client.send("GET", "/health")).status == 200
    for path in ("/", "h", "/h"):
        assert (await client.send("GET", path)).status == 401


@pytest.mark.parametrize("path", ["/mcp/", "//mcp", "/MCP", "/%6dcp"])
async def test_every_spelling_of_the_endpoint_is_as_strict(issuer: Issuer, path: str) -> None:
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read"))
    answer = await client.send(path=path, token=issuer.token(), headers=[("Content-Type", "text/plain")])
    assert answer.status == 415
    assert (await client.send("PUT", path, token=issuer.token())).status == 405
    assert not client.app.calls
