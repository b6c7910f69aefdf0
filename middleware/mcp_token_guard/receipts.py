"""A receipt of each tool call, as one line of the log ``mcp_token_guard.calls``: who, what, and how it ended.

Written when the answer has ended, and only when the log takes it (level INFO). Nothing in here can fail or hold up a
call: what goes wrong is left out, and all that is kept of a request or an answer has a bound. Values of arguments are
redacted unless a rule shows them; the caller's token is never written, wherever a client may have put it.
"""

import json
import logging
import re
import time
import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .caller import Caller
from .messages import Message
from .outcomes import Tap
from .refusals import GuardError
from .replies import Headers

MOST_CHARACTERS = 256
MOST_ARGUMENTS = 32
REDACTED = "[redacted]"
LARGEST = 2**53
EVERY_TOOL = "*"
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
CORRELATION = re.compile(rb"[A-Za-z0-9._-]{1,64}")

log = logging.getLogger("mcp_token_guard.calls")


@dataclass(frozen=True, slots=True)
class Receipts:
    """Which arguments a receipt shows: tool (or ``*``, for every one) → names of arguments whose values may be read.

    A value is shown up to 256 characters; of an object or array only its size.
    """

    shown: Mapping[str, Collection[str]] = field(default_factory=dict)

    def begin(self, headers: Headers, caller: Caller, messages: tuple[Message, ...]) -> "Receipt | None":
        """The receipt of the calls among *messages*; None where there are none, or nobody reads them."""
        if not log.isEnabledFor(logging.INFO):
            return None
        calls = tuple(message for message in messages if message.method == "tools/call")
        return Receipt(self, headers, caller, calls) if calls else None

    def arguments(self, call: Message, token: str) -> dict[str, object]:
        """The names of *call*'s arguments, with the values that are shown."""
        given = call.arguments or {}
        shown = {*self._names(EVERY_TOOL), *self._names(call.name or "")}
        found: dict[str, object] = {}
        for name in list(given)[:MOST_ARGUMENTS]:
            found[_brief(name, token)] = _value(given[name], token) if name in shown else REDACTED
        return found

    def _names(self, tool: str) -> Collection[str]:
        names = self.shown.get(tool, ())
        return (names,) if isinstance(names, str) else names


class Receipt:
    """The calls of one request, until their answer has ended."""

    def __init__(self, rules: Receipts, headers: Headers, caller: Caller, calls: tuple[Message, ...]) -> None:
        self._rules = rules
        self._headers = headers
        self._caller = caller
        self._calls = calls
        self._begun = time.perf_counter()
        self._when = datetime.now(UTC)
        self._note = ""
        self.tap = Tap()

    def by_permission(self) -> None:
        """The call goes on under a permission for it alone, which is spent now."""
        self._note = ", one-time permission spent"

    def refused(self, refusal: GuardError) -> None:
        """The guard kept the calls from the server."""
        self._write(
            refusal.status,
            dict.fromkeys((call.request_id for call in self._calls), f"refused {refusal.code}{refusal.note}"),
        )

    def ended(self, *, whole: bool) -> None:
        """The answer has ended; *whole* is False when the application failed, or the client left."""
        outcomes: dict[Any, str] = {}
        with suppress(Exception):
            outcomes = self.tap.outcomes()
        rest = "answered" if whole else "broken off"
        self._write(self.tap.status, {call.request_id: outcomes.get(call.request_id, rest) for call in self._calls})

    def _write(self, status: int | None, outcomes: Mapping[Any, str]) -> None:
        with suppress(Exception):
            token = _token(self._headers)
            common = self._common(status, token)
            for call in self._calls:
                receipt = {
                    **common,
                    "tool": _brief(call.name or "", token),
                    "arguments": self._rules.arguments(call, token),
                    "outcome": outcomes[call.request_id] + self._note,
                }
                log.info("%s", json.dumps(receipt), extra={"receipt": receipt})

    def _common(self, status: int | None, token: str) -> dict[str, object]:
        found = {name: value for name, value in self._headers if name in _NAMED}
        trace = TRACEPARENT.fullmatch(found.get(b"traceparent", b""))
        correlation = found.get(b"x-correlation-id", found.get(b"x-request-id", b""))
        known = CORRELATION.fullmatch(correlation) and correlation.decode() != token
        family, dot, _ = str(self._caller.claims.get("jti", "")).partition(".")
        return {
            "time": self._when.isoformat(timespec="milliseconds"),
            "subject": _brief(self._caller.subject, token),
            "client": _brief(self._caller.client_id, token),
            # Our server's jti begins with the family of refresh tokens, by which a grant's tokens are known.
            "family": _brief(family, token) if dot else None,
            "status": status,
            "duration_ms": round((time.perf_counter() - self._begun) * 1000, 1),
            "correlation_id": correlation.decode() if known else uuid.uuid4().hex,
            "trace_id": trace[1].decode() if trace else None,
            "span_id": trace[2].decode() if trace else None,
        }


_NAMED = (b"traceparent", b"x-correlation-id", b"x-request-id")


def _token(headers: Headers) -> str:
    """The credentials that the request came with; nothing that is written may hold them."""
    sent = next((value for name, value in headers if name == b"authorization"), b"")
    return sent.strip().partition(b" ")[2].strip().decode("latin-1")


def _value(value: object, token: str) -> object:
    if isinstance(value, str):
        return _brief(value, token)
    if isinstance(value, dict | list):
        return f"[{len(value)} {'members' if isinstance(value, dict) else 'items'}]"
    if isinstance(value, int) and abs(value) > LARGEST:
        return _brief(str(value), token)
    return value


def _brief(text: str, token: str) -> str:
    """*text* without *token*, at most so long."""
    if token and token in text:
        text = text.replace(token, "[token]")
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
