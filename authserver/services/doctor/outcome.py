"""What a check found, in words for the operator."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

MOST_SHOWN = 160
V = TypeVar("V")


class State(StrEnum):
    """How good it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``what`` was seen, ``why`` that is bad, and its ``remedy``; ``check`` is the name of the check."""

    state: State
    what: str
    why: str = ""
    remedy: str = ""
    check: str = ""


Check = Callable[[V], Outcome | None]
"""Looks at one thing of a visit; None if there is nothing to look at here."""


def ok(what: str) -> Outcome:
    """All is well."""
    return Outcome(State.OK, what)


def warn(what: str, why: str, remedy: str) -> Outcome:
    """Some clients, or some people, will have trouble."""
    return Outcome(State.WARN, what, why, remedy)


def fail(what: str, why: str, remedy: str) -> Outcome:
    """Clients cannot connect, or it is not safe."""
    return Outcome(State.FAIL, what, why, remedy)


def shown(value: object) -> str:
    """What a server said, to be read: short, and nothing in it that a terminal would obey."""
    text = value if isinstance(value, str) else _written(value)
    text = "".join(character if character.isprintable() else "?" for character in text[: MOST_SHOWN + 1])
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def argument(value: str) -> str:
    """What a server said, in a command for people to copy: one word to a shell, whatever it is."""
    return shlex.quote(shown(value))


def _written(value: object) -> str:
    try:
        return repr(value)
    except RecursionError:
        return "something too deep to be written"
