"""A server may choose that lists hold only what the caller's token opens."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_token_guard import Guard
from mcp_token_guard.listing import ListFilter
from tests.middleware.asgi_client import Answer, Client
from tests.middleware.four_servers import SERVERS, serving
from tests.middleware.granting import Granting, key_file
from tests.middleware.issuer import RESOURCE, Issuer
from tests.middleware.test_four_servers import META, Asker
from tests.middleware.test_receipts import Answering, result
from tests.middleware.wsgi_client import ask

pytestmark = pytest.mark.requirement("RS-5")

LISTING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
TOOLS = {"tools": [{"name": "read_note"}, {"name": "wipe"}, {"name": "made_up"}], "cacheScope": "public"}
FULL = result(**TOOLS)
SHORT = result(**{**TOOLS, "tools": [{"name": "read_note"}], "cacheScope": "private"})


@pytest.fixture
def hiding(issuer: Issuer) -> Guard:
    rules: dict[str, Any] = {"read_note": (), "wipe": "wipe"}
    return Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", tools=rules, hide_closed=True)


async def answered(guard: Guard, issuer: Issuer, app: Any, scope: str = "notes:read", body: Any = LISTING) -> Answer:
    return await Client(guard, app).send(body=body, token=issuer.token(scope=scope))


async def test_a_list_holds_what_the_token_opens(hiding: Guard, issuer: Issuer) -> None:
    app = Answering(b"application/json", FULL[:20], FULL[20:])
    assert (await answered(hiding, issuer, app)).body == SHORT
    all_of_it = json.loads((await answered(hiding, issuer, app, "notes:read wipe")).body)
    assert [tool["name"] for tool in all_of_it["result"]["tools"]] == ["read_note", "wipe", "made_up"]


async def test_a_tool_that_the_tokens_limits_do_not_name_is_left_out(hiding: Guard, issuer: Issuer) -> None:
    details = [{"type": "mcp_tool", "locations": [RESOURCE], "tools": ["wipe"]}]
    token = issuer.token(scope="notes:read wipe", authorization_details=details)
    answer = await Client(hiding, Answering(b"application/json", FULL)).send(body=LISTING, token=token)
    assert [tool["name"] for tool in json.loads(answer.body)["result"]["tools"]] == ["wipe"]


async def test_a_tool_of_single_calls_is_shown_to_who_has_a_permission(issuer: Issuer, tmp_path: Path) -> None:
    granting, key = Granting(issuer, RESOURCE), key_file(tmp_path)
    guard = Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", once="wipe", identity=key, hide_closed=True)
    for detail, shown in ((granting.detail("wipe", "read_note"), ["read_note"]), (granting.once("wipe"), ["wipe"])):
        answer = await Client(guard, Answering(b"application/json", FULL)).send(
            body=LISTING, token=granting.token(detail)
        )
        assert [tool["name"] for tool in json.loads(answer.body)["result"]["tools"]] == shown


async def test_prompts_and_resources_are_left_out_too(issuer: Issuer) -> None:
    guard = Guard(
        RESOURCE,
        issuer=issuer.url,
        scopes="notes:read",
        prompts={"plan": "plan"},
        resources={"db://a/*": (), "db://a/../b": "b"},
        hide_closed=True,
    )
    both = result(prompts=[{"name": "plan"}], resources=[{"uri": "db://a/1"}, {"uri": "db://a/../b"}, {"uri": 5}, 7])
    answer = await answered(
        guard, issuer, Answering(b"application/json", both), body={**LISTING, "method": "prompts/list"}
    )
    assert json.loads(answer.body)["result"] == {"prompts": [], "resources": [{"uri": "db://a/1"}]}


async def test_by_default_all_is_listed_so_that_a_client_can_ask_for_it(guard: Guard, issuer: Issuer) -> None:
    assert (await answered(guard, issuer, Answering(b"application/json", FULL))).body == FULL


async def test_a_stream_is_held_no_longer_than_an_event(hiding: Guard) -> None:
    held = ListFilter(lambda thing: thing[1] == "read_note")
    held.start([(b"content-type", b"text/event-stream")])
    assert held.feed(b": ping\n\nid: 7\ndata: " + FULL[:9]) == b": ping\n\n"
    assert held.feed(FULL[9:] + b"\n") == b""
    assert (
        held.feed(b"\nevent: message\ndata: {}\n\nrest")
        == b"id: 7\ndata: " + SHORT + b"\n\nevent: message\ndata: {}\n\n"
    )
    assert held.finish() == b"rest"


async def test_what_cannot_be_read_or_is_no_list_passes_as_it_is(hiding: Guard, issuer: Issuer) -> None:
    for media, body in (
        (b"text/plain", FULL),
        (b"application/json", b"{"),
        (b"application/json", b"[" * 50_000),
        (b"application/json", result(content=[])),
        (b"application/json", b'{"result": {"tools": "none"}}'),
        (b"application/json", b" " * 4_200_000 + FULL),
    ):
        assert (await answered(hiding, issuer, Answering(media, body))).body == body


async def test_the_application_is_not_asked_to_compress_a_list_and_its_length_is_not_kept(
    hiding: Guard, issuer: Issuer
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert b"accept-encoding" not in dict(scope["headers"])
        headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(FULL))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": FULL})

    headers = [("Accept-Encoding", "gzip"), ("Content-Type", "application/json")]
    answer = await Client(hiding, app).send(body=LISTING, headers=headers, token=issuer.token())  # type: ignore[arg-type]
    assert answer.body == SHORT
    assert "Content-Length" not in answer.headers


def test_a_wsgi_applications_list_too(hiding: Guard, issuer: Issuer) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(FULL)))])
        return [FULL[:50], FULL[50:]]

    answer = ask(hiding, app, body=json.dumps(LISTING).encode(), HTTP_AUTHORIZATION=f"Bearer {issuer.token()}")
    assert answer.body == SHORT
    assert "content-length" not in answer.headers


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\n\n", b"\r\n\r\n", b"data: {}", FULL])), st.booleans())
def test_no_answer_is_lost_on_its_way(pieces: list[bytes], stream: bool) -> None:
    held = ListFilter(lambda thing: True)
    held.start([(b"content-type", b"text/event-stream" if stream else b"application/json")])
    passed = b"".join([*map(held.feed, pieces), held.finish()])
    if b"tools" not in passed:
        assert passed == b"".join(pieces)


@pytest.mark.parametrize("name", ["mcp SDK", "FastMCP"])
def test_real_servers_lists_are_filtered(issuer: Issuer, name: str) -> None:
    assert name in SERVERS
    with serving(name, issuer.url, hide_closed=True) as (url, ran), httpx2.Client(timeout=10) as http:
        asker = Asker(http, url, ran, issuer)
        for scope, tools in (("read", ["look"]), ("all", ["look", "wipe", "once"])):
            body = {**LISTING, "params": {"_meta": META}}
            text = asker.send(body, asker.token(scope), **{"Mcp-Method": "tools/list"}).text
            data = [line[5:] for line in text.splitlines() if line.startswith("data:")]
            listed = json.loads("".join(data) or text)["result"]["tools"]
            assert [tool["name"] for tool in listed] == tools
