"""One question in each cycle: the summary tells the guard whether to ask for keys and lists at all (TK-10)."""

import asyncio
import time
from typing import Any

import pytest

from mcp_token_guard import Guard, fetch
from tests.middleware.issuer import Issuer, es256, rs256
from tests.middleware.published import BOUND, INTERVAL, TAG, Published, guard_of, refused

SUMMARY = f"/status/{TAG}"
LIST = f"/status/{TAG}/7"
REVOKED = f"/status/{TAG}/revoked"


@pytest.fixture
def guard(issuer: Issuer) -> Guard:
    return guard_of(issuer)


@pytest.fixture
def published(published: Published) -> Published:
    published.status(path=LIST)
    published.summary()
    return published


def token_of(published: Published, **changes: Any) -> str:
    return published.token(3, published.url(LIST), **changes)


async def using(guard: Guard, token: str, issuer: Issuer, path: str, times: int) -> None:
    """Use *token* until *path* was asked for so many *times*."""
    async with asyncio.timeout(10):
        while issuer.fetched(path) < times:
            await guard.verify(token)
            await asyncio.sleep(0.005)


@pytest.mark.requirement("TK-10")
async def test_while_nothing_changes_only_the_summary_is_asked_for(guard: Guard, published: Published) -> None:
    issuer, token = published.issuer, token_of(published)
    await using(guard, token, issuer, SUMMARY, 10)
    assert [issuer.fetched(path) for path in ("/jwks", LIST, REVOKED)] == [1, 1, 1]
    assert issuer.fetched(SUMMARY, 200) == 1


@pytest.mark.requirement("TK-10")
async def test_a_list_of_which_it_tells_another_version_is_asked_for_and_no_other(
    guard: Guard, published: Published
) -> None:
    issuer, token = published.issuer, token_of(published)
    await using(guard, token, issuer, SUMMARY, 3)
    published.status(3, path=LIST)
    published.summary()
    await refused(guard, token, "revoked")
    assert [issuer.fetched(path) for path in ("/jwks", LIST, REVOKED)] == [1, 2, 1]


@pytest.mark.requirement("TK-10")
async def test_a_token_revoked_alone_is_felt(guard: Guard, published: Published) -> None:
    issuer, token = published.issuer, token_of(published, jti="f.1")
    await using(guard, token, issuer, SUMMARY, 3)
    published.revoked("f.1")
    published.summary()
    await refused(guard, token, "revoked")
    assert [issuer.fetched(path) for path in ("/jwks", LIST, REVOKED)] == [1, 1, 2]


@pytest.mark.requirement("TK-12")
async def test_keys_of_which_it_tells_other_names_are_asked_for(guard: Guard, published: Published) -> None:
    issuer, forged = published.issuer, token_of(published)
    await using(guard, forged, issuer, SUMMARY, 3)
    issuer.keys = [es256("after the emergency"), rs256()]
    published.summary()
    await refused(guard, forged, "unknown key")
    # For the names that the summary tells, and once more for the key that is unknown then.
    assert [issuer.fetched(path) for path in ("/jwks", LIST)] == [3, 1]


@pytest.mark.requirement("TK-10", "TK-12")
@pytest.mark.parametrize(
    "changes",
    [{"keys": 1}, {"keys": [1]}, {"lists": []}, {"lists": {"7": None}}, {"keys": {}, "lists": {}}],
    ids=str,
)
async def test_one_that_is_none_or_knows_nothing_vouches_for_nothing(
    guard: Guard, published: Published, changes: dict[str, Any]
) -> None:
    published.summary(**changes)
    token = token_of(published)
    await using(guard, token, published.issuer, LIST, 3)
    published.status(3, path=LIST)
    await refused(guard, token, "revoked")


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("status", [404, 500, 301])
async def test_without_an_answer_all_is_asked_for(guard: Guard, published: Published, status: int) -> None:
    published.issuer.overrides[SUMMARY] = (status, b"{}")
    token = token_of(published)
    await using(guard, token, published.issuer, LIST, 3)
    published.status(3, path=LIST)
    await refused(guard, token, "revoked")


@pytest.mark.requirement("TK-10")
@pytest.mark.parametrize("template", ["https://attacker.example/{resource}", "/status/{resource}"])
async def test_one_that_is_elsewhere_is_never_asked_for(guard: Guard, published: Published, template: str) -> None:
    published.issuer.metadata["status_summary_uri_template"] = template
    await using(guard, token_of(published), published.issuer, LIST, 3)


@pytest.mark.requirement("TK-10")
async def test_a_list_in_the_second_half_of_its_time_is_asked_for_though_nothing_changed(
    guard: Guard, published: Published
) -> None:
    published.status(path=LIST, iat=time.time() - 600, exp=time.time() + 500)
    published.summary()
    await using(guard, token_of(published), published.issuer, LIST, 3)


@pytest.mark.requirement("TK-10")
async def test_a_list_first_met_later_comes_into_the_same_rhythm(guard: Guard, published: Published) -> None:
    issuer = published.issuer
    await using(guard, token_of(published), issuer, SUMMARY, 3)
    await asyncio.sleep(INTERVAL / 2)
    later = f"/status/{TAG}/8"
    published.status(path=later)
    published.summary()
    both = (token_of(published), published.token(3, published.url(later)))
    async with asyncio.timeout(10):
        while not issuer.fetched(later):
            for token in both:
                await guard.verify(token)
    began, before = time.monotonic(), issuer.fetched(SUMMARY)
    async with asyncio.timeout(10):
        while issuer.fetched(SUMMARY) < before + 10:
            for token in both:
                await guard.verify(token)
            await asyncio.sleep(0.005)
    assert time.monotonic() - began > 9 * INTERVAL * 0.95
    assert [issuer.fetched(path) for path in (LIST, later)] == [1, 1]


@pytest.mark.requirement("TK-10")
async def test_a_summary_that_has_gone_is_done_without(guard: Guard, published: Published) -> None:
    issuer, token = published.issuer, token_of(published)
    await using(guard, token, issuer, SUMMARY, 3)
    del issuer.overrides[SUMMARY]
    began = time.monotonic()
    while time.monotonic() - began < BOUND * 1.5:
        await guard.verify(token)
        await asyncio.sleep(0.01)
    published.status(3, path=LIST)
    await refused(guard, token, "revoked")


@pytest.mark.requirement("TK-10")
async def test_an_etag_that_cannot_be_sent_back_keeps_nothing_from_being_asked_for(
    guard: Guard, published: Published
) -> None:
    issuer, token = published.issuer, token_of(published)
    issuer.etags[SUMMARY] = 'W/"\xe9"'
    await using(guard, token, issuer, SUMMARY, 1)
    published.status(3, path=LIST)
    published.summary()
    async with asyncio.timeout(BOUND / 2):
        await refused(guard, token, "revoked")


@pytest.mark.requirement("TK-10", "RS-7")
async def test_one_that_does_not_answer_keeps_requests_waiting_once(
    guard: Guard, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MOST_SECONDS", 0.5)
    issuer, token = published.issuer, token_of(published)
    await using(guard, token, issuer, SUMMARY, 3)
    issuer.delays[SUMMARY] = 2
    waits = []
    for _ in range(100):
        began = time.monotonic()
        await guard.verify(token)
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.01)
    assert sum(wait > 0.25 for wait in waits) <= 1
    published.status(3, path=LIST)
    async with asyncio.timeout(BOUND / 2):
        await refused(guard, token, "revoked")
