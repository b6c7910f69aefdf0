"""Revocation at the guard: what its lists say counts at the next call (TK-10)."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from mcp_token_guard import Guard, IssuerUnavailable, TokenRefused, revocation, signed_list
from mcp_token_guard.freshness import RETRY
from mcp_token_guard.revocation import MOST_LISTS
from tests.middleware.asgi_client import Client
from tests.middleware.clock import Clock
from tests.middleware.issuer import Issuer, es256, rs256, serving
from tests.middleware.published import BOUND, PATIENCE, TAG, Published, guard_of, packed_of, refused


@pytest.fixture
def guard(issuer: Issuer) -> Guard:
    return guard_of(issuer)


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
    async with asyncio.timeout(PATIENCE):
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
    async with asyncio.timeout(PATIENCE):
        while "lists" in (await guard._upkeep.keys.current()).list_keys:
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
@pytest.mark.usefixtures("clock")
async def test_many_requests_fetch_a_list_once(published: Published) -> None:
    guard = guard_of(published.issuer)
    await asyncio.gather(*(guard.verify(published.token(index)) for index in range(50)))
    assert published.issuer.fetched("/status/t/7") == 1
    assert published.issuer.fetched(f"/status/{TAG}/revoked") == 1


@pytest.mark.requirement("TK-10", "RS-7")
async def test_an_unchanged_list_is_asked_for_by_its_tag(guard: Guard, published: Published) -> None:
    token = published.token()
    async with asyncio.timeout(PATIENCE):
        while not published.issuer.fetched("/status/t/7", 304):
            await guard.verify(token)
            await asyncio.sleep(0.01)
    assert published.issuer.fetched("/status/t/7", 200) == 1


@pytest.mark.requirement("TK-10", "RS-7")
async def test_while_the_issuer_is_down_it_goes_on_until_the_bound_then_answers_503_and_recovers(clock: Clock) -> None:
    issuer = Issuer()
    with serving(issuer):
        token = Published(issuer).token()
        client = Client(guard_of(issuer))
        assert (await client.call("read_note", token=token)).status == 200
    for _ in range(3):
        clock.now += BOUND / 4
        assert (await client.call("read_note", token=token)).status == 200
        await client.guard.settle()
    clock.now += BOUND / 4
    answer = await client.call("read_note", token=token)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    await client.guard.settle()
    with serving(issuer, port=int(issuer.url.rpartition(":")[2])):
        clock.now += RETRY
        assert (await client.call("read_note", token=token)).status == 200


@pytest.mark.requirement("TK-10")
async def test_an_expired_list_counts_no_more_though_the_bound_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer()
    with serving(issuer):
        published = Published(issuer)
        expires_at = time.time() + 600
        published.status(exp=expires_at)
        guard = guard_of(issuer)
        token = published.token(exp=expires_at + 600)
        await guard.verify(token)
    await guard.verify(token)
    for module in (revocation, signed_list):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: expires_at))
    with pytest.raises(IssuerUnavailable, match="whether the token was revoked"):
        await guard.verify(token)


@pytest.mark.requirement("TK-10")
async def test_what_is_kept_of_lists_is_bounded(guard: Guard, published: Published) -> None:
    for number in range(MOST_LISTS + 5):
        guard._upkeep.revocations._list(published.url(f"/status/t/{number}"))
    assert len(guard._upkeep.revocations._lists) == MOST_LISTS


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
