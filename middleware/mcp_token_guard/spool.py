"""A queue on disk that outlives the process: lines, appended to files of a folder that is the owner's alone.

Its words: a *segment* is a file that one process appends to and keeps locked for as long as it lives, so that another
can tell what a dead one left and *adopt* it. A *portion* is what is read of a segment at once; when it has been *dealt
with* it is not read again, and a segment that is dealt with is deleted. To put a line is one `write` to the end of a
file: a killed process loses nothing of it, a machine without power may. A line cut short is skipped.
"""

import os
import secrets
import stat
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import fcntl

SEGMENT_BYTES = 1024 * 1024
SHARE = 8  # of the bound: the smaller the segments, the sooner room is free again
SUFFIX = ".receipts"


class SpoolFull(Exception):
    """The folder holds as much as it may."""


@dataclass(eq=False)
class Segment:
    """A file of lines, locked by this process. ``dealt`` bytes of its ``size`` are done with.

    ``turn`` counts how often it was begun anew.
    """

    path: Path
    descriptor: int
    size: int
    dealt: int = 0
    turn: int = 0

    def append(self, line: bytes) -> None:
        """Write *line* at the end. Raises `OSError`; what was written of it then is no whole line."""
        written = os.write(self.descriptor, line)
        self.size += written
        if written < len(line):
            raise OSError("no space left for a whole line")

    def read(self, most: int) -> bytes:
        """At most so many bytes of whole lines that are not dealt with, or one line that has more; or none."""
        waiting = self.size - self.dealt
        found = os.pread(self.descriptor, min(most, waiting), self.dealt)
        if b"\n" not in found and most < waiting:
            return self.read(2 * most)
        return found[: found.rfind(b"\n") + 1]

    def clear(self) -> None:
        """Begin the file anew."""
        os.ftruncate(self.descriptor, 0)
        self.size = self.dealt = 0
        self.turn += 1

    def remove(self) -> None:
        """Delete the file."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        os.close(self.descriptor)


@dataclass(frozen=True, slots=True)
class Portion:
    """Lines of a segment, without their ends; where they end in it, and in which of its turns."""

    segment: Segment
    lines: tuple[bytes, ...]
    end: int
    turn: int


class Spool:
    """The lines that wait in *folder*, at most *most_bytes* of all the processes that share it.

    Any thread may `put`; one at a time takes a `portion` and says that it is `dealt_with`. Nothing is done on the disk
    before the first of these. Raises `ValueError` where the system has no file locks.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        if sys.platform == "win32":
            raise ValueError("a spool needs the file locks of Unix")
        self._folder = folder
        self._most_bytes = most_bytes
        self._segment_bytes = min(SEGMENT_BYTES, most_bytes // SHARE)
        self.forget()
        _spools.add(self)

    def forget(self) -> None:
        """Leave to the parent process what is its own; a fork keeps open what was."""
        self._lock = threading.Lock()
        for segment in (*getattr(self, "_waiting", ()), getattr(self, "_current", None)):
            if segment is not None:
                os.close(segment.descriptor)
        self._current: Segment | None = None
        self._waiting: list[Segment] = []
        self._of_others = 0

    def put(self, line: bytes) -> None:
        """Append *line*, which ends in a newline and has no other. Raises `SpoolFull`, and `OSError`."""
        with self._lock:
            if self._bytes() + len(line) > self._most_bytes:
                raise SpoolFull
            if self._current is not None and self._current.size >= self._segment_bytes:
                self._turn()
            if self._current is None:
                self._current = self._begin()
            try:
                self._current.append(line)
            except OSError:
                self._turn()
                raise

    def portion(self, most_bytes: int, most_lines: int) -> Portion | None:
        """The next lines, or None where none wait: this process's own, and those of processes that have ended.

        Raises `OSError`.
        """
        with self._lock:
            if not self._waiting:
                self._adopt()
            while self._waiting:
                if found := _portion(self._waiting[0], most_bytes, most_lines):
                    return found
                self._waiting.pop(0).remove()
            return None if self._current is None else _portion(self._current, most_bytes, most_lines)

    def dealt_with(self, portion: Portion) -> None:
        """*portion* need not be kept. Raises `OSError`."""
        with self._lock:
            if portion.turn != portion.segment.turn:
                return  # somebody else has read it too, and was faster
            portion.segment.dealt = portion.end
            if portion.segment is self._current and portion.end == portion.segment.size:
                portion.segment.clear()

    def tidy(self) -> None:
        """Leave no empty file behind: the process is about to end."""
        with self._lock:
            if self._current is not None and not self._current.size:
                self._current.remove()
                self._current = None

    def _bytes(self) -> int:
        own = sum(segment.size for segment in self._waiting)
        return own + self._of_others + (self._current.size if self._current else 0)

    def _turn(self) -> None:
        if self._current is not None:
            self._waiting.append(self._current)
        self._current = None

    def _begin(self) -> Segment:
        """A segment of this process's own. Raises `OSError`."""
        _make_private(self._folder)
        while True:
            path = self._folder / f"{time.time_ns():020}-{secrets.token_hex(8)}{SUFFIX}"
            made = _locked(path, os.O_CREAT | os.O_EXCL)
            if made is not None:  # or somebody adopted it between its creation and its lock
                return made

    def _adopt(self) -> None:
        """Take over one segment that nobody holds, and see how much the others' are."""
        self._of_others = 0
        for path in self._left_by_others():
            with suppress(OSError):  # somebody else's, or no file at all: it must not stand in the way of the rest
                found = None if self._waiting else _locked(path)
                if found is not None:
                    self._waiting.append(found)
                else:
                    self._of_others += path.stat().st_size

    def _left_by_others(self) -> Iterator[Path]:
        own = self._current.path if self._current else None
        with suppress(FileNotFoundError):
            yield from sorted(path for path in self._folder.iterdir() if path.suffix == SUFFIX and path != own)


def _portion(segment: Segment, most_bytes: int, most_lines: int) -> Portion | None:
    lines = segment.read(most_bytes).splitlines(keepends=True)[:most_lines]
    if not lines:
        return None
    end = segment.dealt + sum(map(len, lines))
    return Portion(segment, tuple(line.rstrip(b"\n") for line in lines), end, segment.turn)


def _make_private(folder: Path) -> None:
    """Make *folder*. Raises `PermissionError` for one that is there and open to others."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} must be a folder of this user's alone (mode 0700)")


def _locked(path: Path, flags: int = 0) -> Segment | None:
    """The segment at *path*, or None while another process has it, or has deleted it. Raises `OSError`."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | flags, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(descriptor)
        if found.st_nlink and stat.S_ISREG(found.st_mode):
            return Segment(path, descriptor, found.st_size)
    except BlockingIOError:
        pass
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _forget_all() -> None:
    for spool in list(_spools):
        spool.forget()


_spools: weakref.WeakSet[Spool] = weakref.WeakSet()
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget_all)
