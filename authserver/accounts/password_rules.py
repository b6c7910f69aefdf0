"""Which passwords are taken: long ones that nobody tries first (NIST SP 800-63B §3.1.1.2). No rule asks for signs.

What is tried first stands in two lists, both on this machine: one that comes along (``common_passwords.txt``), and a
large one that an operator may bring (`breached`).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

from ..protocol.msg import msg
from .breached import BreachedPasswords
from .passwords import MOST_CHARACTERS

LEAST_CHARACTERS = 12
LEAST_DIFFERENT = 5
LEAST_WORD = 4  # characters of a name that count as one
LEAST_BESIDE = 8  # characters that there must be besides such a word
MOST_ADDED = 4  # characters that make no other password of a common one
SIGNS = str.maketrans("013457@$!|", "oleastasil")  # as people write letters, for a rule that asked for signs
ADDED = re.compile(r"^[\W\d_]*|[\W\d_]*$")
WORDS = re.compile(r"[\W_]+")
TOO_SHORT = msg("it must have at least {} characters")
TOO_LONG = msg("it can have at most {} characters")
SIMPLE = msg("it repeats itself, or counts on")
COMMON = msg("many people use it, or one that is nearly the same")
BREACHED = msg("it is in lists of passwords that were stolen elsewhere")
PERSONAL = msg("it is little more than your name, your address, or the name of this server")


class PasswordRefused(ValueError):
    """A new password that is not taken; the text says why, for whoever chose it.

    ``words`` is that text before ``values`` took their places in it, for whoever reads another language.
    """

    def __init__(self, words: str, *values: int) -> None:
        super().__init__(words.format(*values))
        self.words, self.values = words, values


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """What a new password is held against. ``site`` is the name of this server."""

    site: str
    breached: BreachedPasswords | None = None

    def check(self, password: str, *about: str) -> None:
        """Raise `PasswordRefused` for one that is not taken; *about* are words that anybody knows of its person."""
        if len(password) < LEAST_CHARACTERS:
            raise PasswordRefused(TOO_SHORT, LEAST_CHARACTERS)
        if len(password) > MOST_CHARACTERS:
            raise PasswordRefused(TOO_LONG, MOST_CHARACTERS)
        said = unicodedata.normalize("NFKC", password).casefold()
        if _is_simple(said):
            raise PasswordRefused(SIMPLE)
        if any(form in common() for form in _forms(said)):
            raise PasswordRefused(COMMON)
        if _is_personal(said, (self.site, *about)):
            raise PasswordRefused(PERSONAL)
        if self.breached is not None and password in self.breached:
            raise PasswordRefused(BREACHED)


@cache
def common() -> frozenset[str]:
    """The passwords that people use most, in lower case."""
    text = files(__package__).joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("# "))


def _forms(said: str) -> Iterator[str]:
    """What *said* may be a form of: without what was put at its ends, signs for letters, or a word said twice."""
    core = ADDED.sub("", said)
    kept = (said, core) if len(said) - len(core) <= MOST_ADDED or _added(said, core) in common() else (said,)
    for form in kept:
        for read in (form, form.translate(SIGNS)):
            yield read
            yield _unit(read)


def _added(said: str, core: str) -> str:
    return said.removeprefix(core) if said.startswith(core) else said.removesuffix(core)


def _unit(said: str) -> str:
    """The shortest text that *said* repeats: itself, if none."""
    return said[: (said + said).index(said, 1)]


def _is_simple(said: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(said)}
    return len(set(said)) < LEAST_DIFFERENT or len(_unit(said)) <= LEAST_WORD or steps in ({1}, {-1})


def _is_personal(said: str, about: tuple[str, ...]) -> bool:
    known = {word for text in about for word in (text.casefold(), *WORDS.split(text.casefold()))}
    for word in sorted((word for word in known if len(word) >= LEAST_WORD), key=len, reverse=True):
        if word in said and len(WORDS.sub("", said.replace(word, ""))) < LEAST_BESIDE:
            return True
    return False
