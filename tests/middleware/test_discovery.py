"""The issuer's metadata is read from the issuer's own URL, and believed only when it is the issuer's."""

from collections.abc import Iterator

import pytest

from mcp_token_guard import Guard
from mcp_token_guard.discovery import Discovery, locations
from mcp_token_guard.fetch import FetchError
from tests.middleware.issuer import RESOURCE, Issuer, serving

pytestmark = pytest.mark.requirement("RS-1")


@pytest.fixture
def tenant() -> Iterator[Issuer]:
    """An issuer with a path."""
    with serving(Issuer(metadata_path="/.well-known/oauth-authorization-server/tenant1"), path="/tenant1") as it:
        yield it


def test_locations_follow_the_order_of_the_specification() -> None:
    assert locations("https://as.example") == (
        "https://as.example/.well-known/oauth-authorization-server",
        "https://as.example/.well-known/openid-configuration",
    )
    assert locations("https://as.example/tenant1") == (
        "https://as.example/.well-known/oauth-authorization-server/tenant1",
        "https://as.example/.well-known/openid-configuration/tenant1",
        "https://as.example/tenant1/.well-known/openid-configuration",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-authorization-server/tenant1",
        "/.well-known/openid-configuration/tenant1",
        "/tenant1/.well-known/openid-configuration",
    ],
)
async def test_every_location_is_tried(tenant: Issuer, path: str) -> None:
    tenant.metadata_path = path
    guard = Guard(RESOURCE, issuer=tenant.url, scopes="notes:read")
    assert (await guard.verify(tenant.token())).subject == "alice"


async def test_the_issuer_is_compared_byte_for_byte(issuer: Issuer) -> None:
    for other in (issuer.url + "/", issuer.url.upper(), issuer.url.replace("localhost", "127.0.0.1"), "", 5, None):
        issuer.metadata["issuer"] = other
        with pytest.raises(FetchError, match="issuer"):
            await Discovery(issuer.url).read()


@pytest.mark.parametrize(
    "uri",
    [
        "http://as.example/jwks",
        "ftp://localhost/jwks",
        "file:///etc/passwd",
        "https://user@as.example/jwks",
        "/jwks",
        "",
        None,
        7,
        "http://localhost:99999/jwks",
        "http://localhost\r\nX: y/jwks",
        "http://[::1/jwks",
    ],
)
async def test_keys_are_not_fetched_over_an_unsafe_url(issuer: Issuer, uri: object) -> None:
    issuer.metadata["jwks_uri"] = uri
    with pytest.raises(FetchError, match="no usable metadata"):
        await Discovery(issuer.url).read()


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b"<html>"])
async def test_what_is_no_metadata_is_not_believed(issuer: Issuer, body: bytes) -> None:
    issuer.overrides["/.well-known/oauth-authorization-server"] = (200, body)
    with pytest.raises(FetchError):
        await Discovery(issuer.url).read()


async def test_redirects_are_not_followed(issuer: Issuer) -> None:
    issuer.overrides["/.well-known/oauth-authorization-server"] = (302, b"/elsewhere")
    with pytest.raises(FetchError, match="302"):
        await Discovery(issuer.url).read()
    assert issuer.fetched("/elsewhere") == 0


async def test_unchanged_metadata_is_the_same_object(issuer: Issuer) -> None:
    discovery = Discovery(issuer.url)
    first = await discovery.read()
    assert await discovery.read(first) is first
    assert issuer.fetched("/.well-known/oauth-authorization-server", 304) == 1


async def test_moved_keys_are_followed(issuer: Issuer) -> None:
    discovery = Discovery(issuer.url)
    first = await discovery.read()
    issuer.metadata["jwks_uri"] = f"{issuer.url}/v2/jwks?tenant=1"
    assert (await discovery.read(first)).jwks_uri.endswith("/v2/jwks?tenant=1")


async def test_proxies_of_the_environment_are_not_asked_about_loopback(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Issuer()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert (await Discovery(issuer.url).read()).jwks_uri == f"{issuer.url}/jwks"
        assert not proxy.seen
