"""Rules as values, as files write them."""

from dataclasses import dataclass
from enum import StrEnum

from ..msg import msg


class Effect(StrEnum):
    """What a rule does with what it is about."""

    ALLOW = msg("allow")
    DENY = msg("deny")
    APPROVAL = msg("require approval")
    """An administrator has to allow it first, for that person, client and server; to a client for itself it is a no."""

    FRESH_SIGN_IN = msg("require fresh sign-in")
    """The person has to have signed in lately when they decide; to a client for itself it is a no."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What has to hold, all of it; of a list one entry is enough, and what is empty says nothing.

    ``who`` has ``user:NAME``, ``group:NAME``, ``role:ROLE``, ``person`` and ``machine``; ``through`` has ``client:ID``,
    ``kind:KIND``, ``host:NAME`` and ``known:ID``; ``verified`` is about the client. ``tools`` and ``scopes`` are names,
    in which ``*`` stands for anything. ``days`` are ``mon`` to ``sun``, ``hours`` is ``HH:MM-HH:MM``, both in UTC;
    ``source`` are address ranges; ``factor`` is what a person signed in with beside a password, or ``none``.
    """

    who: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    verified: bool | None = None
    servers: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    hours: str = ""
    source: tuple[str, ...] = ()
    factor: tuple[str, ...] = ()


NONE = Conditions()


@dataclass(frozen=True, slots=True)
class Rule:
    """``effect`` where ``when`` holds, unless ``unless`` does (one without conditions never does).

    ``name`` is what decisions are told by. ``says`` is the administrator's own word to whoever is refused.
    """

    name: str
    effect: Effect
    when: Conditions = NONE
    unless: Conditions = NONE
    says: str = ""


Rules = tuple[Rule, ...]
"""In the order in which they count."""
