"""Paths by their letters alone: what is surely inside a folder, and what might be a trick.

Nothing is decoded or resolved. Text that another reader could take for a different path (``..``, percent-encodings,
backslashes, drives, ``~``, look-alikes of separators, invisible characters) is refused rather than understood, and
what is left is compared step by step. Links, mounts and case-blind disks are beyond letters.
"""

import re
import unicodedata
from dataclasses import dataclass

MOST_CHARACTERS = 4096
STRUCTURE = frozenset("/\\.%~:$")
LOOK_ALIKES = frozenset("\u2044\u2215\u2216\u29f5\u29f8\u29f9\u00a5\u20a9")
"""Slashes, and what Windows code pages turn into a backslash, as far as NFKC does not tell."""
DRIVE = re.compile("[A-Za-z]:")
EXPANDED = frozenset("~:$")
"""What shells, URL readers and Windows look for at the beginning of a relative path."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path whose steps are all real names: ``/files/notes`` is ``Path(True, ("files", "notes"))``."""

    absolute: bool
    steps: tuple[str, ...]

    def contains(self, other: "Path", *, ignore_case: bool = False) -> bool:
        """Whether *other* is this path or lies below it; case counts but where *ignore_case* (of ASCII) is told."""
        mine, theirs = (self, other) if not ignore_case else (self._lower(), other._lower())
        return mine.absolute == theirs.absolute and theirs.steps[: len(mine.steps)] == mine.steps

    def _lower(self) -> "Path":
        return Path(self.absolute, tuple(step.encode().lower().decode() for step in self.steps))

    def __str__(self) -> str:
        text = "/".join(self.steps)
        return f"/{text}" if self.absolute else text or "."


def read(text: str) -> Path:
    """The path that *text* plainly names; empty steps, ``.`` and a trailing slash count for nothing.

    Raises `ValueError` for whatever could be read in another way.
    """
    if not 0 < len(text) <= MOST_CHARACTERS or not text.isprintable():
        raise ValueError(f"a path has 1 to {MOST_CHARACTERS} printable characters")
    if not text.isascii() and any(_disguised(character) for character in text):
        raise ValueError("the path has look-alikes of separators")
    if "\\" in text or "%" in text or text.startswith("//"):
        raise ValueError("the path has backslashes, percent signs, or two slashes in front")
    absolute = text.startswith("/")
    steps = tuple(step for step in text.split("/") if step not in ("", "."))
    if any(_doubtful(step) for step in steps):
        raise ValueError("the path has '..', a drive, or a step that begins or ends with a space or ends with a dot")
    if not absolute and not EXPANDED.isdisjoint("".join(steps[:1])):
        raise ValueError("a relative path does not begin with '~', a variable or a scheme")
    return Path(absolute, steps)


def _disguised(character: str) -> bool:
    if character.isascii():
        return False
    return character in LOOK_ALIKES or not STRUCTURE.isdisjoint(unicodedata.normalize("NFKC", character))


def _doubtful(step: str) -> bool:
    return step.endswith(".") or step != step.strip() or DRIVE.match(step) is not None
