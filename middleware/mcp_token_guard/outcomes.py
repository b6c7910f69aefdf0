"""How calls ended, read from an answer as it passes: a copy up to a bound, never a hold."""

import json
from collections.abc import Iterator
from typing import Any

from .replies import JSON

MOST_BYTES = 64 * 1024
STREAM = b"text/event-stream"


class Tap:
    """Watches one answer."""

    def __init__(self) -> None:
        self.status: int | None = None
        self._media = b""
        self._seen = bytearray()
        self._overflown = False

    def start(self, status: int, media: bytes) -> None:
        """The answer begins: its status and ``Content-Type``."""
        self.status = status
        self._media = media.partition(b";")[0].strip().lower()
        self._overflown = self._media not in (JSON, STREAM)

    def piece(self, data: bytes) -> None:
        """The next bytes of the answer."""
        if not self._overflown:
            self._seen += data[: MOST_BYTES + 1]
            if len(self._seen) > MOST_BYTES:
                self._overflown = True
                self._seen.clear()

    def outcomes(self) -> dict[Any, str]:
        """The request's id → ``ok``, ``tool error``, or ``error`` with its code; empty where it cannot be told."""
        return dict(_told(value) for value in self._responses())

    def _responses(self) -> Iterator[dict[str, Any]]:
        for text in self._texts():
            value = json.loads(text)
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, dict) and ("result" in entry or "error" in entry):
                    yield entry

    def _texts(self) -> Iterator[bytes]:
        if self._overflown or not self._seen:
            return
        if self._media == JSON:
            yield bytes(self._seen)
            return
        for event in bytes(self._seen).replace(b"\r\n", b"\n").split(b"\n\n"):
            lines = (line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:"))
            if text := b"\n".join(lines):
                yield text


def _told(response: dict[str, Any]) -> tuple[Any, str]:
    error, result = response.get("error"), response.get("result")
    if isinstance(error, dict):
        code = error.get("code")
        return response.get("id"), f"error {code}" if isinstance(code, int) else "error"
    failed = isinstance(result, dict) and result.get("isError") is True
    return response.get("id"), "tool error" if failed else "ok"
