"""The turn to write to SQLite, for which threads and processes stand in line.

SQLite itself has those who wait look again after 1, 2, 5 and ever more milliseconds: between two busy processes, that
is longer than a transaction takes. The line is for speed alone; that there is one writer, SQLite sees to.
"""

import fcntl
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

LOOK_SECONDS = 0.0005
PATIENCE = 2.0  # seconds, after which a process goes without having its turn: who has it may be stuck


class Turn:
    """One writer's turn after the other's, by a lock on the database's *folder*: no file has to be made for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = threading.Lock()
        self._file: int | None = None

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
        self._threads.release()

    def close(self) -> None:
        """Let go of the folder; before a fork, for who inherits it would share the turn."""
        with self._threads:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        with suppress(PermissionError):  # a folder that may not be read has no line
            if self._file is None:
                self._file = os.open(self._folder, os.O_RDONLY)
            while not _taken(self._file) and time.monotonic() < until:
                time.sleep(LOOK_SECONDS)


def _taken(file: int) -> bool:
    """Whether the turn that goes by *file* is ours from now on."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # nor has a file system without locks
        return True
    return True
