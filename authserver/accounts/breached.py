"""Passwords that were in breaches, in a file of their digests that an operator brings: nothing is asked elsewhere.

The form is that of Have I Been Pwned's downloads: SHA-1 in hexadecimal, sorted, one to a line, a count behind a colon.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

MOST_LINE = 80  # bytes
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BreachedPasswords:
    """The file at ``path``, of any size: a look-up reads some forty lines of it."""

    path: str

    def __contains__(self, password: str) -> bool:
        """Whether *password* is in it; where the file cannot be read any more, the log tells, and it is not."""
        wanted = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper()
        try:
            with Path(self.path).open("rb") as file:
                return _found(file, wanted.encode())
        except OSError as failed:
            log.warning("breached_passwords_file cannot be read", path=self.path, reason=failed.strerror)
            return False


def _found(file: BinaryIO, wanted: bytes) -> bool:
    """Whether a line begins with *wanted*, by halves: lines that begin before *low* are less, from *high* on not."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        line = _line_from(file, middle)
        if line and line[:40].upper() < wanted:
            low = middle + 1
        else:
            high = middle
    return _line_from(file, low)[:40].upper() == wanted


def _line_from(file: BinaryIO, offset: int) -> bytes:
    """The first whole line that begins at *offset* or later; empty at the end."""
    file.seek(max(0, offset - 1))
    if offset:
        file.readline(MOST_LINE)
    return file.readline(MOST_LINE)
