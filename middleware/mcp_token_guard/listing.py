"""Lists without what the caller's token does not open: a server's choice, made on the answer as it passes.

Only for sight: a call of what is not listed is judged like any other. An answer that cannot be read (compressed, larger
than the bound, not what it says to be) passes as it is. A stream is held no longer than one of its events.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from .messages import Message
from .outcomes import STREAM
from .replies import JSON, Headers
from .things import PROMPTS, RESOURCES, TOOLS, Thing

if TYPE_CHECKING:
    from .caller import Caller
    from .guard import Guard

MOST_BYTES = 4 * 1024 * 1024
EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
LISTS = frozenset({"tools/list", "prompts/list", "resources/list"})
MEMBERS: Mapping[str, str] = MappingProxyType({TOOLS: "name", PROMPTS: "name", RESOURCES: "uri"})

Opens = Callable[[Thing], bool]


def filter_of(guard: "Guard", caller: "Caller", messages: tuple[Message, ...]) -> "ListFilter | None":
    """The filter for the answer to *messages*; None where no list was asked for, or the server shows all."""
    if not guard.hide_closed or not any(message.method in LISTS for message in messages):
        return None

    def opens(thing: Thing) -> bool:
        once = thing[1] in guard.one_time
        return caller.may(*guard.rules.of(thing)) and (thing[0] != TOOLS or caller.limits.opens(thing[1], once=once))

    return ListFilter(opens)


class ListFilter:
    """Passes one answer on: `start`, then `feed` for each piece, then `finish`."""

    def __init__(self, opens: Opens) -> None:
        self._opens = opens
        self._media = b""
        self._held = b""

    def start(self, headers: Headers) -> Headers:
        """*headers* of the answer, without a length that will not hold."""
        found = {name.lower(): value for name, value in headers}
        media = found.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if b"content-encoding" in found or media not in (JSON, STREAM):
            return headers
        self._media = media
        return [(name, value) for name, value in headers if name.lower() != b"content-length"]

    def feed(self, data: bytes) -> bytes:
        """What of the answer can go on now that *data* has come."""
        if not self._media:
            return data
        self._held += data
        if len(self._held) > MOST_BYTES:
            self._media = b""
            return self._released()
        return self._events() if self._media == STREAM else b""

    def finish(self) -> bytes:
        """The rest of the answer."""
        held = self._released()
        return self._filtered(held) if self._media == JSON else held

    def _released(self) -> bytes:
        held, self._held = self._held, b""
        return held

    def _events(self) -> bytes:
        passed, rest = [], 0
        for end in EVENT_END.finditer(self._held):
            passed.append(self._event(self._held[rest : end.start()]) + end[0])
            rest = end.end()
        self._held = self._held[rest:]
        return b"".join(passed)

    def _event(self, event: bytes) -> bytes:
        lines = event.splitlines()
        data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
        text = b"\n".join(data)
        filtered = self._filtered(text)
        if filtered == text:
            return event
        others = [line for line in lines if not line.startswith(b"data:")]
        return b"\n".join([*others, b"data: " + filtered])

    def _filtered(self, text: bytes) -> bytes:
        """*text*, itself where there is nothing to take out of it."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        changed = [self._shorten(entry) for entry in (value if isinstance(value, list) else [value])]
        return json.dumps(value).encode("ascii") if any(changed) else text

    def _shorten(self, response: object) -> bool:
        """Take what is closed out of *response*; whether there was a list in it."""
        result = response.get("result") if isinstance(response, dict) else None
        if not isinstance(result, dict):
            return False
        kinds = [kind for kind in MEMBERS if isinstance(result.get(kind), list)]
        for kind in kinds:
            result[kind] = [entry for entry in result[kind] if self._is_open(kind, entry)]
        if kinds and "cacheScope" in result:
            # What one token opens is no answer for another's holder (MCP, Caching).
            result["cacheScope"] = "private"
        return bool(kinds)

    def _is_open(self, kind: str, entry: object) -> bool:
        name = entry.get(MEMBERS[kind]) if isinstance(entry, dict) else None
        return isinstance(name, str) and self._opens((kind, name))
