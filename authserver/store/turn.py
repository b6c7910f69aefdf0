"""The turn to write to SQLite, for which threads and processes stand in line.

SQLite itself has those who wait look again after 1, 2, 5 and ever more milliseconds: between two busy processes, that
is longer than a transaction takes. The line is for speed alone; that there is one writer, SQLite sees to.
"""

import fcntl
import os
import threading
import time
import weakref
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType

import structlog

LOOK_SECONDS = 0.0005
SHARE_SECONDS = 0.05  # that the threads of one process hand the turn on among themselves, while others look for it
PATIENCE = 2.0  # seconds, after which a process goes without having its turn: who has it may be stuck
SULK_SECONDS = 30.0  # for which it then looks once and does not wait
log = structlog.get_logger(__name__)


class Turn:
    """One writer's turn after the other's, by a lock on the database's *folder*: no file has to be made for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = threading.Lock()
        self._file: int | None = None
        self._closing = weakref.finalize(self, bool)
        self._since = self._left = self._sulks_until = 0.0

    def __enter__(self) -> None:
        """Wait for the turn."""
        self._threads.acquire()
        try:
            self._wait()
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Give the turn to the next."""
        if self._file is not None:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_UN)
        self._left = time.monotonic()
        if self._left - self._since > SHARE_SECONDS:
            time.sleep(2 * LOOK_SECONDS)  # or another process would look for ever between two of ours
        self._threads.release()

    def close(self) -> None:
        """Let go of the folder; before a fork, for who inherits it would share the turn."""
        mine = self._threads.acquire(timeout=PATIENCE)
        self._closing()
        self._file = None
        if mine:
            self._threads.release()

    def _wait(self) -> None:
        file, began = self._opened(), time.monotonic()
        while file is not None and not _taken(file):
            now = time.monotonic()
            if now < self._sulks_until:
                break
            if now - began > PATIENCE:
                self._sulks_until = now + SULK_SECONDS
                log.warning("somebody keeps the folder of the database locked", folder=str(self._folder))
                break
            time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        if now - self._left > LOOK_SECONDS:  # others had their chance
            self._since = now

    def _opened(self) -> int | None:
        """The folder; None if it may not be read: then there is no line."""
        if self._file is None:
            with suppress(OSError):
                self._file = os.open(self._folder, os.O_RDONLY)
                self._closing = weakref.finalize(self, partial(os.close, self._file))
        return self._file


def _taken(file: int) -> bool:
    """Whether the turn that goes by *file* is ours from now on, or there is none: a file system may have no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
