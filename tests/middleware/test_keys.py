"""How the guard keeps the issuer's keys: refreshed by one for all, used on through an outage, and not for ever."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from mcp_token_guard import Guard, IssuerUnavailable, TokenRefused
from mcp_token_guard.discovery import Discovery
from mcp_token_guard.freshness import Cycle, KeptFresh
from mcp_token_guard.introspection import Introspection
from mcp_token_guard.keys import UNKNOWN_KEY_INTERVAL, Keys
from mcp_token_guard.revocation import Revocations
from mcp_token_guard.scopes import Hierarchy
from mcp_token_guard.status_urls import StatusUrls
from mcp_token_guard.summary import Summary
from mcp_token_guard.verifier import Expected, Verifier
from tests.middleware.asgi_client import Client
from tests.middleware.clock import Clock
from tests.middleware.issuer import RESOURCE, Issuer, es256, serving

INTERVAL, BOUND = 10.0, 300.0
CYCLE = Cycle(INTERVAL, BOUND)
# Past the time in which a renewal is only the background's business.
LATE = INTERVAL * 1.25
ALGORITHMS = ("ES256", "RS256")
PATIENCE = 30  # seconds, on a busy machine


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> Keys:
    return keys_of(issuer, clock)


def keys_of(issuer: Issuer, clock: Clock) -> Keys:
    metadata = KeptFresh(Discovery(issuer.url).read, Cycle(INTERVAL, float("inf")), clock=clock)
    summary = Summary(StatusUrls(issuer.url, RESOURCE), metadata, CYCLE, clock)
    return Keys(metadata, ALGORITHMS, summary, CYCLE, clock)


def verifier_of(issuer: Issuer, keys: Keys) -> Verifier:
    expected = Expected(issuer.url, RESOURCE, ALGORITHMS, 10)
    urls = StatusUrls(issuer.url, RESOURCE)
    revocations = Revocations(issuer.url, urls, keys, keys._metadata, keys._summary, CYCLE)
    return Verifier(expected, keys, Hierarchy({}), revocations, Introspection(None, 2.0))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what goes on in the background."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.requirement("RS-1")
async def test_nothing_is_fetched_before_the_first_token(issuer: Issuer) -> None:
    Guard(RESOURCE, issuer=issuer.url, scopes="notes:read")
    assert not issuer.seen


@pytest.mark.requirement("RS-7")
async def test_a_hundred_requests_at_once_fetch_the_keys_once(keys: Keys, issuer: Issuer) -> None:
    found = await asyncio.gather(*(keys.find("es") for _ in range(100)))
    assert all(found)
    assert issuer.fetched("/jwks") == 1
    assert issuer.fetched("/.well-known/oauth-authorization-server") == 1


@pytest.mark.requirement("RS-7")
async def test_fresh_keys_are_not_fetched_again(keys: Keys, issuer: Issuer, clock: Clock) -> None:
    await keys.find("es")
    clock.now += INTERVAL - 1
    await keys.find("es")
    assert issuer.fetched("/jwks") == 1


@pytest.mark.requirement("RS-7")
async def test_due_keys_are_asked_for_by_their_tag_and_kept_when_unchanged(
    keys: Keys, issuer: Issuer, clock: Clock
) -> None:
    before = await keys.current()
    clock.now += LATE
    assert await keys.current() is before
    assert (issuer.fetched("/jwks", 200), issuer.fetched("/jwks", 304)) == (1, 1)


@pytest.mark.requirement("RS-7")
async def test_an_issuer_without_tags_is_compared_by_content(keys: Keys, issuer: Issuer, clock: Clock) -> None:
    issuer.with_etag = False
    before = await keys.current()
    clock.now += LATE
    assert await keys.current() is before
    assert issuer.fetched("/jwks", 200) == 2


@pytest.mark.requirement("RS-7")
async def test_keys_in_use_are_renewed_ahead_of_time_without_waiting(keys: Keys, issuer: Issuer, clock: Clock) -> None:
    before = await keys.current()
    issuer.keys.append(es256("next"))
    read, going = keys._kept._fetch, threading.Event()

    async def held(previous: object) -> object:
        while not going.is_set():
            await asyncio.sleep(0.005)
        return await read(previous)  # type: ignore[arg-type]

    keys._kept._fetch = held  # type: ignore[assignment]
    clock.now += INTERVAL
    async with asyncio.timeout(PATIENCE):
        assert await keys.current() is before
    going.set()
    await until(lambda: issuer.fetched("/jwks") == 2)
    await until(lambda: "next" in keys._kept._value.keys)


@pytest.mark.requirement("RS-1")
async def test_an_unknown_key_is_asked_for_at_most_once_per_interval(keys: Keys, issuer: Issuer, clock: Clock) -> None:
    await keys.current()
    for number in range(20):
        assert await keys.find(f"unknown-{number}") is None
    assert issuer.fetched("/jwks") == 2
    clock.now += UNKNOWN_KEY_INTERVAL
    await keys.current()
    await keys.settle()
    before = issuer.fetched("/jwks")
    for number in range(20):
        assert await keys.find(f"unknown-{number}") is None
    assert issuer.fetched("/jwks") == before + 1


@pytest.mark.requirement("RS-1")
async def test_a_key_published_since_is_found_by_its_first_token(keys: Keys, issuer: Issuer) -> None:
    await keys.current()
    issuer.keys.append(es256("new"))
    assert await keys.find("new") is not None


@pytest.mark.requirement("RS-7")
async def test_a_key_that_vanished_is_dropped_with_all_that_was_remembered_under_it(
    issuer: Issuer, clock: Clock
) -> None:
    verifier = verifier_of(issuer, keys_of(issuer, clock))
    token = issuer.token(es256("old"))
    issuer.keys.append(es256("old"))
    assert (await verifier.verify(token)).subject == "alice"
    issuer.keys.pop()
    assert (await verifier.verify(token)).subject == "alice"
    clock.now += LATE
    with pytest.raises(TokenRefused, match="unknown key"):
        await verifier.verify(token)


@pytest.mark.requirement("RS-7")
async def test_while_the_issuer_is_down_tokens_are_judged_by_the_keys_at_hand(clock: Clock) -> None:
    issuer = Issuer()
    with serving(issuer):
        keys = keys_of(issuer, clock)
        verifier = verifier_of(issuer, keys)
        await verifier.verify(issuer.token())
    while clock.now < 1000 + BOUND - LATE:
        clock.now += LATE
        assert (await verifier.verify(issuer.token(jti=str(clock.now)))).subject == "alice"
        with pytest.raises(TokenRefused):
            await verifier.verify(issuer.token(es256("stranger")))


@pytest.mark.requirement("RS-7")
async def test_past_the_bound_nothing_is_judged_until_the_issuer_is_back(clock: Clock) -> None:
    issuer = Issuer()
    with serving(issuer):
        keys = keys_of(issuer, clock)
        await keys.current()
    clock.now += BOUND
    for _ in range(3):
        with pytest.raises(IssuerUnavailable):
            await keys.find("es")
    port = int(issuer.url.rpartition(":")[2])
    with serving(issuer, port=port):
        clock.now += 1
        assert await keys.find("es") is not None


@pytest.mark.requirement("RS-7")
async def test_an_outage_slows_nobody_down(clock: Clock) -> None:
    issuer = Issuer()
    silent = threading.Event()
    with serving(issuer):
        keys = keys_of(issuer, clock)
        await keys.current()
    attempts = 0

    async def hang(previous: object) -> object:
        nonlocal attempts
        attempts += 1
        while not silent.is_set():
            await asyncio.sleep(0.005)
        return previous

    clock.now += LATE
    await keys.current()  # The attempt that finds the issuer gone.
    keys._kept._fetch = hang  # type: ignore[assignment]
    clock.now += 2
    async with asyncio.timeout(PATIENCE):
        for _ in range(100):
            assert await keys.find("es") is not None
    await until(lambda: attempts == 1)
    silent.set()
    await until(lambda: keys._kept._renewal is not None and keys._kept._renewal.done())


@pytest.mark.requirement("RS-7")
async def test_a_request_that_goes_away_does_not_take_the_keys_from_the_others(keys: Keys, issuer: Issuer) -> None:
    first = asyncio.create_task(keys.find("es"))
    second = asyncio.create_task(keys.find("es"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None
    assert issuer.fetched("/jwks") == 1


@pytest.mark.requirement("RS-7")
@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>maintenance</html>"),
        (200, b'{"keys": "none"}'),
        (200, b"[]"),
        (200, b"\xff\xfe"),
        (200, b'{"keys": [' + b" " * 300_000 + b"]}"),
        (500, b"{}"),
        (302, b"/attacker/jwks"),
        (304, b""),
    ],
    ids=["html", "no list", "no object", "no text", "too large", "error", "redirect", "unasked 304"],
)
async def test_an_answer_that_is_no_key_set_changes_nothing(
    keys: Keys, issuer: Issuer, clock: Clock, answer: tuple[int, bytes]
) -> None:
    before = await keys.current()
    issuer.with_etag = False
    issuer.overrides["/jwks"] = answer
    clock.now += LATE
    assert await keys.current() is before
    assert issuer.fetched("/attacker/jwks") == 0
    assert issuer.fetched("/jwks") == 2


@pytest.mark.requirement("RS-7")
async def test_an_emptied_key_set_is_believed(keys: Keys, issuer: Issuer, clock: Clock) -> None:
    await keys.current()
    issuer.keys.clear()
    clock.now += LATE
    assert await keys.find("es") is None


@pytest.mark.requirement("RS-1")
async def test_keys_that_are_not_understood_are_passed_over(keys: Keys, issuer: Issuer) -> None:
    issuer.extra_keys = [
        {"kty": "AKP", "kid": "pq", "alg": "ML-DSA-44"},
        {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "lying", "alg": "ES256", "n": "AQAB", "e": "AQAB"},
        {**es256("nameless").jwk, "kid": 7},
        "not a key",  # type: ignore[list-item]
        {},
    ]
    assert sorted((await keys.current()).keys) == ["es", "rs"]


@pytest.mark.requirement("RS-7")
async def test_without_keys_the_guarded_server_answers_503_and_recovers(issuer: Issuer, client: Client) -> None:
    good = dict(issuer.overrides)
    issuer.overrides["/.well-known/oauth-authorization-server"] = (500, b"")
    answer = await client.call("read_note", token=issuer.token())
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "www-authenticate" not in answer.headers
    assert answer.error["code"] == 503
    assert not client.app.calls
    issuer.overrides = good
    deadline = time.monotonic() + PATIENCE
    while (await client.call("read_note", token=issuer.token())).status != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
