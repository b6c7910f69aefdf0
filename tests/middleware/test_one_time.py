"""A permission for one call lets one call through: spent before the call goes on, and never taken on trust."""

import asyncio
import base64
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from mcp_token_guard import Guard
from mcp_token_guard.adapters.mcp_sdk import GuardTokenVerifier
from mcp_token_guard.limits import UNLIMITED, from_claim
from mcp_token_guard.permissions import digest
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.granting import PERMISSION, Granting, key_file
from tests.middleware.issuer import RESOURCE, Issuer, serving
from tests.middleware.test_receipts import Answering, receipts, result
from tests.middleware.test_tool_challenges import scope
from tests.middleware.wsgi_client import App, ask

pytestmark = pytest.mark.requirement("EX-7", "RS-11")

WIPE = "notes:read tool:wipe:once"


@pytest.fixture
def granting(issuer: Issuer) -> Granting:
    return Granting(issuer, RESOURCE)


@pytest.fixture
def guard(issuer: Issuer, tmp_path: Path) -> Guard:
    return Guard(
        RESOURCE, issuer=issuer.url, scopes="notes:read", tools={"x": "x"}, default=(), once="wipe",
        identity=key_file(tmp_path),
    )  # fmt: skip


async def test_a_permission_lets_one_call_through_and_no_second(client: Client, granting: Granting) -> None:
    token = granting.token(granting.once("wipe"))
    assert (await client.call("wipe", token=token)).status == 200
    again = await client.call("wipe", token=token)
    assert scope(again) == WIPE
    assert again.error["message"].startswith("wipe: the call was allowed once, and that was used.")
    assert len(client.app.calls) == 1


async def test_the_issuer_is_told_which_call_it_is(client: Client, granting: Granting) -> None:
    detail = granting.once("wipe")
    call = tool_call("wipe", folder="Grüße", b=[1, {"z": 1, "a": None}])
    assert (await client.send(body=call, token=granting.token(detail, jti="family.7"))).status == 200
    [(path, body)] = granting.issuer.received
    form = {name: value for name, [value] in parse_qs(body.decode()).items() if not name.startswith("client_")}
    canonical = '{"b":[1,{"a":null,"z":1}],"folder":"Grüße"}'.encode()
    told = base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
    wanted = {"jti": "family.7", "permission": detail["once"], "tool": "wipe", "arguments_digest": told}
    assert (path, form) == (PERMISSION, wanted)


async def test_a_tool_of_which_each_call_is_permitted_takes_no_other_detail(client, granting, issuer) -> None:
    for token in (
        granting.token(granting.detail("wipe")),
        granting.token(granting.detail("wipe", limits={"/folder": {}})),
        granting.token(granting.detail("look")),
        granting.token(),
        issuer.token(),
    ):
        answer = await client.call("wipe", token=token)
        assert scope(answer) == WIPE
        assert answer.error["data"]["limit"] == "needs a permission of its own, each time"
        assert "authorization_details" not in answer.error["data"]
    assert not granting.posted(PERMISSION)
    assert not client.app.calls


async def test_other_tools_are_as_they_were(client: Client, granting: Granting, issuer: Issuer) -> None:
    assert (await client.call("look", token=issuer.token())).status == 200
    assert (await client.call("look", token=granting.token(granting.detail("look")))).status == 200
    assert scope(await client.call("look", token=granting.token())) == "notes:read tool:look"


async def test_all_scopes_are_in_the_challenge(client: Client, granting: Granting, issuer: Issuer) -> None:
    for token in (issuer.token(scope=""), granting.token(granting.once("wipe"), scope="")):
        assert scope(await client.call("wipe", token=token)) == WIPE
    assert not granting.posted(PERMISSION), "a call that lacks a scope costs no permission"


async def test_a_detail_without_limit_on_its_use_is_preferred(client: Client, granting: Granting) -> None:
    token = granting.token(granting.once("look"), granting.detail("look"))
    assert [(await client.call("look", token=token)).status for _ in range(2)] == [200, 200]
    assert not granting.posted(PERMISSION)


async def test_a_permission_for_any_tool_is_spent_in_the_same_way(client: Client, granting: Granting) -> None:
    token = granting.token(granting.once("look", limits={"/a": {"values": [1]}}))
    assert scope(await client.send(body=tool_call("other", a=1), token=token)) == "notes:read tool:other"
    assert (await client.send(body=tool_call("look", a=1), token=token)).status == 200
    assert scope(await client.send(body=tool_call("look", a=1), token=token)) == "notes:read tool:look:once"


async def test_arguments_outside_a_permissions_limits_spend_nothing(client: Client, granting: Granting) -> None:
    limits = {"/folder": {"under": ["/work"]}}
    token = granting.token(granting.once("wipe", limits=limits), granting.once("look", limits=limits))
    answer = await client.send(body=tool_call("wipe", folder="/etc"), token=token)
    assert scope(answer) == WIPE
    assert answer.error["data"]["limit"] == "may be only in /work"
    answer = await client.send(body=tool_call("look", folder="/etc"), token=token)
    assert scope(answer) == f"notes:read {next(iter(granting.registered))}"
    assert not granting.posted(PERMISSION)
    assert (await client.send(body=tool_call("wipe", folder="/work/a"), token=token)).status == 200


async def test_a_second_permission_is_used_when_the_first_is_spent(client: Client, granting: Granting) -> None:
    token = granting.token(granting.once("wipe"), granting.once("wipe"))
    assert [(await client.call("wipe", token=token)).status for _ in range(4)] == [200, 200, 403, 403]
    assert granting.posted(PERMISSION) == 2, "what is known to be spent is not asked for again"


async def test_what_is_remembered_of_spent_permissions_is_bounded(client, granting, monkeypatch) -> None:
    monkeypatch.setattr("mcp_token_guard.permissions.MOST_REMEMBERED", 3)
    for _ in range(5):
        assert (await client.call("wipe", token=granting.token(granting.once("wipe")))).status == 200
    assert len(client.guard.permissions._spent) == 3


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {}),
        (200, {"consumed": "true"}),
        (200, {"consumed": 1}),
        (200, {"consumed": None}),
        (200, True),
        (201, {"consumed": True}),
        (400, {"consumed": True}),
        (401, {"error": "invalid_client"}),
        (500, {"consumed": False}),
        (503, {}),
        (0, {}),
    ],
)
async def test_whatever_is_not_yes_or_no_leaves_the_call_undone(client, granting, status, answer) -> None:
    granting.issuer.answers[PERMISSION] = answer
    granting.issuer.statuses[PERMISSION] = status
    refused = await client.send(body=tool_call("wipe", 7), token=granting.token(granting.once("wipe")))
    assert (refused.status, json.loads(refused.body)["id"]) == (503, 7)
    assert refused.headers["retry-after"]
    assert "www-authenticate" not in refused.headers
    assert granting.posted(PERMISSION) == 1, "what was asked once is not asked again"
    assert not client.app.calls


async def test_no_issuer_no_endpoint_no_identity_no_call(issuer, granting, tmp_path) -> None:
    token = granting.token(granting.once("look"))
    guards = [
        Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", identity=key) for key in (None, key_file(tmp_path))
    ]
    del issuer.metadata["tool_permission_endpoint"]
    for guard in guards:
        client = Client(guard)
        assert (await client.call("look", token=token)).status == 503
        assert not client.app.calls
    assert not issuer.received


async def test_the_issuer_may_be_gone(tmp_path: Path) -> None:
    with serving(Issuer()) as issuer:
        granting = Granting(issuer, RESOURCE)
        client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", identity=key_file(tmp_path)))
        token, first = granting.token(granting.once("look")), granting.token(granting.once("look"))
        assert (await client.call("look", token=first)).status == 200
    assert (await client.call("look", token=token)).status == 503
    assert len(client.app.calls) == 1


async def test_a_token_without_a_name_spends_nothing(client: Client, granting: Granting) -> None:
    for jti in (None, "", 7):
        assert (await client.call("wipe", token=granting.token(granting.once("wipe"), jti=jti))).status == 503
    assert not granting.posted(PERMISSION)


async def test_a_call_by_permission_travels_alone(client: Client, granting: Granting) -> None:
    token = granting.token(granting.once("wipe"), granting.detail("look"), granting.once("other"))
    wipe, ping = tool_call("wipe"), {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    for other in (ping, wipe, tool_call("look", 2), {"method": "notifications/cancelled"}, {"id": 1, "result": 1}):
        for batch in ([wipe, other], [other, wipe], [tool_call("other"), other]):
            answer = await client.send(body=batch, token=token)
            assert (answer.status, answer.error["code"], "www-authenticate" in answer.headers) == (400, -32600, False)
            assert "sent alone" in answer.error["message"]
    assert not granting.posted(PERMISSION)
    assert (await client.send(body=[wipe], token=token)).status == 200


async def test_the_permission_is_spent_when_all_else_has_passed(client: Client, granting: Granting) -> None:
    token = granting.token(granting.once("wipe"))
    refused = [
        await client.call("wipe", token=token, headers=[("Mcp-Method", "tools/list")]),
        await client.call("wipe", token=token, headers=[("Mcp-Name", "look"), ("Content-Type", "application/json")]),
        await client.call("wipe", token=granting.token(granting.once("wipe"), mcp_methods=["tools/list"])),
        await client.call("wipe", token=granting.token(granting.once("wipe"), exp=1)),
        await client.send(body=b'{"method": "tools/call", "params": {"name": "wipe", "name": "look"}}', token=token),
        await client.send(body=b" " * (client.guard.max_body + 1), token=token),
    ]
    assert [answer.status for answer in refused] == [400, 400, 401, 401, 400, 413]
    assert not granting.posted(PERMISSION)
    assert (await client.call("wipe", token=token)).status == 200


async def test_calls_at_one_time_spend_one_permission_once(client: Client, granting: Granting) -> None:
    token = granting.token(granting.once("wipe"))
    answers = await asyncio.gather(*(client.call("wipe", token=token) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [403] * 7
    assert len(client.app.calls) == 1


async def test_a_call_elsewhere_on_the_server_needs_its_permission_too(client: Client, granting: Granting) -> None:
    token = granting.token(granting.once("wipe"))
    assert [(await client.call("wipe", path="/other", token=token)).status for _ in range(2)] == [200, 403]


async def test_a_tool_knows_that_its_call_is_the_only_one(client: Client, granting: Granting, issuer: Issuer) -> None:
    detail = granting.once("wipe")
    token = granting.token(detail)
    await client.call("wipe", token=token)
    await client.call("look", token=issuer.token())
    first, second = (call["caller"] for call in client.app.calls)
    assert (first.permission, second.permission) == (detail["once"], None)
    assert (await client.guard.verify(token)).permission is None, "the token itself says nothing of a call"
    assert first.limits.breach("wipe", {}), "what a tool calls besides has no permission"


def test_a_wsgi_server_asks_in_the_same_way(guard: Guard, granting: Granting) -> None:
    app, token = App(), granting.token(granting.once("wipe"))
    body = json.dumps(tool_call("wipe")).encode()
    answers = [ask(guard, app, body=body, HTTP_AUTHORIZATION=f"Bearer {token}") for _ in range(2)]
    assert ([answer.status for answer in answers], len(app.bodies)) == ([200, 403], 1)
    assert scope(answers[1]) == WIPE


@pytest.mark.requirement("RS-8")
async def test_receipts_say_what_became_of_a_permission(guard, granting, caplog) -> None:
    caplog.set_level("INFO", "mcp_token_guard.calls")
    client = Client(guard, Answering(b"application/json", result()))
    token = granting.token(granting.once("wipe"))
    for each in (granting.token(), token, token, granting.token(granting.once("wipe"), jti=None)):
        await client.call("wipe", token=each)
    assert [receipt["outcome"] for receipt in receipts(caplog)] == [
        "refused 403, one-time permission needed",
        "ok, one-time permission spent",
        "refused 403, one-time permission spent",
        "refused 503, one-time permission unconfirmed",
    ]


@pytest.mark.parametrize("settings", [{"once": "wipe", "identity": None}, {"once": ["a b"]}, {"once": ["x" * 191]}])
def test_a_guard_that_could_not_ask_is_not_made(issuer: Issuer, tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"once|single call"):
        Guard(RESOURCE, issuer=issuer.url, scopes=(), **{"identity": key_file(tmp_path), **settings})


def test_the_sdks_own_authorization_cannot_hold_single_calls(guard: Guard) -> None:
    with pytest.raises(ValueError, match="single calls"):
        GuardTokenVerifier(guard)


def test_any_arguments_have_a_digest() -> None:
    assert digest({"a": "\ud800"}) != digest({"a": "\udfff"}) != digest({"a": 10**400})
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1}) != digest({"a": 2, "b": 1.0})


async def test_arguments_of_any_depth_are_refused_or_run_once(client: Client, granting: Granting) -> None:
    for depth in range(880, 1010, 3):
        body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wipe","arguments":{"a":%s}}}'
        answer = await client.send(
            body=body % (b"[" * depth + b"]" * depth), token=granting.token(granting.once("wipe"))
        )
        assert answer.status in (200, 400)


def test_a_tool_that_asks_for_itself_is_not_told_of_single_calls(granting: Granting) -> None:
    limits = from_claim([granting.once("wipe"), granting.detail("look")], RESOURCE)
    assert str(limits.breach("wipe", None)) == "wipe: the call is allowed once only"
    assert (limits.opens("wipe"), limits.opens("wipe", once=True), limits.opens("look", once=True)) == (
        True,
        True,
        False,
    )
    assert not UNLIMITED.opens("wipe", once=True)
