"""Scopes: what a token opens, in words that people read, and how requests ask for them (AZ-5)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .errors import InvalidRequest, InvalidScope
from .trace.step import Cause

OFFLINE_ACCESS = "offline_access"
RESERVED = "admin:"
"""What the names of this server's own scopes begin with, which no MCP server's may."""

OF_NO_RESOURCE = frozenset({OFFLINE_ACCESS, "openid", "profile", "email", "address", "phone"})  # OIDC Core §5.4, §11
TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")
MOST_SCOPES = 100
NO_LIST = "scope is a space-separated list of scope tokens (RFC 6749 section 3.3)"


class Risk(StrEnum):
    """The worst that a scope's tools can do, from the tools' annotations or the administrator's word."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope of one resource; ``implies`` names scopes of the same resource that it contains."""

    name: str
    description: str
    risk: Risk = Risk.READ
    is_default: bool = False
    implies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request's ``scope`` comes to: known ``scopes`` in the resource's order, and whether refresh was asked."""

    scopes: tuple[str, ...]
    offline: bool


def parse(text: str | None) -> tuple[str, ...]:
    """The scope tokens of a ``scope`` parameter, in order, without repeats (RFC 6749 §3.3).

    Raises `InvalidRequest` for characters outside the grammar, or for more than 100.
    """
    names = tuple(dict.fromkeys((text or "").split(" ")))
    names = tuple(name for name in names if name)
    if len(names) > MOST_SCOPES or not all(TOKEN.fullmatch(name) for name in names):
        raise InvalidRequest(NO_LIST, cause=Cause.SCOPE_MALFORMED)
    return names


def select(asked: tuple[str, ...], known: Iterable[Scope]) -> Selection:
    """The scopes that a request for *asked* is about: unknown ones dropped, none asked for → the default set.

    Scopes of OpenID Connect ask nothing of a resource that has none of that name; some clients send them for want of
    others. Raises `InvalidScope` when something was asked for and nothing of it is known (OAuth 2.1 §3.2.2.1).
    """
    scopes = tuple(known)
    offline = OFFLINE_ACCESS in asked
    chosen = tuple(scope.name for scope in scopes if scope.name in asked and scope.name != OFFLINE_ACCESS)
    if not chosen and OF_NO_RESOURCE.issuperset(asked):
        chosen = tuple(scope.name for scope in scopes if scope.is_default)
    elif not chosen:
        offered = " ".join(scope.name for scope in scopes)
        raise InvalidScope(f"none of these scopes exists for this resource; it offers: {offered}")
    return Selection(chosen, offline)


def within(
    ceiling: Iterable[str], asked: tuple[str, ...], known: Iterable[Scope], *, own: bool = False
) -> tuple[str, ...]:
    """What a client gets for itself: of *ceiling* and all that it implies what is *asked* for, else the whole ceiling.

    What the resource lacks is left out, and this server's own scopes unless the resource is its *own* API (EX-1).
    """
    scopes = tuple(known)
    held = expand(ceiling, scopes) if asked else tuple(ceiling)
    names = (scope.name for scope in scopes if scope.name in held and (own or not scope.name.startswith(RESERVED)))
    return tuple(name for name in names if not asked or name in asked)


def expand(names: Iterable[str], known: Iterable[Scope]) -> tuple[str, ...]:
    """*names* and all that they imply, in the resource's order; names that the resource lacks are left out."""
    scopes = tuple(known)
    implied = {scope.name: scope.implies for scope in scopes}
    reached: set[str] = set()
    queue = [name for name in names if name in implied]
    while queue:
        name = queue.pop()
        if name not in reached:
            reached.add(name)
            queue.extend(other for other in implied[name] if other in implied)
    return tuple(scope.name for scope in scopes if scope.name in reached)
