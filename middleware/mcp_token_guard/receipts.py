"""A receipt of each tool call: who, what, and how it ended; for the log, and where wanted for the issuer.

It is made when the answer tells how the call ended. What is to be sent is on disk before that answer has left, so that
no answered call is without its receipt; the line of the log ``mcp_token_guard.calls`` is written afterwards, and only
when the log takes it (level INFO). Nothing in here can fail or hold up a call: what goes wrong is left out, and all
that is kept of a request or an answer has a bound. Values of arguments are redacted unless a rule shows them; the
caller's token is never written, wherever a client may have put it.
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
from os import PathLike
from typing import Any

from .caller import Caller
from .delivery import Delivery
from .messages import Message
from .outcomes import Tap
from .refusals import GuardError
from .replies import Headers

MOST_CHARACTERS = 256
MOST_ID_CHARACTERS = 2048  # a client may be named by the URL of its document
MOST_ARGUMENTS = 32
LEAST_SPOOL = 64 * 1024
REDACTED = "[redacted]"
LARGEST = 2**53
EVERY_TOOL = "*"
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
CORRELATION = re.compile(rb"[A-Za-z0-9._-]{1,64}")

log = logging.getLogger("mcp_token_guard.calls")


@dataclass(frozen=True, slots=True)
class Receipts:
    """What receipts show, and where those wait that are sent. Raises `ValueError` for a spool that is too small."""

    shown: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Tool (or ``*``, for every one) → names of arguments whose values may be read, up to 256 characters; of an object
    or array only its size."""

    spool: str | PathLike[str] | None = None
    """The folder, on a local disk, where receipts wait until the issuer has them; None: they are not sent."""

    spool_bytes: int = 64 * 1024 * 1024
    """How much may wait there, at most. Beyond it the newest receipts are lost, and counted."""

    def __post_init__(self) -> None:
        """Check the bound."""
        if self.spool_bytes < LEAST_SPOOL:
            raise ValueError(f"spool_bytes is at least {LEAST_SPOOL}")

    def begin(
        self, headers: Headers, caller: Caller, messages: tuple[Message, ...], delivery: Delivery | None = None
    ) -> "Receipt | None":
        """The receipt of the calls among *messages*; None where there are none, or nobody reads them."""
        if delivery is None and not log.isEnabledFor(logging.INFO):
            return None
        calls = tuple(message for message in messages if message.method == "tools/call")
        return Receipt(self, headers, caller, calls, delivery) if calls else None

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

    def __init__(
        self, rules: Receipts, headers: Headers, caller: Caller, calls: tuple[Message, ...], delivery: Delivery | None
    ) -> None:
        self._rules = rules
        self._headers = headers
        self._caller = caller
        self._calls = calls
        self._delivery = delivery
        self._begun = time.perf_counter()
        self._when = datetime.now(UTC)
        self._note = ""
        self._tap = Tap()
        self._made: list[dict[str, object]] | None = None

    def by_permission(self) -> None:
        """The call goes on under a permission for it alone, which is spent now."""
        self._note = ", one-time permission spent"

    def refused(self, refusal: GuardError) -> None:
        """The guard kept the calls from the server."""
        words = f"refused {refusal.code}{refusal.note}"
        self._make(refusal.status, dict.fromkeys((call.request_id for call in self._calls), words), "")
        self._log()

    def start(self, status: int, headers: Headers) -> None:
        """The answer is about to begin."""
        with suppress(Exception):
            self._tap.start(status, headers)

    def piece(self, data: bytes, *, last: bool = False) -> None:
        """*data* of the answer is about to leave; *last* if it is known that nothing follows."""
        if self._made is None:
            with suppress(Exception):
                self._tap.piece(data)
                if last or self._tap.tells([call.request_id for call in self._calls]):
                    self._make(self._tap.status, self._tap.outcomes(), "answered")

    def ended(self, *, whole: bool) -> None:
        """The answer has ended; *whole* is False when the application failed, or the client left."""
        if self._made is None:
            self._make(self._tap.status, self._tap.outcomes(), "answered" if whole else "broken off")
        self._log()

    def _make(self, status: int | None, outcomes: Mapping[Any, str], otherwise: str) -> None:
        self._made = []
        with suppress(Exception):
            token = _token(self._headers)
            common = self._common(status, token)
            for call in self._calls:
                receipt = {
                    "id": uuid.uuid4().hex,
                    **common,
                    "tool": _brief(call.name or "", token),
                    "arguments": self._rules.arguments(call, token),
                    "outcome": outcomes.get(call.request_id, otherwise) + self._note,
                }
                self._made.append(receipt)
                if self._delivery is not None:
                    self._delivery.put(receipt)

    def _log(self) -> None:
        with suppress(Exception):
            if log.isEnabledFor(logging.INFO):
                for receipt in self._made or ():
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
            "client": _brief(self._caller.client_id, token, MOST_ID_CHARACTERS),
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


def _brief(text: str, token: str, most: int = MOST_CHARACTERS) -> str:
    """*text* without *token*, at most *most* characters of it."""
    if token and token in text:
        text = text.replace(token, "[token]")
    return text if len(text) <= most else text[: most - 1] + "…"
