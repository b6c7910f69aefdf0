"""Whether a request has come whole, by the bytes of it that have: until then no thread is spent on it.

A client that sends a byte a second, or nothing at all, costs a place in a table. What cannot be waited for here (a long
body, one without a length, one whose client wants to be asked for it first) goes on in one of few threads, in a bounded
time.
"""

import re
from dataclasses import dataclass, field
from enum import Enum, auto

MOST_HEAD = 32_768  # bytes of request line and header fields together
MOST_BODY = 65_536  # bytes of a body that is waited for: all that strangers may send but forms with many tools
END = b"\r\n\r\n"
FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)


class Come(Enum):
    """How much of a request has come."""

    PART = auto()
    WHOLE = auto()
    STREAM = auto()
    """Its head: the body comes while it is read."""
    TOO_MUCH = auto()
    """A head that does not end."""


@dataclass(slots=True)
class Arriving:
    """What has come of the next request on a connection, and until when all of it must: sooner if the worker stops."""

    until: float
    until_stopped: float
    received: bytearray = field(default_factory=bytearray)
    watched: bool = False


def come(received: bytes | bytearray) -> Come:
    """Judge what was *received*. Whether it is well formed is for the parser to say, which then need not wait."""
    head = received.find(END)
    if head < 0:
        return Come.PART if len(received) <= MOST_HEAD else Come.TOO_MUCH
    fields = [(name.lower(), value) for name, value in FRAMING.findall(received, 0, head)]
    if any(name != b"content-length" for name, _ in fields):
        return Come.STREAM
    lengths = [value.strip() for _, value in fields]
    if not lengths or not lengths[0].isdigit():
        return Come.WHOLE
    length = int(lengths[0].lstrip(b"0")[:12] or 0)
    if length > MOST_BODY:
        return Come.STREAM
    return Come.WHOLE if len(received) >= head + len(END) + length else Come.PART
