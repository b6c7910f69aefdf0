"""The head of a distributed trace as it is handed on (W3C Trace Context §3.2), and which one this thread is in."""

import re
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = re.compile(r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})")
SAMPLED = 1


@dataclass(frozen=True, slots=True)
class TraceParent:
    """A trace and the span in it that calls, as hexadecimal text; ``sampled``: whether the caller records it."""

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def header(self) -> str:
        """The value of ``traceparent``."""
        return f"00-{self.trace_id}-{self.span_id}-{SAMPLED if self.sampled else 0:02x}"


running: ContextVar[TraceParent | None] = ContextVar("running", default=None)
"""What a call that is made now is part of."""


def read(value: str) -> TraceParent | None:
    """The parent that *value* names; None for what is none, which is to be left out (§4.3)."""
    found = HEADER.match(value)
    # A later version may have more behind the flags (§4.3); ours has nothing.
    if found is None or found["version"] == "ff" or (found.end() < len(value) and not _is_later(found, value)):
        return None
    if not found["trace"].strip("0") or not found["parent"].strip("0"):
        return None
    return TraceParent(found["trace"], found["parent"], bool(int(found["flags"], 16) & SAMPLED))


def outgoing() -> list[tuple[str, str]]:
    """The header fields of a call that is made now: none outside of a trace."""
    found = running.get()
    return [("traceparent", found.header)] if found else []


def _is_later(found: re.Match[str], value: str) -> bool:
    return found["version"] != "00" and value[found.end()] == "-"
