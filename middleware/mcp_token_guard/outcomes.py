"""How calls ended, read from an answer as it passes: a copy up to a bound, never a hold."""

import json
from collections.abc import Collection, Iterator
from typing import Any

from .replies import JSON, Headers

MOST_BYTES = 64 * 1024
STREAM = b"text/event-stream"
END_OF_EVENT = b"\n\n"


class Tap:
    """Watches one answer. Of a stream it keeps what is left of the event that is under way."""

    def __init__(self) -> None:
        self.status: int | None = None
        self._media = b""
        self._length: int | None = None
        self._passed = 0
        self._seen = bytearray()
        self._blind = False
        self._told: dict[Any, str] = {}

    def start(self, status: int, headers: Headers) -> None:
        """The answer begins: its status, and its headers by lower-case names."""
        found = dict(headers)
        length = found.get(b"content-length", b"")
        self.status = status
        self._media = found.get(b"content-type", b"").partition(b";")[0].strip().lower()
        self._length = int(length) if length.isdigit() and len(length) < 20 else None
        self._blind = self._media not in (JSON, STREAM)

    def piece(self, data: bytes) -> None:
        """The next bytes of the answer."""
        self._passed += len(data)
        if self._blind:
            return
        if len(self._seen) + len(data) > MOST_BYTES:
            self._blind = True
            self._seen.clear()
            return
        self._seen += data
        if self._media == STREAM:
            self._read_events()

    def tells(self, calls: Collection[Any]) -> bool:
        """Whether nothing more of interest can follow: the answer is complete, or all *calls* (by id) have ended.

        An event of a stream that is too large to be read counts as what ended them.
        """
        if self._length is not None and self._passed >= self._length:
            return True
        return self._media == STREAM and (self._blind or all(call in self._told for call in calls))

    def outcomes(self) -> dict[Any, str]:
        """The request's id → ``ok``, ``tool error``, or ``error`` with its code; what cannot be told is not there."""
        rest = bytes(self._seen)
        return {**self._told, **(_outcomes(rest) if self._media == JSON else _outcomes_of_event(rest))}

    def _read_events(self) -> None:
        seen = bytes(self._seen).replace(b"\r\n", b"\n")
        events, _, rest = seen.rpartition(END_OF_EVENT)
        for event in events.split(END_OF_EVENT):
            self._told |= _outcomes_of_event(event)
        self._seen[:] = rest


def _outcomes_of_event(event: bytes) -> dict[Any, str]:
    lines = (line[5:].strip() for line in event.splitlines() if line.startswith(b"data:"))
    return _outcomes(b"\n".join(lines))


def _outcomes(text: bytes) -> dict[Any, str]:
    """Those in the JSON *text*; none if it is not read."""
    try:
        return dict(map(_told, _responses(json.loads(text)))) if text else {}
    except (ValueError, TypeError, RecursionError):
        return {}


def _responses(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict) and ("result" in entry or "error" in entry):
            yield entry


def _told(response: dict[str, Any]) -> tuple[Any, str]:
    error, result = response.get("error"), response.get("result")
    if isinstance(error, dict):
        code = error.get("code")
        return response.get("id"), f"error {code}" if isinstance(code, int) else "error"
    failed = isinstance(result, dict) and result.get("isError") is True
    return response.get("id"), "tool error" if failed else "ok"
