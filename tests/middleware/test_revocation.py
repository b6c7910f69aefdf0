"""Revocation at the guard: lists that are kept fresh, and everything that somebody might serve instead (TK-10)."""

import asyncio
import base64
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import jwt
import pytest

from mcp_token_guard import Guard, IssuerUnavailable, TokenRefused
from mcp_token_guard.revocation import MOST_LISTS
from tests.middleware.asgi_client import Client
from tests.middleware.issuer import RESOURCE, Issuer, SigningKey, es256, rs256, serving

SIZE = 1024
INTERVAL, BOUND = 0.05, 1.0
TAG = base64.urlsafe_b64encode(sha256(RESOURCE.encode()).digest()).decode()[:22]


@dataclass
class Published:
    """An issuer with lists: tests say what is on them, and how they lie."""

    issuer: Issuer
    key: SigningKey = field(default_factory=lambda: es256("lists"))
    size: int = SIZE

    def __post_init__(self) -> None:
        self.issuer.extra_keys = [{**self.key.jwk, "purpose": "status"}]
        self.issuer.metadata["revoked_tokens_uri_template"] = self.url("/status/{resource}/revoked")
        self.status()
        self.revoked()

    def url(self, path: str) -> str:
        return self.issuer.url + path

    def status(self, *invalid: int, path: str = "/status/t/7", content: Any = None, **changes: Any) -> bytes:
        """Publish a status list with *invalid* entries."""
        data = bytearray(self.size // 8)
        for index in invalid:
            data[index // 8] |= 1 << index % 8
        packed = {"bits": 1, "lst": packed_of(bytes(data))}
        return self._publish(path, "statuslist+jwt", {"status_list": packed if content is None else content}, changes)

    def revoked(self, *jti: Any, **changes: Any) -> bytes:
        """Publish the list of single revoked tokens."""
        path = f"/status/{TAG}/revoked"
        return self._publish(path, "revoked-tokens+jwt", {"revoked": list(jti)}, changes)

    def token(self, index: Any = 3, uri: str | None = None, **changes: Any) -> str:
        """An access token with a place on the list."""
        reference = {"idx": index, "uri": self.url("/status/t/7") if uri is None else uri}
        return self.issuer.token(**{"status": {"status_list": reference}, **changes})

    def _publish(self, path: str, typ: str, content: dict[str, Any], changes: dict[str, Any]) -> bytes:
        key = changes.pop("key", self.key)
        header = {"typ": changes.pop("typ", typ), "kid": changes.pop("kid", key.kid)}
        now = time.time()
        claims = {"iss": self.issuer.url, "sub": self.url(path), "iat": now, "exp": now + 600, "ttl": 60, **content}
        payload = json.dumps({**claims, **changes}).encode()
        body = jwt.PyJWS().encode(payload, key.private, key.algorithm, headers=header).encode()
        self.issuer.overrides[path] = (200, body)
        return body


def packed_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")


@pytest.fixture
def published(issuer: Issuer) -> Published:
    return Published(issuer)


@pytest.fixture
def guard(issuer: Issuer) -> Guard:
    return guard_of(issuer)


def guard_of(issuer: Issuer, **settings: Any) -> Guard:
    told = {"keys_interval": INTERVAL, "keys_bound": BOUND, **settings}
    return Guard(RESOURCE, issuer=issuer.url, scopes=["notes:read"], **told)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def refused(guard: Guard, token: str, why: str) -> None:
    """Go on using *token* until it is refused."""
    async with asyncio.timeout(5):
        while True:
            try:
                await guard.verify(token)
            except TokenRefused as refusal:
                assert why in refusal.message
                return
            await asyncio.sleep(0.005)


@pytest.mark.requirement("TK-10")
async def test_a_remembered_token_is_refused_as_soon_as_its_list_says_so(guard: Guard, published: Published) -> None:
    token, other = published.token(3), published.token(4)
    for good in (token, other, token):
        await guard.verify(good)
    published.status(3)
    await refused(guard, token, "revoked")
    await guard.verify(other)


@pytest.mark.requirement("TK-10")
async def test_a_token_revoked_alone_is_refused(guard: Guard, published: Published) -> None:
    token, other = published.token(jti="f.1"), published.token(jti="f.2")
    await guard.verify(token)
    published.revoked("f.1")
    await refused(guard, token, "revoked")
    await guard.verify(other)


@pytest.mark.requirement("TK-10")
async def test_a_client_that_was_let_again_is_let_in_again(guard: Guard, published: Published) -> None:
    token = published.token(3)
    published.status(3)
    await refused(guard, token, "revoked")
    published.status()
    async with asyncio.timeout(5):
        while True:
            try:
                await guard.verify(token)
                break
            except TokenRefused:
                await asyncio.sleep(0.005)


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
async def test_entries_of_several_bits_are_read_as_the_draft_has_them(
    guard: Guard, published: Published, bits: int
) -> None:
    data = bytearray(16)
    data[5 * bits // 8] |= 1 << 5 * bits % 8
    published.status(content={"bits": bits, "lst": packed_of(bytes(data))})
    for index in (4, 6):
        await guard.verify(published.token(index))
    with pytest.raises(TokenRefused, match="revoked"):
        await guard.verify(published.token(5))


@pytest.mark.requirement("TK-10")
async def test_the_example_of_the_draft_is_understood(guard: Guard, published: Published) -> None:
    # §4.1: sixteen statuses of one bit in two bytes, 0xB9 0xA3.
    published.status(content={"bits": 1, "lst": "eNrbuRgAAhcBXQ"})
    expected = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    for index, status in enumerate(expected):
        if status:
            with pytest.raises(TokenRefused, match="revoked"):
                await guard.verify(published.token(index))
        else:
            await guard.verify(published.token(index))


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
        await guard._revocations.check(claims)


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
    guard = guard_of(issuer, keys_bound=60.0)
    token = published.token()
    published.status(3)
    await refused(guard, token, "revoked")
    lie(published)
    seen = issuer.fetched("/status/t/7")
    async with asyncio.timeout(10):
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
    guard = guard_of(issuer, keys_bound=60.0)
    token = published.token()
    old = published.status()
    await guard.verify(token)
    published.status(3, iat=time.time() + 5)
    await refused(guard, token, "revoked")
    issuer.overrides["/status/t/7"] = (200, old)
    seen = issuer.fetched("/status/t/7", 200)
    async with asyncio.timeout(10):
        while issuer.fetched("/status/t/7", 200) == seen:
            with pytest.raises(TokenRefused, match="revoked"):
                await guard.verify(token)
            await asyncio.sleep(0.01)
    await guard.settle()
    with pytest.raises(TokenRefused, match="revoked"):
        await guard.verify(token)


@pytest.mark.requirement("TK-12")
async def test_a_key_for_lists_signs_no_tokens(guard: Guard, published: Published) -> None:
    await guard.verify(published.token())
    with pytest.raises(TokenRefused, match="unknown key"):
        await guard.verify(published.issuer.token(published.key, status=None))


@pytest.mark.requirement("TK-10", "TK-12")
async def test_lists_of_a_withdrawn_key_count_no_more(guard: Guard, published: Published) -> None:
    token = published.token()
    await guard.verify(token)
    old = published.key
    published.key = es256("new lists")
    published.issuer.extra_keys = [{**published.key.jwk, "purpose": "status"}]
    published.status()
    published.revoked()
    async with asyncio.timeout(5):
        while "lists" in (await guard._keys.current()).list_keys:
            await asyncio.sleep(0.005)
    await guard.verify(token)
    # What whoever has the old key might serve now is nothing.
    published.status(key=old, iat=time.time() + 60)
    await guard.verify(token)
    published.status(3)
    await refused(guard, token, "revoked")


@pytest.mark.requirement("TK-12")
async def test_a_token_forged_with_a_withdrawn_key_is_refused(guard: Guard, published: Published) -> None:
    issuer = published.issuer
    forged = published.token()
    await guard.verify(forged)
    issuer.keys = [es256("after the emergency"), rs256()]
    await refused(guard, forged, "unknown key")
    await guard.verify(published.issuer.token(es256("after the emergency")))


@pytest.mark.requirement("TK-10", "RS-7")
async def test_many_requests_fetch_a_list_once(guard: Guard, published: Published) -> None:
    await asyncio.gather(*(guard.verify(published.token(index)) for index in range(50)))
    assert published.issuer.fetched("/status/t/7") == 1
    assert published.issuer.fetched(f"/status/{TAG}/revoked") == 1


@pytest.mark.requirement("TK-10", "RS-7")
async def test_an_unchanged_list_is_asked_for_by_its_tag(guard: Guard, published: Published) -> None:
    token = published.token()
    async with asyncio.timeout(5):
        while not published.issuer.fetched("/status/t/7", 304):
            await guard.verify(token)
            await asyncio.sleep(0.01)
    assert published.issuer.fetched("/status/t/7", 200) == 1


@pytest.mark.requirement("TK-10", "RS-7")
async def test_while_the_issuer_is_down_it_goes_on_until_the_bound_then_answers_503_and_recovers() -> None:
    issuer = Issuer()
    with serving(issuer):
        published = Published(issuer)
        client = Client(guard_of(issuer))
        token = published.token()
        assert (await client.call("read_note", token=token)).status == 200
    down = time.monotonic()
    async with asyncio.timeout(10):
        while (await client.call("read_note", token=token)).status == 200:
            await asyncio.sleep(0.01)
    assert BOUND * 0.8 < time.monotonic() - down < BOUND + 2
    answer = await client.call("read_note", token=token)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    with serving(issuer, port=int(issuer.url.rpartition(":")[2])):
        async with asyncio.timeout(10):
            while (await client.call("read_note", token=token)).status != 200:
                await asyncio.sleep(0.01)


@pytest.mark.requirement("TK-10")
async def test_an_expired_list_counts_no_more_though_the_bound_is_long() -> None:
    issuer = Issuer()
    with serving(issuer):
        published = Published(issuer)
        published.status(exp=time.time() + 1)
        guard = guard_of(issuer, keys_bound=60.0)
        token = published.token()
        await guard.verify(token)

    async def go_on() -> None:
        async with asyncio.timeout(10):
            while True:
                await guard.verify(token)
                await asyncio.sleep(0.01)

    with pytest.raises(IssuerUnavailable):
        await go_on()


@pytest.mark.requirement("TK-10")
async def test_what_is_kept_of_lists_is_bounded(guard: Guard, published: Published) -> None:
    for number in range(MOST_LISTS + 5):
        guard._revocations._list(published.url(f"/status/t/{number}"))
    assert len(guard._revocations._lists) == MOST_LISTS


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("template", ["https://attacker.example/{resource}", "/status/{resource}"])
async def test_a_list_of_tokens_elsewhere_lets_nobody_in(guard: Guard, published: Published, template: str) -> None:
    published.issuer.metadata["revoked_tokens_uri_template"] = template
    with pytest.raises(IssuerUnavailable):
        await guard.verify(published.token())


@pytest.mark.requirement("TK-10")
async def test_tokens_of_an_issuer_without_lists_are_taken(guard: Guard, issuer: Issuer) -> None:
    await guard.verify(issuer.token())
    assert not [path for path, _ in issuer.seen if "status" in path]
