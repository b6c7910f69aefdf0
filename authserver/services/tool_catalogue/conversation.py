"""The conversation with an MCP server that gets its list of tools, in the revision of the protocol that it speaks.

First as revision 2026-07-28 has it, a request without a session; where that is not understood, ``initialize`` and a
session as in 2025-11-25. Answers are JSON or a stream of events.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from ...outbound.correspondence import STREAM, Message
from ...outbound.refusal import FetchRefused
from ...protocol import strict_json
from ...protocol.tool_list import MOST_TOOLS, Listed, NotTools, Page, listed, page, plain_line

MODERN, LEGACY = "2026-07-28", "2025-11-25"
MOST_PAGES = 100
MOST_WORDS = 200
REVISION = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
SESSION = re.compile(r"[!-~]{1,512}")
OWN_NAME = {"name": "mcp-authserver", "version": "1"}
META = "io.modelcontextprotocol/"
NOT_UNDERSTOOD = frozenset({400, 404, 405, 406})
METHODS = ("initialize", "notifications/initialized", "tools/list")
"""All that this conversation ever asks."""


class NoAnswer(NotTools):
    """The server did not answer as an MCP server does; the message says what it did."""


class _NotUnderstood(NoAnswer):
    """The server refused the message itself, which one of another revision may not be."""


class Sender(Protocol):
    """Sends requests to the server; see `outbound.correspondence.Correspondence`."""

    def send(
        self, method: str, headers: Mapping[str, str], body: bytes, enough: Callable[[bytes], bool] = ...
    ) -> Message:
        """The answer."""


def ask(sender: Sender, token: str) -> Listed:
    """All tools of the server. Raises `NotTools` in words, and what *sender* raises."""
    try:
        return _tools(_Talk(sender, token, MODERN))
    except _NotUnderstood:
        talk = _Talk(sender, token, LEGACY)
        talk.initialize()
        try:
            return _tools(talk)
        finally:
            talk.end()


def _tools(talk: "_Talk") -> Listed:
    found: list[Any] = []
    cursor, seen = None, set()
    for _ in range(MOST_PAGES):
        answer = talk.tools(cursor)
        found += answer.tools
        cursor = answer.cursor
        if cursor is None:
            return listed(found)
        if cursor in seen:
            raise NotTools("the server's pages go round in a circle")
        seen.add(cursor)
        if len(found) > MOST_TOOLS:
            break
    if len(found) > MOST_TOOLS:
        raise NotTools(f"the server lists more than {MOST_TOOLS} tools")
    raise NotTools(f"the server has more than {MOST_PAGES} pages of tools")


class _Talk:
    def __init__(self, sender: Sender, token: str, revision: str) -> None:
        self._sender = sender
        self._token = token
        self._revision = revision
        self._session: str | None = None
        self._count = 0

    def tools(self, cursor: str | None) -> Page:
        params: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        if self._revision == MODERN:
            own = {"protocolVersion": MODERN, "clientInfo": OWN_NAME, "clientCapabilities": {}}
            params["_meta"] = {META + name: value for name, value in own.items()}
        return page(self._request("tools/list", params)[0])

    def initialize(self) -> None:
        own = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": OWN_NAME}
        result, headers = self._request("initialize", own)
        revision, session = result.get("protocolVersion"), headers.get("mcp-session-id")
        if not isinstance(revision, str) or not REVISION.fullmatch(revision):
            raise NoAnswer("the server names no revision of MCP")
        if session is not None and not SESSION.fullmatch(session):
            raise NoAnswer("the server's Mcp-Session-Id is none")
        self._revision, self._session = revision, session
        self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def end(self) -> None:
        """End the session, where there is one; a server that ends it by itself may refuse."""
        if self._session is not None:
            with suppress(FetchRefused):
                self._sender.send("DELETE", self._headers(), b"")

    def _request(self, method: str, params: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, str]]:
        self._count += 1
        events = _Events(self._count)
        sent = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        answer = self._post(sent, events.take)
        found = events.found if answer.media_type == STREAM else _message(answer.body)
        if found is None or found.get("id") != self._count:
            raise NoAnswer("the server answered without an answer to what it was asked")
        result = found.get("result")
        if isinstance(result, dict) and result.get("resultType", "complete") == "complete":
            return result, answer.headers
        raise _NotUnderstood(f"the server refused {method}{_words_of(found)}")

    def _post(self, message: Mapping[str, Any], enough: Callable[[bytes], bool] = lambda _: False) -> Message:
        answer = self._sender.send("POST", self._headers(message["method"]), json.dumps(message).encode(), enough)
        if answer.status in (401, 403):
            raise NoAnswer(
                f"the server refuses this server's token (status {answer.status}): it must trust this issuer,"
                " expect this very URL as audience, and ask no more for tools/list than the default scopes"
            )
        if answer.status in NOT_UNDERSTOOD:
            raise _NotUnderstood(f"the server does not understand {message['method']} (status {answer.status})")
        if not 200 <= answer.status < 300:
            raise NoAnswer(f"the server answered with status {answer.status}")
        return answer

    def _headers(self, method: str = "") -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._token}", "MCP-Protocol-Version": self._revision}
        if method:
            headers |= {"Content-Type": "application/json", "Accept": f"application/json, {STREAM}"}
        if method and self._revision == MODERN:
            headers["Mcp-Method"] = method
        if self._session is not None:
            headers["Mcp-Session-Id"] = self._session
        return headers


class _Events:
    """Finds the answer to one request in a stream of events (HTML, Server-sent events)."""

    def __init__(self, request_id: int) -> None:
        self._id = request_id
        self._rest = b""
        self._data: list[bytes] = []
        self.found: dict[str, Any] | None = None

    def take(self, part: bytes) -> bool:
        """Read on with *part*; True once the answer is there."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            line = line.removesuffix(b"\r")  # noqa: PLW2901 - the same line
            if line.startswith(b"data:"):
                self._data.append(line.removeprefix(b"data:").removeprefix(b" "))
            elif not line and self._data:
                data, self._data = b"\n".join(self._data), []
                self._look(data)
        return self.found is not None

    def _look(self, data: bytes) -> None:
        message = _message(data) if data.strip() else {}
        if message.get("id") == self._id and "method" not in message:
            self.found = message


def _message(body: bytes) -> dict[str, Any]:
    try:
        return strict_json.loads(body)
    except ValueError:
        raise NoAnswer("the server's answer is not the JSON of an MCP server") from None


def _words_of(found: Mapping[str, Any]) -> str:
    error = found.get("error")
    said = error.get("message") if isinstance(error, dict) else None
    return f": it says {plain_line(said, MOST_WORDS)!r}" if isinstance(said, str) else ""
