"""An issuer on loopback for the guard's tests, and coroutines as tests."""

import asyncio
import inspect
from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any

import pytest

from mcp_token_guard import Guard, fetch
from mcp_token_guard.upkeep import Upkeep
from tests.middleware.asgi_client import Client
from tests.middleware.clock import Clock
from tests.middleware.issuer import RESOURCE, Issuer, serving
from tests.middleware.published import Published


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(_to_its_end(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})))
    return True


async def _to_its_end(test: Coroutine[Any, Any, None]) -> None:
    """Run *test*, and wait for what the guard still fetches in the background."""
    try:
        await test
    finally:
        async with asyncio.timeout(30):
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others)


@pytest.fixture(autouse=True)
def patient_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may keep an issuer from answering in the five seconds that guards have patience for."""
    monkeypatch.setattr(fetch, "MOST_SECONDS", 30)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving(Issuer()) as published:
        yield published


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the guards that a test makes keep of their issuer ages by this clock."""
    found = Clock()
    monkeypatch.setattr("mcp_token_guard.guard.Upkeep", partial(Upkeep, clock=found))
    return found


@pytest.fixture
def published(issuer: Issuer) -> Published:
    return Published(issuer)


@pytest.fixture
def guard(issuer: Issuer) -> Guard:
    return Guard(
        RESOURCE,
        issuer=issuer.url,
        scopes=["notes:read"],
        tools={"read_note": (), "write_note": "notes:write", "delete_note": ["notes:delete", "notes:write"]},
    )


@pytest.fixture
def client(guard: Guard) -> Client:
    return Client(guard)
