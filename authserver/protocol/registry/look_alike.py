"""Names that are not what they seem: letters of other scripts, hidden characters, and words that are another's.

The two libraries for this (confusables, confusable-homoglyphs) have had no release since early 2024, and carry tables
of thousands of letters. For names of clients, Unicode's decompositions and character names, which Python has, and a
small map (``look_alikes.toml``) are enough: what they miss in rare scripts, mixing scripts in one word gives away.
"""

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

MIXED_WITH_LATIN = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "MODIFIER"}
)
LATIN_LETTER = re.compile(r"(?:.*LATIN|REGIONAL INDICATOR SYMBOL).* LETTER (?:SMALL CAPITAL )?([A-Z])(?: WITH .*)?")
PAIRS = {"rn": "m", "vv": "w"}  # two letters that are seen as one
PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^A-Za-z]")
BETWEEN_WORDS = re.compile(r"[\s\d_\-./()]+")
HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d\u180f")
SELECTED = re.compile("(.?)[\ufe00-\ufe0f\U000e0100-\U000e01ef]", re.DOTALL)


def has_hidden(name: str) -> bool:
    """Whether characters in *name* cannot be seen or turn its direction. Those that choose an emoji's look may."""
    if any(character in HIDDEN or unicodedata.category(character) in ("Cf", "Cc", "Co") for character in name):
        return True
    return any(not before or unicodedata.category(before)[0] in "LMZ" for before in SELECTED.findall(name))


def has_strange_letters(name: str) -> bool:
    """Whether letters of *name* pass for others.

    That is: scripts mixed in a word, letters in fancy dress, or whole words of look-alikes beside Latin ones.
    """
    words = ["".join(filter(str.isalpha, word)) for word in BETWEEN_WORDS.split(name)]
    scripts = {word: {_script(letter) for letter in word} for word in words if word}
    beside = {"LATIN"} in scripts.values()
    alike = (found != {"LATIN"} and all(map(_is_like_latin, word)) for word, found in scripts.items())
    return any(len(found) > 1 for found in scripts.values()) or (beside and any(alike)) or any(map(_is_dressed, name))


def claims_to_be_checked(name: str) -> bool:
    """Whether *name* says what only this server can say, such as "verified"."""
    return any(badge in name for badge in _data()["badges"]) or any(says(name, word) for word in _data()["claims"])


def says(text: str, phrase: str) -> bool:
    """Whether the eye finds *phrase* in *text* as words of its own, however it is spelt or spaced."""
    seen, wanted = _look(text), _look(phrase).letters
    at = seen.letters.find(wanted)
    while wanted and at >= 0:
        if at in seen.starts and seen.ends_at(at + len(wanted)):
            return True
        at = seen.letters.find(wanted, at + 1)
    return False


def seen_as(text: str) -> str:
    """What the eye takes *text* for: two texts with the same are look-alikes."""
    return _look(text).letters


def as_seen(name: str) -> str:
    """A user name as the eye takes it, case aside: letters of other scripts are the Latin ones that they look like.

    Its signs and digits stay what they are: ``jo.smith`` and ``josmith`` are two people.
    """
    return "".join(map(_plain, unicodedata.normalize("NFKD", name.casefold()))).casefold()


class _Seen:
    """A text as the eye takes it: ``letters`` without case, marks and signs, and where words start among them."""

    def __init__(self, text: str) -> None:
        self.letters = ""
        self.starts: set[int] = set()
        plain = "".join(map(_plain, unicodedata.normalize("NFKD", text)))
        for pair, single in PAIRS.items():
            plain = plain.replace(pair, single)
        for piece in PIECES.findall(plain):
            self.starts.add(len(self.letters))
            self.letters += _fold(piece)

    def ends_at(self, end: int) -> bool:
        """Whether a word ends before *end*, or goes on in a way that leaves a name the same name."""
        following = min((start for start in self.starts if start > end), default=len(self.letters))
        rest = self.letters[end:following]
        return end in self.starts or not rest or any(rest == _fold(ending) for ending in _data()["endings"])


@lru_cache(maxsize=1024)
def _look(text: str) -> _Seen:
    return _Seen(text)


def _fold(piece: str) -> str:
    folded = (_data()["folds"].get(character, character) for character in piece.lower())
    return "".join(filter(str.isalnum, folded))


def _plain(character: str) -> str:
    """The Latin letter that *character* is taken for; nothing for marks and what cannot be seen; else itself."""
    if character.isascii():
        return character
    if unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf") or character in HIDDEN:
        return ""
    seen: str | None = _data()["seen"].get(character)
    name = unicodedata.name(character, "")
    letter = LATIN_LETTER.fullmatch(name)
    if seen or not letter:
        return seen or character
    return letter[1].lower() if "SMALL" in name else letter[1]


def _script(letter: str) -> str:
    first = unicodedata.name(unicodedata.normalize("NFKC", letter)[0], "?").split()[0]
    return "LATIN" if first in MIXED_WITH_LATIN else first


def _is_like_latin(letter: str) -> bool:
    return _plain(letter).isascii()


def _is_dressed(character: str) -> bool:
    plain = unicodedata.normalize("NFKC", character)
    is_latin = plain != character and plain.isascii() and plain.isalpha()
    return is_latin and (character.isalpha() or len(plain) == 1)


@cache
def _data() -> dict[str, Any]:
    found = tomllib.loads(files(__package__).joinpath("look_alikes.toml").read_text("utf-8"))
    seen = {character: letter for letter, characters in found["letters"].items() for character in characters}
    return {**found, "seen": seen}
