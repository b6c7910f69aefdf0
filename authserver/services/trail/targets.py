"""What takes the sealed trail: a file, a syslog collector, a webhook. Each takes a batch whole, or refuses it."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...outbound.refusal import FetchRefused, Refusal
from ...outbound.signed_post import SignedPost
from ...outbound.syslog import Collector, LocalCollector
from ...protocol.audit_seal import Recorded
from .formats import json_line, syslog_message

LONGEST_LINE = 16 * 1024 * 1024
READ_BACK = 64 * 1024
LINE_START = b'{"id":"'


class NotTaken(Exception):
    """A batch was not taken, or nobody knows whether it was; the text says why, without any secret."""


class TooMuch(NotTaken):
    """A batch was not taken because it is too large, or an event in it is."""


class Target(Protocol):
    """Takes events. ``name`` is what its place in the trail is kept under."""

    @property
    def name(self) -> str:
        """``file``, ``syslog`` or ``webhook``."""

    def take(self, batch: Sequence[Recorded]) -> None:
        """Take all of *batch*, for good when this returns.

        Raises `NotTaken`, or `TooMuch`, which less of it may mend; part of it may have been taken then.
        """


@dataclass(frozen=True, slots=True)
class FileTarget:
    """Appends JSON lines to the file at *path*, which is opened anew for each batch: it may be rotated away."""

    path: str
    name: str = "file"

    def take(self, batch: Sequence[Recorded]) -> None:
        """See `Target.take`."""
        lines = "".join(f"{json_line(recorded)}\n" for recorded in batch).encode("ascii")
        try:
            opened = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            with os.fdopen(opened, "r+b", buffering=0) as file:
                if not stat.S_ISREG(os.fstat(opened).st_mode):
                    raise NotTaken(f"{self.path} is not a file")
                _mend_end(opened)
                _write_all(opened, lines)
                os.fsync(file.fileno())
        except OSError as failed:
            raise NotTaken(f"{self.path}: {failed.strerror}") from None


@dataclass(frozen=True, slots=True)
class SyslogTarget:
    """Sends RFC 5424 messages from *host* to a *collector*."""

    collector: Collector | LocalCollector
    host: str
    name: str = "syslog"

    def take(self, batch: Sequence[Recorded]) -> None:
        """See `Target.take`."""
        try:
            self.collector.send([syslog_message(recorded, self.host) for recorded in batch])
        except FetchRefused as refused:
            raise _not_taken(refused) from None


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Posts ``{"events": […]}``, signed."""

    way: SignedPost
    name: str = "webhook"

    def take(self, batch: Sequence[Recorded]) -> None:
        """See `Target.take`."""
        body = f'{{"events":[{",".join(map(json_line, batch))}]}}'.encode("ascii")
        first, last = batch[0].place, batch[-1].place
        try:
            self.way.post(f"{first.xid}-{first.id}.{last.xid}-{last.id}", body)
        except FetchRefused as refused:
            raise _not_taken(refused) from None


def _not_taken(refused: FetchRefused) -> NotTaken:
    return TooMuch(str(refused)) if refused.reason is Refusal.TOO_MUCH else NotTaken(str(refused))


def _mend_end(opened: int) -> None:
    """Take away what a process that died while it wrote left of a line of ours: its whole batch comes again.

    What others left unended is ended.
    """
    size = os.fstat(opened).st_size
    rest = b""
    while len(rest) < min(size, LONGEST_LINE) and b"\n" not in rest:
        start = max(0, size - len(rest) - READ_BACK)
        rest = os.pread(opened, size - len(rest) - start, start) + rest
    broken = rest.rpartition(b"\n")[2]
    if broken.startswith(LINE_START) or (broken and LINE_START.startswith(broken)):
        os.ftruncate(opened, size - len(broken))
    elif broken:
        _write_all(opened, b"\n")


def _write_all(opened: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(opened, left) :]
