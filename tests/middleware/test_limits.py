"""Limits in a token, enforced on calls: what is outside is refused with words, whatever body it hides in."""

import json
import time
from typing import Any

import pytest

from mcp_token_guard import Guard, TokenRefused
from mcp_token_guard.limits import Breach, from_claim
from tests.limits.vectors import detail as at_notes
from tests.middleware.asgi_client import Client, tool_call
from tests.middleware.issuer import RESOURCE, Issuer

pytestmark = pytest.mark.requirement("EX-7")


def detail(*tools: str, **members: Any) -> dict[str, Any]:
    return at_notes(locations=[RESOURCE], tools=list(tools or ["read_note"]), **members)


IN_WORK = detail(limits={"/path": {"under": ["/work"]}})


@pytest.fixture
def limited(issuer: Issuer) -> str:
    return issuer.token(authorization_details=[IN_WORK])


async def test_a_call_within_its_limits_reaches_the_server(client: Client, limited: str) -> None:
    answer = await client.send(body=tool_call("read_note", path="/work/a.md"), token=limited)
    assert answer.status == 200
    assert json.loads(client.app.calls[0]["body"])["params"]["arguments"] == {"path": "/work/a.md"}


async def test_a_call_outside_is_refused_with_the_limit_in_words_and_with_what_to_ask_for(
    client: Client, limited: str
) -> None:
    answer = await client.send(body=tool_call("read_note", 7, path="/etc/passwd"), token=limited)
    assert (answer.status, client.app.calls) == (403, [])
    assert json.loads(answer.body)["id"] == 7
    assert answer.error["message"].startswith("read_note: /path may be only in /work.")
    data = answer.error["data"]
    assert (data["error"], data["tool"], data["argument"]) == ("insufficient_authorization", "read_note", "/path")
    asked = data["authorization_details"]
    assert from_claim(asked, RESOURCE).breach("read_note", {"path": "/etc/passwd"}) is None
    assert from_claim(asked, RESOURCE).breach("read_note", {"path": "/etc/shadow"})


async def test_a_broken_limit_challenges_for_no_scope_so_that_no_client_loops(client: Client, limited: str) -> None:
    answer = await client.send(body=tool_call("read_note", path="/etc"), token=limited)
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    "arguments",
    [{"path": "x" * 501}, {"path": 0.5}, {"path": {}}, {str(n): n for n in range(21)}, {"path": 2**53}],
)
async def test_what_cannot_be_asked_for_briefly_is_not_put_into_words(client, limited, arguments) -> None:
    call = tool_call("read_note")
    call["params"]["arguments"] = arguments
    answer = await client.send(body=call, token=limited)
    assert answer.status == 403
    assert "authorization_details" not in answer.error["data"]


async def test_no_scope_is_asked_for_where_a_limit_would_stay_in_the_way(client: Client, issuer: Issuer) -> None:
    token = issuer.token(scope="", authorization_details=[IN_WORK])
    answer = await client.send(body=tool_call("read_note", path="/etc"), token=token)
    assert answer.error["data"]["error"] == "insufficient_authorization"
    assert "www-authenticate" not in answer.headers
    answer = await client.send(body=tool_call("read_note", path="/work/a"), token=token)
    assert 'scope="notes:read tool:read_note"' in answer.headers["www-authenticate"]


async def test_a_tool_that_the_details_do_not_name_is_closed(client: Client, issuer: Issuer) -> None:
    token = issuer.token(scope="notes:read notes:write", authorization_details=[IN_WORK])
    answer = await client.send(body=tool_call("write_note"), token=token)
    assert answer.status == 403
    assert answer.error["data"]["limit"] == "is of a tool that was not allowed"


@pytest.mark.parametrize("name", ["Read_note", "read_note ", "read_nоte", "*", "", "x" * 100_000])
async def test_no_look_alike_opens_a_tool(issuer: Issuer, name: str) -> None:
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read"))
    token = issuer.token(authorization_details=[detail()])
    assert (await client.send(body=tool_call(name), token=token)).status == 403
    assert (await client.send(body=tool_call("read_note"), token=token)).status == 200


async def test_one_call_outside_stops_its_whole_batch(client: Client, limited: str) -> None:
    inside, outside = (tool_call("read_note", 1, path=path) for path in ("/work/a", "/etc"))
    assert (await client.send(body=[inside, inside], token=limited)).status == 200
    assert (await client.send(body=[inside, outside], token=limited)).status == 403
    notification = {key: value for key, value in outside.items() if key != "id"}
    assert (await client.send(body=notification, token=limited)).status == 403


async def test_a_call_elsewhere_on_the_server_is_limited_too(client: Client, limited: str) -> None:
    for path in ("/other", "/mcp/"):
        assert (await client.send(path=path, body=tool_call("read_note", path="/etc"), token=limited)).status == 403


@pytest.mark.parametrize(
    "params",
    [
        '{"name": "read_note", "arguments": {"path": "/work/a"}, "Arguments": {"path": "/etc"}}',
        '{"name": "read_note", "arguments": {"path": "/work/a"}, "arguments": {"path": "/etc"}}',
        '{"name": "read_note", "arguments": {"path": "/work/a", "path": "/etc"}}',
        '{"name": "read_note", "arguments": {"path": "/work/a", "p\\u0061th": "/etc"}}',
        '{"name": "read_note", "arguments": {"path": NaN}}',
        '{"name": "read_note", "arguments": ["/etc"]}',
    ],
)
async def test_arguments_that_two_readers_read_in_two_ways_are_refused(client, limited, params) -> None:
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": %s}' % params.encode()
    assert (await client.send(body=body, token=limited)).status == 400


@pytest.mark.parametrize("path", ['"\\ud800"', '"/work/\\udc2e\\udc2e/x"', "1e999", "-0", "1" * 4000, "null", "[]"])
async def test_strange_values_are_refused_and_break_nothing(client, limited, path) -> None:
    body = json.dumps(tool_call("read_note", path="@@")).replace('"@@"', path)
    assert (await client.send(body=body.encode(), token=limited)).status == 403


@pytest.mark.parametrize("name", ["\ud800", "x" * 100_000, "a/b~", ""])
async def test_strange_names_are_refused_briefly(client: Client, limited: str, name: str) -> None:
    answer = await client.send(body=tool_call("read_note", **{"path": "/work", name: 1}), token=limited)
    assert answer.status == 403
    assert len(answer.body) < 2000


async def test_a_great_many_additional_arguments_take_no_great_while(client: Client, issuer: Issuer) -> None:
    rules = {f"/path{n}": {"optional": True} for n in range(50)}
    token = issuer.token(authorization_details=[detail(limits=rules, additional="allow")])
    call = tool_call("read_note", **{f"more{n}": n for n in range(50_000)})
    started = time.process_time()
    assert (await client.send(body=call, token=token)).status == 200
    assert time.process_time() - started < 2


async def test_bytes_that_are_no_utf8_are_refused(client: Client, limited: str) -> None:
    body = json.dumps(tool_call("read_note", path="/work/@@/etc")).encode().replace(b"@@", b"\xc0\xae\xc0\xae")
    assert (await client.send(body=body, token=limited)).status == 400


async def test_other_methods_are_left_to_the_scopes(client: Client, limited: str) -> None:
    for method in ("tools/list", "ping"):
        assert (await client.send(body={"jsonrpc": "2.0", "id": 1, "method": method}, token=limited)).status == 200


async def test_several_details_allow_what_either_allows(client: Client, issuer: Issuer) -> None:
    token = issuer.token(authorization_details=[IN_WORK, detail(limits={"/path": {"under": ["/play"]}})])
    for path, status in (("/work/a", 200), ("/play/a", 200), ("/etc", 403)):
        answer = await client.send(body=tool_call("read_note", path=path), token=token)
        assert answer.status == status
    assert answer.error["data"]["limit"] == "may be only in /work; or may be only in /play"


async def test_without_details_the_scopes_decide_alone(client: Client, issuer: Issuer) -> None:
    for details in (None, [{"type": "payment_initiation", "amount": 1}]):
        token = issuer.token(authorization_details=details)
        assert (await client.send(body=tool_call("read_note", path="/etc"), token=token)).status == 200


@pytest.mark.parametrize(
    "details",
    [
        [],
        [{**IN_WORK, "locations": ["https://other.example/mcp"]}],
        [{**IN_WORK, "locations": [RESOURCE + "/"]}],
        [{"type": "mcp_tool"}],
        [{**IN_WORK, "a_rule_of_tomorrow": True}],
        [detail(limits={"/path": {"under": ["/work"], "regex": ".*"}})],
        [detail(limits={"/path": {"sql": {"dialect": "sqlite"}}})],
    ],
)
async def test_a_detail_that_is_for_others_or_not_understood_opens_nothing(client, issuer, details) -> None:
    token = issuer.token(authorization_details=details)
    assert (await client.send(body=tool_call("read_note", path="/work/a"), token=token)).status == 403
    assert (await client.send(body={"jsonrpc": "2.0", "id": 1, "method": "ping"}, token=token)).status == 200


@pytest.mark.parametrize("details", [{}, "mcp_tool", 1, [1], [[]], [{}], [{"type": 1}], [IN_WORK, None]])
async def test_a_claim_that_is_no_list_of_details_makes_no_token(guard: Guard, issuer: Issuer, details) -> None:
    with pytest.raises(TokenRefused, match="authoriz"):
        await guard.verify(issuer.token(authorization_details=details))


async def test_a_tool_sees_its_callers_limits(client: Client, issuer: Issuer) -> None:
    await client.send(body=tool_call("read_note", path="/work/a"), token=issuer.token(authorization_details=[IN_WORK]))
    limits = client.app.calls[0]["caller"].limits
    assert limits.breach("read_note", {"path": "/work/b"}) is None
    assert limits.breach("read_note", {"path": "/etc"}) == Breach("read_note", "/path", "may be only in /work")
