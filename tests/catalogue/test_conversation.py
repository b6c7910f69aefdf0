"""Servers asked for their tools: those that speak either revision, and those that are up to no good."""

import itertools
import json
import ssl
from typing import Any

import pytest

from authserver.outbound.correspondence import Correspondence
from authserver.outbound.refusal import FetchRefused, Refusal
from authserver.protocol.tool_list import NotTools
from authserver.services.tool_catalogue.conversation import ask

from .server import Reply, mcp_server, result, streamed

TOKEN = "the-token"
READ = {"name": "read_note", "inputSchema": {"type": "object"}}
WRITE = {"name": "write_note", "inputSchema": {"type": "object"}}


def tools(answer, seconds: float = 60, most: int = 1_000_000) -> tuple[set[str], list[Any]]:
    with mcp_server(answer) as (url, asked):
        trust = ssl.create_default_context()
        where = Correspondence(url, {}, proxy="", trust=trust, most_bytes=most, seconds=seconds)
        return set(ask(where, TOKEN).claims), asked


def refusal(answer, **bounds) -> str:
    with pytest.raises((NotTools, FetchRefused)) as refused:
        tools(answer, **bounds)
    return str(refused.value)


@pytest.mark.parametrize("reply", [result, streamed, lambda m, c: streamed(m, c, "\r\n", stays=True)])
def test_a_server_without_sessions_is_asked_once_per_page(reply):
    def answer(message, headers):
        assert headers["mcp-protocol-version"] == "2026-07-28"
        assert headers["mcp-method"] == message["method"] == "tools/list"
        assert headers["authorization"] == f"Bearer {TOKEN}"
        assert message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        second = message["params"].get("cursor") == "2"
        return reply(message, {"tools": [WRITE]} if second else {"tools": [READ], "nextCursor": "2"})

    found, asked = tools(answer)
    assert found == {"read_note", "write_note"}
    assert len(asked) == 2


@pytest.mark.parametrize("reply", [result, streamed])
def test_a_server_with_sessions_has_one_begun_and_ended(reply):
    def answer(message, headers):
        if headers["mcp-protocol-version"] == "2026-07-28":
            return Reply(400)
        if message.get("method") == "initialize":
            started = reply(message, {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}})
            started.headers["Mcp-Session-Id"] = "session-1"
            return started
        assert headers["mcp-session-id"] == "session-1"
        assert headers["mcp-protocol-version"] == "2025-06-18"
        return reply(message, {"tools": [READ]}) if "id" in message else Reply(202)

    found, asked = tools(answer)
    assert found == {"read_note"}
    assert [message.get("method", method) for method, message, _ in asked] == [
        "tools/list", "initialize", "notifications/initialized", "tools/list", "DELETE",
    ]  # fmt: skip


def endless(message, headers):
    return result(message, {"tools": [], "nextCursor": str(message["id"])})


def circle(message, headers):
    return result(message, {"tools": [], "nextCursor": "again"})


def many(message, headers):
    first = message["id"] * 400
    return result(message, {"tools": [{"name": f"t{first + n}"} for n in range(400)], "nextCursor": str(first)})


HOSTILE = {
    "pages without end": (endless, "more than 100 pages"),
    "pages in a circle": (circle, "go round in a circle"),
    "5,000 tools": (
        lambda m, _h: result(m, {"tools": [{"name": f"t{n}"} for n in range(5000)]}),
        "more than 1000 tools",
    ),
    "too many tools in pages": (many, "more than 1000 tools"),
    "10 MB": (lambda m, _h: Reply(parts=(b" " * 10_000_000,)), "too large"),
    "10 MB of events": (lambda m, _h: Reply(200, "text/event-stream", (b"data: x\n" * 1_250_000,)), "too large"),
    "deep JSON": (lambda m, _h: Reply(parts=(b'{"id": 1, "result": {"tools": ' + b"[" * 200_000,)), "not the JSON"),
    "a member twice": (lambda m, _h: Reply(parts=(b'{"id": 1, "id": 1, "result": {"tools": []}}',)), "not the JSON"),
    "a redirect": (lambda m, _h: Reply(307, headers={"Location": "http://127.0.0.1:1/"}), "redirects"),
    "HTML": (lambda m, _h: Reply(200, "text/html", (b"<html>sign in</html>",)), "not the JSON"),
    "another's answer": (lambda m, _h: result({"id": 99}, {"tools": []}), "without an answer"),
    "a stream without an answer": (
        lambda m, _h: Reply(200, "text/event-stream", (b"data: {}\n\n",)),
        "without an answer",
    ),
    "compressed": (lambda m, _h: Reply(headers={"Content-Encoding": "gzip"}, parts=(b"x",)), "compressed"),
    "no token wanted": (lambda m, _h: Reply(401), "refuses this server's token"),
    "too few scopes": (lambda m, _h: Reply(403), "refuses this server's token"),
    "an error": (lambda m, _h: Reply(500), "status 500"),
    "nothing understood": (lambda m, _h: Reply(404), "does not understand initialize"),
    "a cursor as long as a book": (lambda m, _h: result(m, {"tools": [], "nextCursor": "x" * 5000}), "nextCursor"),
    "a question back": (lambda m, _h: result(m, {"resultType": "input_required"}), "refused initialize"),
    "no revision": (lambda m, _h: Reply(400) if m["method"] == "tools/list" else result(m, {}), "no revision"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_server_is_refused_in_words(kind):
    answer, words = HOSTILE[kind]
    assert words in refusal(answer)


def test_a_server_that_never_ends_is_left_at_the_deadline():
    assert refusal(lambda m, _h: Reply(200, "text/event-stream", (b": wait\n",), stays=True), seconds=0.5) == str(
        FetchRefused(Refusal.TIMEOUT)
    )


def test_what_a_server_says_of_its_error_is_short_and_plain():
    said = "\x1b[2J\u202e" + "x" * 5000

    def answer(message, headers):
        error = {"code": -1, "message": said}
        return Reply(parts=(b'{"id": %d, "error": %s}' % (message["id"], json.dumps(error).encode()),))

    words = refusal(answer)
    assert "\x1b" not in words
    assert "\u202e" not in words
    assert len(words) < 300


@pytest.mark.requirement("CR-8")
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://notes.example/mcp", Refusal.SCHEME),
        ("http://10.0.0.1/mcp", Refusal.SCHEME),
        ("http://localhost.evil.example/mcp", Refusal.SCHEME),
        ("http://localhost@evil.example/mcp", Refusal.URL),
        ("http://127.1/mcp", Refusal.URL),
        ("ftp://127.0.0.1/mcp", Refusal.SCHEME),
        ("https://127.0.0.1/mcp", Refusal.ADDRESS),
        ("https://169.254.169.254/latest", Refusal.ADDRESS),
        ("https://[::ffff:127.0.0.1]/mcp", Refusal.ADDRESS),
    ],
)
def test_the_server_is_asked_in_public_space_by_https_or_on_this_machine(url, reason):
    with pytest.raises(FetchRefused) as refused:
        Correspondence(url, {}, proxy="", trust=ssl.create_default_context(), most_bytes=1000, seconds=1).send(
            "POST", {}, b""
        )
    assert refused.value.reason is reason


def test_all_pages_share_one_bound_of_bytes():
    count = itertools.count()

    def answer(message, headers):
        padded = {"name": f"t{next(count)}", "description": "x" * 400_000}
        return result(message, {"tools": [padded], "nextCursor": str(message["id"])})

    assert "too large" in refusal(answer)
