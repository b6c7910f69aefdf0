"""Opaque tokens at the guard: their issuer is asked and believed for a moment; nobody gets in without its word."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mcp_token_guard import Downstream, Guard, IssuerUnavailable, TokenForwarded, TokenRefused
from mcp_token_guard import introspection as module
from mcp_token_guard.introspection import MOST_QUESTIONS
from tests.middleware.asgi_client import Client
from tests.middleware.granting import key_file
from tests.middleware.issuer import RESOURCE, Issuer, serving

pytestmark = pytest.mark.requirement("TK-2")
TOKEN = "mcpa_" + "a" * 60


@pytest.fixture
def guard_with(issuer: Issuer, tmp_path: Path) -> Callable[..., Guard]:
    issuer.metadata["introspection_endpoint"] = f"{issuer.url}/introspect"
    say(issuer)

    def made(**settings: Any) -> Guard:
        told = {"identity": key_file(tmp_path), "scopes": ["notes:read"], **settings}
        return Guard(RESOURCE, issuer=issuer.url, **told)

    return made


@pytest.fixture
def guard(guard_with: Callable[..., Guard]) -> Guard:
    return guard_with()


def say(issuer: Issuer, *, active: Any = True, **changes: Any) -> None:
    """Let the issuer answer that a token is good, with *changes* to its claims."""
    answer = {"active": active, "token_type": "Bearer", **issuer.claims(**changes)}
    issuer.answers["/introspect"] = answer if active else {"active": active}


def asked(issuer: Issuer) -> int:
    return sum(path == "/introspect" for path, _ in issuer.received)


async def test_the_issuer_reads_it_and_the_guard_judges_what_it_says(guard: Guard, issuer: Issuer) -> None:
    caller = await guard.verify(TOKEN)
    assert (caller.subject, caller.client_id, caller.resource) == ("alice", "a-client", RESOURCE)
    assert caller.may("notes:read")
    assert "active" not in caller.claims
    form = issuer.received[0][1].decode()
    assert f"token={TOKEN}" in form
    assert "client_assertion=" in form


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://other.example"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "http://localhost:9001/mcp/"}, "another resource"),
        ({"aud": [RESOURCE, "https://other.example"]}, "another resource"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "exp is not a time"),
        ({"exp": True}, "exp is not a time"),
        ({"exp": 10**400}, "exp is not a time"),
        ({"nbf": 99_999_999_999}, "not valid yet"),
        ({"scope": ["notes:read"]}, "scope is not a string"),
        ({"sub": None}, "who calls"),
        ({"authorization_details": "all"}, "cannot be read"),
        ({"mcp_methods": ["tools/list"]}, "only"),
    ],
)
async def test_what_the_issuer_says_is_judged_as_the_payload_of_a_jwt(
    guard: Guard, issuer: Issuer, changes: dict[str, Any], why: str
) -> None:
    say(issuer, **changes)
    with pytest.raises(TokenRefused, match=why):
        await guard.verify(TOKEN)


async def test_an_answer_is_believed_for_its_seconds_and_a_negative_one_too(
    guard: Guard, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(guard.introspection, "_clock", lambda: clock[0])
    for _ in range(3):
        await guard.verify(TOKEN)
    assert asked(issuer) == 1
    say(issuer, active=False)
    clock[0] += 1.9
    await guard.verify(TOKEN)
    clock[0] += 0.1
    for _ in range(3):
        with pytest.raises(TokenRefused, match="no longer"):
            await guard.verify(TOKEN)
    assert asked(issuer) == 2
    say(issuer)
    clock[0] += 2
    await guard.verify(TOKEN)


async def test_an_answer_is_not_used_past_the_tokens_end(
    guard_with: Callable[..., Guard], issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = guard_with(introspection_seconds=60)
    clock = [100.0]
    monkeypatch.setattr(guard.introspection, "_clock", lambda: clock[0])
    say(issuer, exp=int(time.time()) + 20)
    await guard.verify(TOKEN)
    say(issuer, active=False)
    clock[0] += 20
    with pytest.raises(TokenRefused):
        await guard.verify(TOKEN)


async def test_zero_seconds_ask_each_time(guard_with: Callable[..., Guard], issuer: Issuer) -> None:
    guard = guard_with(introspection_seconds=0)
    for _ in range(3):
        await guard.verify(TOKEN)
    assert asked(issuer) == 3


async def test_all_who_wait_for_one_answer_share_the_question(guard_with: Callable[..., Guard], issuer: Issuer) -> None:
    guard = guard_with(introspection_seconds=60)  # for a thread that begins late
    waiting, go = threading.Event(), threading.Event()
    answer = issuer.answers["/introspect"]

    def held(_: dict[str, str]) -> Any:
        waiting.set()
        go.wait(30)
        return answer

    issuer.answers["/introspect"] = held
    callers = [asyncio.create_task(guard.verify(TOKEN)) for _ in range(50)]
    other = threading.Thread(target=lambda: guard.verify_now(TOKEN))
    other.start()
    await asyncio.to_thread(waiting.wait, 10)
    go.set()
    await asyncio.gather(*callers)
    await asyncio.to_thread(other.join)
    assert asked(issuer) == 1


async def test_made_up_tokens_keep_no_more_questions_under_way_than_a_bound(
    guard: Guard, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_QUESTIONS", 3)
    assert MOST_QUESTIONS == 100
    go = threading.Event()
    issuer.answers["/introspect"] = lambda form: {"active": not go.wait(30)}
    first = [asyncio.create_task(guard.verify(f"{TOKEN}{number}")) for number in range(3)]
    async with asyncio.timeout(30):
        while len(guard.introspection._questions) < 3:
            await asyncio.sleep(0.005)
    with pytest.raises(IssuerUnavailable, match="too many"):
        await guard.verify(f"{TOKEN}4")
    go.set()
    assert all(isinstance(end, TokenRefused) for end in await asyncio.gather(*first, return_exceptions=True))
    with pytest.raises(TokenRefused):
        await guard.verify(f"{TOKEN}4")


async def test_what_is_remembered_is_bounded(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 3)
    for number in range(5):
        await guard.verify(f"{TOKEN}{number}")
    assert len(guard.introspection._answers) == 3
    assert not guard.introspection._questions


@pytest.mark.requirement("RS-7")
async def test_without_an_answer_nobody_gets_in_and_afterwards_all_do(
    guard: Guard, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.metadata["introspection_endpoint"] = f"{issuer.url}/gone"
    client = Client(guard)
    refused = await client.call("read_note", token=TOKEN)
    assert refused.status == 503
    assert "cannot ask about an opaque token" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("answer", [{}, {"active": 1}, {"active": "true"}, [True], {"error": "invalid_client"}])
async def test_an_answer_that_does_not_say_whether_is_none(guard: Guard, issuer: Issuer, answer: Any) -> None:
    issuer.answers["/introspect"] = answer
    with pytest.raises(IssuerUnavailable):
        await guard.verify(TOKEN)
    say(issuer)
    assert await guard.verify(TOKEN)


async def test_a_guard_that_its_issuer_does_not_know_lets_nobody_in(
    guard: Guard, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.statuses["/introspect"] = 401
    issuer.answers["/introspect"] = {"error": "invalid_client", "active": True, **issuer.claims()}
    with pytest.raises(IssuerUnavailable):
        await guard.verify(TOKEN)
    assert "answered 401 invalid_client" in caplog.text


async def test_without_an_identity_it_is_refused_and_the_log_says_what_is_missing(
    guard_with: Callable[..., Guard], issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    guard = guard_with(identity=None)
    for _ in range(3):
        with pytest.raises(TokenRefused, match="not taken here"):
            await guard.verify(TOKEN)
    assert caplog.text.count("Guard(identity=…)") == 1
    assert asked(issuer) == 0
    assert await guard.verify(issuer.token())


async def test_jwts_go_on_being_judged_here(guard: Guard, issuer: Issuer) -> None:
    assert await guard.verify(issuer.token())
    assert asked(issuer) == 0


def test_a_thread_without_a_loop_asks_too(guard_with: Callable[..., Guard], issuer: Issuer) -> None:
    guard = guard_with(introspection_seconds=60)
    assert guard.verify_now(TOKEN).subject == "alice"
    assert guard.verify_now(TOKEN).subject == "alice"
    assert asked(issuer) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_asks_for_itself(guard: Guard) -> None:
    questions = guard.introspection._questions
    questions[sha256(TOKEN.encode()).digest()] = Future()
    child = os.fork()
    if not child:
        os._exit(0 if guard.verify_now(TOKEN).subject == "alice" else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("seconds", [-1, 61, float("nan")])
def test_the_seconds_have_bounds(guard_with: Callable[..., Guard], seconds: float) -> None:
    with pytest.raises(ValueError, match="introspection_seconds"):
        guard_with(introspection_seconds=seconds)


async def test_a_source_that_comes_back_is_asked_again(issuer: Issuer, guard: Guard, tmp_path: Path) -> None:
    away = Issuer()
    with serving(away) as here:
        here.metadata["introspection_endpoint"] = f"{here.url}/introspect"
        say(here)
        port = int(here.url.rpartition(":")[2])
        other = Guard(RESOURCE, issuer=here.url, scopes=["notes:read"], identity=key_file(tmp_path))
        other.introspection._seconds = 0
        assert await other.verify(TOKEN)
    with pytest.raises(IssuerUnavailable):
        await other.verify(TOKEN)
    with serving(away, port=port):
        assert await other.verify(TOKEN)


@pytest.mark.requirement("RS-6")
async def test_it_travels_no_further_though_nobody_here_can_read_it(guard: Guard) -> None:
    downstream = Downstream(guard)
    await guard.verify(TOKEN)
    for value in (f"Bearer {TOKEN}", TOKEN, f"a=b; session={TOKEN}", f"https://a.example/?t_{TOKEN}"):
        with pytest.raises(TokenForwarded):
            downstream.headers({"X-Sent": value})
    other = {"Authorization": f"Bearer {TOKEN}b", "X-Odd": "mcpa_"}
    assert downstream.headers(other) == other
