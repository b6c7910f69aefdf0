"""Patterns that cost linear time, whatever the text: no groups, no repetition but two kinds of ``*``.

``*`` is any run of ASCII letters, digits, ``.``, ``_`` and ``-`` (perhaps none), so that ``*@example.com`` cannot hide
a second address; ``**`` is any run of printable characters; ``?`` is one character of those of ``*``; ``[a-f0-9]`` one
of a set, ``[*]`` a star itself; all else stands for itself, and the whole text has to match. All states are kept as
the bits of one number, so nothing is ever tried twice.
"""

import re
import string
from dataclasses import dataclass
from functools import lru_cache

MOST_CHARACTERS = 200
RUNS = ("any", "word")
WORD = frozenset(string.ascii_letters + string.digits + "._-")
PIECE = re.compile(r"(?P<any>\*\*+)|(?P<word>\*)|(?P<one>\?)|\[(?P<set>[^\]!^][^\]]*)\]|(?P<self>[^*?\[\]\\])")


@dataclass(frozen=True, slots=True)
class Machine:
    """Bit *n* of a state: the first *n* pieces have matched. ``table`` and ``printable`` say what each piece takes."""

    table: dict[str, int]
    printable: int
    loops: int
    end: int

    def takes(self, text: str) -> bool:
        """Whether all of *text* matches."""
        states = self._closed(1)
        for character in text:
            live = states & (self.table.get(character, 0) | (self.printable if character.isprintable() else 0))
            states = self._closed((live & ~self.loops) << 1 | (live & self.loops))
            if not states:
                return False
        return bool(states & self.end)

    def _closed(self, states: int) -> int:
        """*states*, and those behind a run that may be empty; two runs never follow each other."""
        return states | (states & self.loops) << 1


@lru_cache(maxsize=1024)
def read(pattern: str) -> Machine:
    """What matches *pattern*. Raises `ValueError` when it is none."""
    if not 0 < len(pattern) <= MOST_CHARACTERS or not pattern.isprintable():
        raise ValueError(f"a pattern has 1 to {MOST_CHARACTERS} printable characters")
    table: dict[str, int] = {}
    printable = loops = 0
    pieces = _pieces(pattern)
    for number, (kind, letters) in enumerate(pieces):
        bit = 1 << number
        for letter in letters:
            table[letter] = table.get(letter, 0) | bit
        printable |= bit if kind == "any" else 0
        loops |= bit if kind in RUNS else 0
    return Machine(table, printable, loops, 1 << len(pieces))


def _pieces(pattern: str) -> list[tuple[str, frozenset[str]]]:
    pieces: list[tuple[str, frozenset[str]]] = []
    position = 0
    while position < len(pattern):
        found = PIECE.match(pattern, position)
        if found is None:
            raise ValueError("a pattern has literals, '*', '**', '?' and sets: [a-z0-9]; [*] is a star itself")
        position = found.end()
        kind = str(found.lastgroup)
        if kind in RUNS and pieces and pieces[-1][0] in RUNS:
            before, _ = pieces.pop()
            kind = "any" if "any" in (kind, before) else kind
        pieces.append((kind, _letters(kind, found[found.lastgroup or 0])))
    return pieces


def _letters(kind: str, text: str) -> frozenset[str]:
    """The characters that a piece takes; `any` takes the printable ones, of which there is no list."""
    if kind == "set":
        return _set(text)
    return {"any": frozenset[str](), "word": WORD, "one": WORD}.get(kind, frozenset(text))


def _set(text: str) -> frozenset[str]:
    if not text.isascii():
        raise ValueError("a set has ASCII characters only")
    letters: set[str] = set()
    for low, high in re.findall(r"(.)-(.)", text):
        if low > high:
            raise ValueError(f"the range {low}-{high} is empty")
        letters.update(map(chr, range(ord(low), ord(high) + 1)))
    letters.update(re.sub(r".-.", "", text))
    return frozenset(letters)
