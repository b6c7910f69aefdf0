"""The conditions that rules can have: for each, whether it fits, and what it was held against, in words.

One table: matching, reading, and explaining go by it, so a condition cannot be matched in one way and told in another.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ..msg import Filled, msg
from .request import Item, ItemKind, Request
from .rule import Conditions

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
VERIFIED, NOT_VERIFIED = msg("the client is verified"), msg("the client is not verified")
NO_ADDRESS, NONE_AT_ALL = msg("no address"), msg("none")
MINUTES_OF_DAY = 24 * 60
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Condition:
    """``field`` of `Conditions`, which files call ``name``; ``of_items``: it can fit one item and not another.

    ``fits`` tells by its value and the request (and item); ``found`` what there was instead.
    """

    field: str
    name: str
    fits: Callable[[Any, Request, Item], bool]
    found: Callable[[Request, Item], str]
    of_items: bool = False

    def of(self, conditions: Conditions) -> Any:  # noqa: ANN401 - as many types as there are conditions
        """What *conditions* say of it; empty or None if nothing."""
        return getattr(conditions, self.field)

    def is_given(self, conditions: Conditions) -> bool:
        """Whether *conditions* say anything of it."""
        return self.of(conditions) not in ((), "", None)


def _verified(wanted: bool, request: Request, item: Item) -> bool:
    return request.through.verified is wanted


def _scopes(wanted: tuple[str, ...], request: Request, item: Item) -> bool:
    """A scope that is named, or a tool that needs one of them."""
    return any(named(wanted, name) for name in _scopes_of(item))


def _hours(wanted: str, request: Request, item: Item) -> bool:
    begins, ends = minutes(wanted)
    now = request.at // 60 % MINUTES_OF_DAY
    return begins <= now < ends if begins < ends else now >= begins or now < ends


def _source(wanted: tuple[str, ...], request: Request, item: Item) -> bool:
    try:
        address = ipaddress.ip_address(request.address)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network(text) for text in wanted)


def _day(request: Request) -> str:
    return DAYS[datetime.fromtimestamp(request.at, UTC).weekday()]


def _scopes_of(item: Item) -> tuple[str, ...]:
    return (item.name,) if item.kind is ItemKind.SCOPE else item.scopes


CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "who",
        "who",
        lambda wanted, request, item: not request.names.isdisjoint(wanted),
        lambda request, item: _listed(request.names),
    ),
    Condition(
        "through",
        "through",
        lambda wanted, request, item: not request.through.names.isdisjoint(wanted),
        lambda request, item: _listed(request.through.names),
    ),
    Condition(
        "verified",
        "verified",
        _verified,
        lambda request, item: Filled(VERIFIED if request.through.verified else NOT_VERIFIED),
    ),
    Condition(
        "servers",
        "servers",
        lambda wanted, request, item: request.server in wanted,
        lambda request, item: request.server,
    ),
    Condition(
        "days",
        "days",
        lambda wanted, request, item: _day(request) in wanted,
        lambda request, item: _day(request),
    ),
    Condition(
        "hours",
        "hours",
        _hours,
        lambda request, item: datetime.fromtimestamp(request.at, UTC).strftime("%H:%M UTC"),
    ),
    Condition(
        "factor",
        "factor",
        lambda wanted, request, item: request.factor in wanted,
        lambda request, item: request.factor,
    ),
    Condition("source", "from", _source, lambda request, item: request.address or Filled(NO_ADDRESS)),
    Condition(
        "tools",
        "tools",
        lambda wanted, request, item: item.kind is ItemKind.TOOL and named(wanted, item.name),
        lambda request, item: item.key,
        of_items=True,
    ),
    Condition("scopes", "scopes", _scopes, lambda request, item: _listed(_scopes_of(item)), of_items=True),
    Condition(
        "risks",
        "risks",
        lambda wanted, request, item: item.risk in wanted,
        lambda request, item: str(item.risk),
        of_items=True,
    ),
)
OF_REQUESTS = tuple(condition for condition in CONDITIONS if not condition.of_items)
OF_ITEMS = tuple(condition for condition in CONDITIONS if condition.of_items)


@lru_cache(maxsize=4096)
def network(text: str) -> Network:
    """The address range that *text* is. Raises ValueError."""
    return ipaddress.ip_network(text)


@lru_cache(maxsize=4096)
def minutes(text: str) -> tuple[int, int]:
    """Begin and end of a time of day in minutes; what ends before it begins goes past midnight. Raises ValueError."""
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)", text)
    if found is None:
        raise ValueError(Filled(msg("is no time of day such as 08:00-18:00")))
    begins = int(found[1]) * 60 + int(found[2])
    ends = MINUTES_OF_DAY if found[3] is None else int(found[3]) * 60 + int(found[4])
    if begins == ends:
        raise ValueError(Filled(msg("begins where it ends")))
    return begins, ends


def named(patterns: Iterable[str], name: str) -> bool:
    """Whether one of *patterns* is *name*, ``*`` standing for anything."""
    return any(_is_like(pattern, name) for pattern in patterns)


def _is_like(pattern: str, name: str) -> bool:
    """From part to part, each as early as it can be: no expression, since names are servers' words and try for long."""
    begin, *parts = pattern.split("*")
    if not parts:
        return begin == name
    place, end = len(begin), len(name) - len(parts[-1])
    if not (name.startswith(begin) and name.endswith(parts.pop()) and place <= end):
        return False
    for part in parts:
        found = name.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or Filled(NONE_AT_ALL)
