"""Everything that somebody might serve, or a token name, in place of a true list (TK-10)."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from mcp_token_guard import Guard, IssuerUnavailable, TokenRefused
from tests.middleware.issuer import RESOURCE, Issuer, es256
from tests.middleware.published import PATIENCE, SIZE, TAG, Published, guard_of, packed_of, refused


@pytest.fixture
def guard(issuer: Issuer) -> Guard:
    return guard_of(issuer)


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("index", [-1, SIZE, 2**70, True, "3", 3.0, None, [3]], ids=str)
async def test_a_place_that_is_none_is_refused(guard: Guard, published: Published, index: Any) -> None:
    with pytest.raises(TokenRefused, match="status"):
        await guard.verify(published.token(index))


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize(
    "status", [None, {}, "x", [], {"status_list": None}, {"status_list": {"idx": 1}}, {"other": {}}]
)
async def test_a_status_that_is_not_understood_is_refused(guard: Guard, published: Published, status: Any) -> None:
    claims = json.dumps({**published.issuer.claims(), "status": status}).encode()
    token = jwt.PyJWS().encode(claims, es256().private, "ES256", headers={"typ": "at+jwt", "kid": "es"})
    with pytest.raises(TokenRefused, match="status"):
        await guard.verify(token)


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize(
    "uri",
    [
        "http://attacker.example/status/t/7",
        "http://localhost:1/status/t/7",
        "{issuer}.attacker.example/status/t/7",
        "{issuer}@attacker.example/status/t/7",
        "{issuer}/status/../../elsewhere",
        "{issuer}/status/%2e%2e/x",
        "{issuer}/status/t/7?x=1",
        "{issuer}/status/t/7#x",
        "{issuer}//attacker.example/x",
        "{issuer}",
        "{issuer}/" + "a" * 600,
        "ftp://localhost/status/t/7",
        "",
    ],
)
async def test_a_list_that_is_not_below_the_issuer_is_never_asked_for(
    guard: Guard, published: Published, uri: str
) -> None:
    await guard.verify(published.token())
    before = published.issuer.seen.copy()
    with pytest.raises(TokenRefused, match="not its issuer's"):
        await guard.verify(published.token(uri=uri.replace("{issuer}", published.issuer.url)))
    asked = {path for path, _ in (published.issuer.seen - before)}
    assert asked <= {"/jwks", "/status/t/7", f"/status/{TAG}/revoked"}


@pytest.mark.requirement("TK-10")
async def test_an_issuer_of_https_has_no_lists_of_http() -> None:
    guard = Guard(RESOURCE, issuer="https://auth.example", scopes="notes:read")
    claims = {"status": {"status_list": {"idx": 1, "uri": "http://auth.example/status/t/7"}}}
    with pytest.raises(TokenRefused, match="not its issuer's"):
        await guard._upkeep.revocations.check(claims)


def _swapped(published: Published) -> None:
    other = published.status(path="/status/t/8")
    published.issuer.overrides["/status/t/7"] = (200, other)


LIES: dict[str, Callable[[Published], Any]] = {
    "of a key for tokens": lambda p: p.status(key=es256()),
    "of a key of somebody": lambda p: p.status(key=es256("stranger")),
    "under another key's name": lambda p: p.status(key=es256("stranger"), kid="lists"),
    "another shard": _swapped,
    "another issuer": lambda p: p.status(iss="https://other.example"),
    "an access token": lambda p: p.status(typ="at+jwt"),
    "the other kind": lambda p: p.status(typ="revoked-tokens+jwt"),
    "expired": lambda p: p.status(exp=time.time() - 1),
    "no time": lambda p: p.status(iat="now"),
    "true for a time": lambda p: p.status(exp=True),
    "no list": lambda p: p.status(content="AAAA"),
    "bits of three": lambda p: p.status(content={"bits": 3, "lst": packed_of(b"\0" * 64)}),
    "bits of true": lambda p: p.status(content={"bits": True, "lst": packed_of(b"\0" * 64)}),
    "a bomb": lambda p: p.status(content={"bits": 1, "lst": packed_of(b"\0" * (8 << 20))}),
    "cut off": lambda p: p.status(content={"bits": 1, "lst": packed_of(bytes(range(256)))[:-8]}),
    "raw deflate": lambda p: p.status(content={"bits": 1, "lst": "AAAA"}),
    "too large": lambda p: p.issuer.overrides.update({"/status/t/7": (200, b"a" * 300_000)}),
    "empty": lambda p: p.issuer.overrides.update({"/status/t/7": (200, b"")}),
    "not there": lambda p: p.issuer.overrides.update({"/status/t/7": (404, b"")}),
    "elsewhere": lambda p: p.issuer.overrides.update({"/status/t/7": (302, b"/status/t/8")}),
}


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_without_a_true_list_nobody_is_let_in(
    guard: Guard, published: Published, lie: Callable[..., Any]
) -> None:
    lie(published)
    with pytest.raises(IssuerUnavailable):
        await guard.verify(published.token())


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_a_lie_does_not_bring_a_revoked_token_back(
    issuer: Issuer, published: Published, lie: Callable[..., Any]
) -> None:
    guard = guard_of(issuer)
    token = published.token()
    published.status(3)
    await refused(guard, token, "revoked")
    lie(published)
    seen = issuer.fetched("/status/t/7")
    async with asyncio.timeout(PATIENCE):
        while issuer.fetched("/status/t/7") == seen:
            with pytest.raises(TokenRefused, match="revoked"):
                await guard.verify(token)
            await asyncio.sleep(0.01)
    await guard.settle()
    with pytest.raises(TokenRefused, match="revoked"):
        await guard.verify(token)


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("jtis", [["f.1", 7], [None]], ids=str)
async def test_a_list_of_anything_but_ids_is_none(guard: Guard, published: Published, jtis: list[Any]) -> None:
    published.revoked(*jtis)
    with pytest.raises(IssuerUnavailable):
        await guard.verify(published.token())


@pytest.mark.requirement("TK-10")
async def test_an_older_list_is_refused_though_it_is_well_signed(issuer: Issuer, published: Published) -> None:
    guard = guard_of(issuer)
    token = published.token()
    old = published.status()
    await guard.verify(token)
    published.status(3, iat=time.time() + 5)
    await refused(guard, token, "revoked")
    issuer.overrides["/status/t/7"] = (200, old)
    seen = issuer.fetched("/status/t/7", 200)
    async with asyncio.timeout(PATIENCE):
        while issuer.fetched("/status/t/7", 200) == seen:
            with pytest.raises(TokenRefused, match="revoked"):
                await guard.verify(token)
            await asyncio.sleep(0.01)
    await guard.settle()
    with pytest.raises(TokenRefused, match="revoked"):
        await guard.verify(token)
