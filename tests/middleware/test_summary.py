"""One question in each cycle: the summary tells the guard whether to ask for keys and lists at all (TK-10)."""

import asyncio
import threading
import time
from typing import Any

import pytest

from mcp_token_guard import Guard, TokenRefused, fetch
from mcp_token_guard.fetch import FetchError
from tests.middleware.clock import Clock
from tests.middleware.issuer import Issuer, es256, rs256
from tests.middleware.published import BOUND, PATIENCE, TAG, Published, guard_of, refused

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
    async with asyncio.timeout(PATIENCE):
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


async def pass_by(clock: Clock, seconds: float, guard: Guard, *tokens: str) -> None:
    """Let *seconds* pass and use *tokens* then; all that this has asked for has come."""
    clock.now += seconds
    for token in tokens:
        await guard.verify(token)
    await guard.settle()


@pytest.mark.requirement("TK-10")
async def test_a_list_first_met_later_comes_into_the_same_rhythm(clock: Clock, published: Published) -> None:
    issuer, guard = published.issuer, guard_of(published.issuer, keys_interval=8.0)
    first = token_of(published)
    for _ in range(2):
        await pass_by(clock, 8, guard, first)
    later = f"/status/{TAG}/8"
    published.status(path=later)
    published.summary()
    both = (first, published.token(3, published.url(later)))
    await pass_by(clock, 4, guard, *both)
    before = issuer.fetched(SUMMARY)
    for _ in range(20):
        await pass_by(clock, 4, guard, *both)
    assert issuer.fetched(SUMMARY) == before + 10
    assert [issuer.fetched(path) for path in (LIST, later)] == [1, 1]


@pytest.mark.requirement("TK-10")
async def test_a_summary_that_has_gone_is_done_without(clock: Clock, published: Published) -> None:
    issuer, guard, token = published.issuer, guard_of(published.issuer), token_of(published)
    for _ in range(2):
        await pass_by(clock, BOUND / 4, guard, token)
    assert issuer.fetched(SUMMARY, 200) == 1
    del issuer.overrides[SUMMARY]
    for _ in range(6):
        await pass_by(clock, BOUND / 4, guard, token)
    published.status(3, path=LIST)
    with pytest.raises(TokenRefused, match="revoked"):
        await pass_by(clock, BOUND / 4, guard, token)


@pytest.mark.requirement("TK-10")
async def test_an_etag_that_cannot_be_sent_back_keeps_nothing_from_being_asked_for(
    guard: Guard, published: Published
) -> None:
    issuer, token = published.issuer, token_of(published)
    issuer.etags[SUMMARY] = 'W/"\xe9"'
    await using(guard, token, issuer, SUMMARY, 1)
    published.status(3, path=LIST)
    published.summary()
    await refused(guard, token, "revoked")


@pytest.mark.requirement("TK-10", "RS-7")
async def test_one_that_does_not_answer_keeps_requests_waiting_once(
    clock: Clock, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, guard, token = published.issuer, guard_of(published.issuer), token_of(published)
    for _ in range(2):
        await pass_by(clock, BOUND / 4, guard, token)
    with monkeypatch.context() as patched:
        patched.setattr(fetch, "MOST_SECONDS", 0.5)
        patched.setitem(issuer.delays, SUMMARY, 20)
        await pass_by(clock, BOUND / 4, guard, token)
    asked, over = [], threading.Event()

    async def silent(_: object) -> object:
        asked.append(clock.now)
        while not over.is_set():
            await asyncio.sleep(0.005)
        raise FetchError("it did not answer")

    monkeypatch.setattr(guard._upkeep._summary._kept, "_fetch", silent)
    try:
        async with asyncio.timeout(PATIENCE):
            for _ in range(10):
                clock.now += BOUND / 4
                await guard.verify(token)
            published.status(3, path=LIST)
            clock.now += BOUND / 4
            with pytest.raises(TokenRefused, match="revoked"):
                await guard.verify(token)
    finally:
        over.set()
    assert len(asked) == 1
    await guard.settle()
