"""What a token's details close, a client that knows nothing of them is told to ask for: one challenge, in one word."""

import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_token_guard import Guard, derived, remedies
from mcp_token_guard.enforcement import MOST_DERIVED
from mcp_token_guard.scopes import SCOPE
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.granting import CHALLENGE, Granting, key_file
from tests.middleware.issuer import RESOURCE, Issuer
from tests.middleware.test_challenges import parsed
from tests.middleware.wsgi_client import App, ask

pytestmark = pytest.mark.requirement("EX-7", "RS-3", "RS-5")


@pytest.fixture
def granting(issuer: Issuer) -> Granting:
    return Granting(issuer, RESOURCE)


@pytest.fixture
def client(issuer: Issuer, tmp_path: Path) -> Client:
    tools = {"read_note": (), "write_note": "notes:write", "wipe": "notes:wipe"}
    identity = key_file(tmp_path)
    return Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", tools=tools, identity=identity))


def scope(answer: Any) -> str:
    challenge = parsed(answer.headers["www-authenticate"])
    assert (answer.status, challenge["error"]) == (403, "insufficient_scope")
    return challenge["scope"]


async def test_a_tool_that_the_details_do_not_open_is_asked_for_by_its_name(client, granting) -> None:
    token = granting.token(granting.detail("write_note"), scope="notes:read notes:write")
    answer = await client.call("read_note", token=token)
    assert scope(answer) == "notes:read tool:read_note"
    assert answer.error["message"].startswith("read_note: the call is of a tool that was not allowed.")
    assert answer.error["data"]["scope"] == "notes:read tool:read_note"
    assert answer.error["data"]["authorization_details"] == [granting.detail("read_note", limits={})]
    assert not client.app.calls


async def test_a_token_that_opens_no_tool_at_all_can_ask_for_one(client, granting) -> None:
    assert scope(await client.call("read_note", token=granting.token())) == "notes:read tool:read_note"


async def test_scopes_and_tool_are_in_one_challenge(client, granting) -> None:
    for details in ([], [granting.detail("wipe")], [granting.detail("read_note")]):
        answer = await client.call("wipe", token=granting.token(*details))
        assert scope(answer) == "notes:read notes:wipe tool:wipe"


async def test_a_token_without_details_is_challenged_by_plain_scopes(client, issuer) -> None:
    answer = await client.call("wipe", token=issuer.token())
    assert scope(answer) == "notes:read notes:wipe"
    assert answer.error["data"] == {"error": "insufficient_scope", "scope": "notes:read notes:wipe"}


async def test_all_calls_of_a_batch_are_in_one_challenge(client, granting) -> None:
    batch = [tool_call(tool, number) for number, tool in enumerate(("read_note", "wipe", "write_note", "wipe"))]
    token = granting.token(granting.detail("read_note"), scope="notes:read notes:write notes:wipe")
    wanted = "notes:read notes:wipe notes:write tool:wipe tool:write_note"
    assert scope(await client.send(body=batch, token=token)) == wanted
    everything = "notes:read notes:wipe notes:write tool:read_note tool:wipe tool:write_note"
    assert scope(await client.send(body=batch, token=granting.token(granting.detail("read_note")))) == everything


async def test_a_challenge_stays_short(issuer, granting) -> None:
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read"))
    batch = [tool_call(f"tool{number}", number) for number in range(21)]
    assert len(scope(await client.send(body=batch[:20], token=granting.token())).split()) == 21
    answer = await client.send(body=batch, token=granting.token())
    assert (answer.status, "www-authenticate" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    "name",
    ["", "wipe all", 'wipe"', "wipe\\", "wіpe", "wipe\n", "x" * 196, "wipe:once", "x,resource_metadata=http://evil/"],
)
async def test_a_name_that_no_scope_can_say_is_refused_in_words(issuer, granting, name: str) -> None:
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read"))
    for token in (granting.token(), granting.token(scope="")):
        for body in (tool_call(name), [tool_call(name), tool_call("read_note", 2)]):
            answer = await client.send(body=body, token=token)
            assert (answer.status, "www-authenticate" in answer.headers) == (403, False)
            assert "not allowed" in answer.error["message"]


@given(st.text() | st.text(string.printable), st.booleans())
def test_a_scope_for_a_tool_is_a_scope_and_of_no_other_tool(name: str, once: bool) -> None:
    found = derived.of_tool(name, once=once)
    if found is not None:
        assert SCOPE.fullmatch(found)
        assert len(found) <= 200
        assert "=" not in found
        assert re.fullmatch("tool:(.+?)(:once)?", found).groups() == (name, ":once" if once else None)


@pytest.mark.parametrize("name", ["x scope=admin", "x error=invalid_token", "x resource_metadata=http://evil/"])
async def test_a_challenge_quotes_nothing_of_the_call(client, granting, name: str) -> None:
    token = granting.token(granting.detail("read_note", limits={"/path": {"under": ["/work"]}}))
    answer = await client.send(body=tool_call("read_note", **{name: 1}), token=token)
    assert name.partition("=")[2] not in answer.headers["www-authenticate"]


IN_WORK = {"/path": {"under": ["/work"]}}


async def test_a_call_outside_its_limits_is_registered_and_asked_for_by_one_scope(client, granting) -> None:
    token = granting.token(granting.detail("read_note", limits=IN_WORK))
    answer = await client.send(body=tool_call("read_note", 7, path="/etc/hosts"), token=token)
    [limit] = granting.registered
    assert scope(answer) == f"notes:read {limit}"
    assert granting.registered[limit] == granting.detail("read_note", limits={"/path": {"values": ["/etc/hosts"]}})
    assert answer.error["message"].startswith("read_note: /path may be only in /work.")
    assert answer.error["data"]["authorization_details"] == [granting.registered[limit]]
    wider = granting.token(granting.detail("read_note", limits=IN_WORK), granting.registered[limit])
    assert (await client.send(body=tool_call("read_note", path="/etc/hosts"), token=wider)).status == 200
    assert (await client.send(body=tool_call("read_note", path="/etc/shadow"), token=wider)).status == 403


async def test_a_batch_has_its_one_call_outside_registered_with_all_else_that_it_lacks(client, granting) -> None:
    token = granting.token(granting.detail("read_note", limits=IN_WORK))
    outside, other = tool_call("read_note", path="/etc"), tool_call("wipe", 2)
    answer = await client.send(body=[outside, other], token=token)
    [limit] = granting.registered
    assert scope(answer) == f"notes:read notes:wipe tool:wipe {limit}"
    answer = await client.send(body=[outside, tool_call("read_note", 2, path="/var")], token=token)
    assert (answer.status, "www-authenticate" in answer.headers) == (403, False)
    assert granting.announced == ["wipe"]


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {}),
        (200, {"scope": "limit:short"}),
        (200, {"scope": "notes:admin"}),
        (200, {"scope": "limit:" + "a" * 65}),
        (200, {"scope": "limit:" + "a" * 30 + " notes:admin"}),
        (200, {"scope": ["limit:" + "a" * 30]}),
        (200, []),
        (400, {"error": "invalid_request"}),
        (500, {"scope": "limit:" + "a" * 30}),
        (0, {}),
    ],
)
async def test_without_a_scope_for_it_the_refusal_is_in_words(client, granting, status, answer) -> None:
    granting.issuer.answers[CHALLENGE] = answer
    granting.issuer.statuses[CHALLENGE] = status
    token = granting.token(granting.detail("read_note", limits=IN_WORK))
    refused = await client.send(body=tool_call("read_note", path="/etc"), token=token)
    assert (refused.status, "www-authenticate" in refused.headers) == (403, False)
    assert refused.error["data"]["limit"] == "may be only in /work"
    assert granting.posted(CHALLENGE) == 1


async def test_who_has_no_identity_or_no_such_endpoint_refuses_in_words(issuer, granting, client) -> None:
    alone = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read"))
    token = granting.token(granting.detail("read_note", limits=IN_WORK))
    del issuer.metadata["tool_challenge_endpoint"]
    for refusing in (alone, client):
        answer = await refusing.send(body=tool_call("read_note", path="/etc"), token=token)
        assert (answer.status, "www-authenticate" in answer.headers) == (403, False)
    assert not issuer.received


async def test_the_same_has_one_scope_for_as_long_as_the_issuer_has_it_waiting(client, granting) -> None:
    token = granting.token(granting.detail("read_note", limits=IN_WORK))

    async def asked(path: str) -> str:
        return scope(await client.send(body=tool_call("read_note", path=path), token=token)).split()[-1]

    first = await asked("/etc")
    assert await asked("/etc") == first
    assert await asked("/var") != first
    assert granting.meant([first]), "a person answered"
    assert await asked("/etc") != first
    assert granting.posted(CHALLENGE) == 4, "only the issuer knows"


async def test_nobody_floods_the_issuer_through_the_guard(client, granting, monkeypatch) -> None:
    now = [0.0]
    client.guard.remedies._clock = lambda: now[0]
    monkeypatch.setattr(remedies, "MOST_EACH", 12)
    monkeypatch.setattr(remedies, "MOST", 50)

    async def challenged(caller: str, tool: str = "read_note", jti: str = "1") -> bool:
        limited = granting.token(granting.detail("read_note", limits=IN_WORK), sub=caller, jti=jti)
        answer = await client.send(body=tool_call(tool, path="/etc"), token=limited)
        assert answer.status == 403
        return "www-authenticate" in answer.headers

    tools = ["read_note", "wipe"] * 10
    assert sum([await challenged("mallory", tool, jti=str(number)) for number, tool in enumerate(tools)]) == 12
    assert await challenged("alice")
    others = [await challenged(f"person{number}") for number in range(50)]
    assert (sum(others), granting.posted(CHALLENGE)) == (37, 50)
    assert len(client.guard.remedies._told) == 50
    now[0] = 60
    assert await challenged("mallory")
    assert len(client.guard.remedies._told) == 1


def test_the_largest_challenge_can_be_met_with_and_tried_again_within_the_bounds() -> None:
    assert remedies.MOST_EACH >= 3 * (MOST_DERIVED + 1), "and one for a call outside its limits"
    assert remedies.MOST >= 10 * remedies.MOST_EACH


def test_a_wsgi_server_challenges_in_the_same_way(client, granting) -> None:
    token = granting.token(granting.detail("read_note", limits=IN_WORK))
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_note","arguments":{"path":"/etc"}}}'
    answer = ask(client.guard, App(), body=body, HTTP_AUTHORIZATION=f"Bearer {token}")
    [limit] = granting.registered
    assert scope(answer) == f"notes:read {limit}"
