"""Each tool call leaves a receipt in the log: bounded, redacted, without the token, and never in the way."""

import json
import logging
import time
from typing import Any

import httpx2
import pytest

from mcp_token_guard import Guard, Receipts
from tests.middleware.asgi_client import App, Client, tool_call
from tests.middleware.four_servers import SERVERS
from tests.middleware.four_servers import serving as serving_server
from tests.middleware.issuer import RESOURCE, Issuer
from tests.middleware.test_four_servers import Asker
from tests.middleware.wsgi_client import ask

pytestmark = pytest.mark.requirement("RS-8")

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "mcp_token_guard.calls")
    return caplog


def receipts(lines: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    found = [record for record in lines.records if record.name == "mcp_token_guard.calls"]
    assert all(json.loads(record.getMessage()) == record.receipt for record in found)  # type: ignore[attr-defined]
    return [json.loads(record.getMessage()) for record in found]


class Answering(App):
    """An application that answers with *events*."""

    def __init__(self, media: bytes, *bodies: bytes, whole: bool = True) -> None:
        super().__init__()
        self.media, self.bodies, self.whole = media, bodies, whole

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"Content-Type", self.media)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for body in self.bodies:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        if not self.whole:
            raise ZeroDivisionError
        await send({"type": "http.response.body"})


def result(identifier: object = 1, **members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": identifier, "result": members}).encode()


async def test_a_call_is_one_line_that_says_who_did_what(guard: Guard, issuer: Issuer, lines) -> None:
    client = Client(guard, Answering(b"application/json", result()))
    headers = [("Content-Type", "application/json"), ("traceparent", TRACE), ("X-Request-ID", "abc-1")]
    token = issuer.token(jti="family1.own", sub="alice")
    await client.call("read_note", token=token, headers=headers)
    [receipt] = receipts(lines)
    assert receipt.pop("duration_ms") >= 0
    assert receipt.pop("time").endswith("+00:00")
    assert len(receipt.pop("id")) == 32
    assert receipt == {
        "subject": "alice",
        "client": "a-client",
        "family": "family1",
        "tool": "read_note",
        "arguments": {},
        "outcome": "ok",
        "status": 200,
        "correlation_id": "abc-1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
    }


FAILED = result(isError=True)


@pytest.mark.parametrize(
    ("media", "bodies", "outcome"),
    [
        (b"application/json", [result(isError=True)], "tool error"),
        (b"application/json", [b'{"id": 1, "error": {"code": -32602}}'], "error -32602"),
        (b"application/json; charset=utf-8", [result()[:9], result()[9:]], "ok"),
        (b"text/event-stream", [b"event: message\r\ndata: " + result() + b"\r\n\r\n"], "ok"),
        (
            b"text/event-stream",
            [b': ping\n\ndata: {"method": "x"}\n\ndata: ' + FAILED + b"\n\n"],
            "tool error",
        ),
        (b"application/json", [b"{"], "answered"),
        (b"application/json", [b"[" * 60_000], "answered"),
        (b"application/json", [b'{"id": {}, "result": 1}'], "answered"),
        (b"application/json", [b" " * 70_000, result()], "answered"),
        (b"text/plain", [result()], "answered"),
        (b"application/json", [result("1")], "answered"),
    ],
)
async def test_the_outcome_is_what_the_answer_says(
    guard: Guard, issuer: Issuer, lines, media: bytes, bodies: list[bytes], outcome: str
) -> None:
    answer = await Client(guard, Answering(media, *bodies)).call("read_note", token=issuer.token())
    assert answer.body == b"".join(bodies), "what passes is not changed"
    assert [receipt["outcome"] for receipt in receipts(lines)] == [outcome]


async def test_every_call_of_a_batch_has_its_own(guard: Guard, issuer: Issuer, lines) -> None:
    answer = b"[" + result(2, isError=True) + b"," + result(1) + b"]"
    client = Client(guard, Answering(b"application/json", answer))
    listing = {"jsonrpc": "2.0", "id": 3, "method": "tools/list"}
    await client.send(body=[tool_call("read_note", 1), listing, tool_call("read_note", 2)], token=issuer.token())
    assert [receipt["outcome"] for receipt in receipts(lines)] == ["ok", "tool error"]
    await client.send(body=listing, token=issuer.token())
    assert len(receipts(lines)) == 2


async def test_what_was_refused_or_broke_off_is_told_too(guard: Guard, issuer: Issuer, lines) -> None:
    client = Client(guard, Answering(b"application/json", b"{", whole=False))
    await client.call("delete_note", token=issuer.token())
    with pytest.raises(ZeroDivisionError):
        await client.call("read_note", token=issuer.token())
    assert [(each["outcome"], each["status"]) for each in receipts(lines)] == [
        ("refused 403", 403),
        ("broken off", 200),
    ]


async def test_values_are_redacted_unless_a_rule_shows_them(issuer: Issuer, lines) -> None:
    shown = Receipts({"write_note": ["title", "size", "tags"], "*": "kind"})
    client = Client(Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", receipts=shown))
    given = {"title": "Plans", "text": "a secret", "kind": "x" * 10_000, "size": 5, "tags": ["a", "b"]}
    await client.send(body=tool_call("write_note", 1, **given), token=issuer.token())
    await client.send(body=tool_call("read_note", 1, **given), token=issuer.token())
    written, read = (receipt["arguments"] for receipt in receipts(lines))
    assert written == {
        "title": "Plans",
        "text": "[redacted]",
        "kind": "x" * 255 + "…",
        "size": 5,
        "tags": "[2 items]",
    }
    assert [name for name, value in read.items() if value != "[redacted]"] == ["kind"]


async def test_the_token_is_never_written(issuer: Issuer, lines) -> None:
    guard = Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", receipts=Receipts({"*": ["a"]}))
    token = issuer.token()
    headers = [("Content-Type", "application/json"), ("X-Correlation-Id", token), ("traceparent", token)]
    call = tool_call(f"tool-{token}", 1, **{"a": f"Bearer {token}", f"name {token}": 1})
    await Client(guard).send(body=call, token=token, headers=headers)
    assert len(receipts(lines)) == 1
    for part in token.split("."):
        assert part not in lines.text


async def test_a_line_is_bounded_and_stays_one_line(guard: Guard, issuer: Issuer, lines) -> None:
    arguments = {f"{number}\n{'n' * 5000}": "x" * 5000 for number in range(100)}
    await Client(guard).send(body=tool_call("read_note", 1, **arguments), token=issuer.token(sub="a\nb" * 500))
    [record] = [record for record in lines.records if record.name == "mcp_token_guard.calls"]
    assert len(record.getMessage()) < 20_000
    assert "\n" not in record.getMessage()
    assert len(record.receipt["arguments"]) == 32


async def test_a_log_that_fails_fails_no_call(guard: Guard, issuer: Issuer, lines) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("disk full")

    log, broken = logging.getLogger("mcp_token_guard.calls"), Broken()
    log.addHandler(broken)
    try:
        assert (await Client(guard).call("read_note", token=issuer.token())).status == 200
        assert (await Client(guard).call("delete_note", token=issuer.token())).status == 403
    finally:
        log.removeHandler(broken)


async def test_nothing_is_kept_for_a_log_that_nobody_reads(guard: Guard, issuer: Issuer, caplog) -> None:
    caplog.set_level(logging.WARNING, "mcp_token_guard.calls")
    await Client(guard).call("read_note", token=issuer.token())
    assert not caplog.records


def test_a_wsgi_application_that_fails_is_told_of(guard: Guard, issuer: Issuer, lines) -> None:
    def failing(environ: Any, start_response: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(
            guard,
            failing,
            body=json.dumps(tool_call("read_note")).encode(),
            HTTP_AUTHORIZATION=f"Bearer {issuer.token()}",
        )
    assert [(each["outcome"], each["status"]) for each in receipts(lines)] == [("broken off", None)]


@pytest.mark.parametrize("name", SERVERS)
def test_calls_of_real_servers_leave_receipts(issuer: Issuer, lines, name: str) -> None:
    with serving_server(name, issuer.url) as (url, ran), httpx2.Client(timeout=10) as http:
        asker = Asker(http, url, ran, issuer)
        assert asker.call("look", asker.token()).status_code == 200
        assert asker.call("wipe", asker.token()).status_code == 403
    # A server that is threaded may close a response when its client has asked the next thing already.
    until = time.monotonic() + 30
    while len(receipts(lines)) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    found = sorted((each["tool"], each["outcome"]) for each in receipts(lines))
    assert found == [("look", "ok"), ("wipe", "refused 403")]
