"""Attacks on the guard's challenges: one is written only where meeting it lets the request through."""

from pathlib import Path

import pytest

from mcp_token_guard import Guard
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.granting import Granting, key_file
from tests.middleware.issuer import RESOURCE, Issuer
from tests.middleware.test_tool_challenges import granting, scope

__all__ = ["granting"]
pytestmark = pytest.mark.requirement("EX-7", "RS-3")


@pytest.fixture
def client(issuer: Issuer, tmp_path: Path) -> Client:
    return Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", identity=key_file(tmp_path)))


async def test_all_that_a_challenge_names_is_announced(client: Client, granting: Granting) -> None:
    """An issuer takes for asked only what was announced: what is not, it drops, and the client comes back for ever."""
    batch = [tool_call(f"tool{number}", number) for number in range(20)]
    answer = await client.send(body=batch, token=granting.token())
    named = (
        {name for name in scope(answer).split() if name.startswith("tool:")}
        if "www-authenticate" in answer.headers
        else set()
    )
    assert named <= {f"tool:{name}" for name in granting.announced}


async def test_the_thirteenth_tool_in_a_minute_is_announced_or_refused_in_words(client, granting) -> None:
    token = granting.token()
    for number in range(13):
        answer = await client.call(f"tool{number}", token=token)
    assert "www-authenticate" not in answer.headers or granting.announced[-1] == "tool12"


async def test_who_said_no_and_asks_again_with_the_same_token_is_announced_again(client, granting) -> None:
    """The issuer forgets an announcement when the person answers; the guard goes on believing for a minute."""
    token = granting.token()
    await client.call("wipe", token=token)
    granting.announced.clear()  # the person said no
    answer = await client.call("wipe", token=token)
    assert "www-authenticate" not in answer.headers or granting.announced == ["wipe"]


async def test_a_client_for_itself_is_refused_in_words(client: Client, granting: Granting) -> None:
    """No person is there whom it could ask: no scope lets the call through."""
    token = granting.token(granting.detail("read_note"), sub="job", client_id="job", jti="client.x")
    answer = await client.call("wipe", token=token)
    assert (answer.status, "www-authenticate" in answer.headers) == (403, False)
