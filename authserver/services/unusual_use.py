"""Unusual use: plain rules over the receipts that have just come, each of which a person can check.

- a client uses a destructive tool for a person for the first time;
- a tool's calls in 24 hours are far above its own days of the week before (three of which it was called on);
- a server's guard refused many calls of a client within an hour;
- a guard lost receipts, so that not all is known.

An alert is told once: of a pair of client and person once for all, of the rest once a day.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..protocol.alert import AlertKind
from ..protocol.audit import Event, Origin
from ..protocol.ports import Clients, Resources
from ..protocol.resource import identified
from ..protocol.scope import Risk
from ..store.alerts import Alert, AlertStore
from ..store.tool_calls import ToolCallStore
from ..store.tool_receipts import Kept

DAY = 86_400
HOUR = 3600
DAYS_BEFORE = 7
LEAST_DAYS = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on use is unusual, see `settings.tool_calls`."""

    calls_factor: int
    calls_least: int
    refusals: int


@dataclass(frozen=True, slots=True)
class UnusualUse:
    """Looks at what is new, and raises alerts; ``off`` are the rules that are switched off."""

    resources: Resources
    clients: Clients
    calls: ToolCallStore
    alerts: AlertStore
    thresholds: Thresholds
    off: frozenset[AlertKind] = frozenset()

    def look(self, resource: str, kept: Sequence[Kept], lost: int, origin: Origin) -> None:
        """Judge *kept*, the new receipts of *resource*, and that its guard *lost* so many."""
        found = [*self._first_uses(resource, kept), *self._many_calls(resource, kept)]
        found += [*self._many_refusals(resource, kept), *_lost(resource, lost)]
        found = [alert for alert in found if alert.kind not in self.off]
        if found:
            self.alerts.raise_new(found, Event("alert.raised", "system", origin))

    def _first_uses(self, resource: str, kept: Sequence[Kept]) -> Iterator[Alert]:
        destructive = self._destructive(resource)
        for one in kept:
            if one.user_id is not None and one.tool in destructive and not one.refused:
                yield Alert(AlertKind.FIRST_DESTRUCTIVE_USE, resource, one.client_id, one.user_id, one.tool)

    def _destructive(self, identifier: str) -> frozenset[str]:
        found = identified(self.resources.all(), identifier)
        if found is None:
            return frozenset()
        return frozenset(tool.name for tool in found.tools if tool.worst(found.scopes) is Risk.DESTRUCTIVE)

    def _many_calls(self, resource: str, kept: Sequence[Kept]) -> Iterator[Alert]:
        tools = {one.tool for one in kept}
        for tool, days in self.calls.days(resource, tools, 1 + DAYS_BEFORE).items() if tools else ():
            today = days.pop(0, 0)
            normal = sum(days.values()) / DAYS_BEFORE
            far_above = today > self.thresholds.calls_least and today >= self.thresholds.calls_factor * normal
            if len(days) >= LEAST_DAYS and far_above:
                detail = {"calls": today, "normal": round(normal, 1)}
                yield Alert(AlertKind.MANY_CALLS, resource, tool=tool, occasion=_today(), detail=detail)

    def _many_refusals(self, resource: str, kept: Sequence[Kept]) -> Iterator[Alert]:
        # A guard may name whom it likes; who is not registered here is nobody to tell of.
        clients = [name for name in {one.client_id for one in kept if one.refused} if self.clients.find(name)]
        counted = self.calls.refusals(resource, clients, HOUR, self.thresholds.refusals)
        for client_id, calls in counted.items():
            if calls >= self.thresholds.refusals:
                detail = {"calls": calls}
                yield Alert(AlertKind.MANY_REFUSALS, resource, client_id, occasion=_today(), detail=detail)


def _lost(resource: str, lost: int) -> Iterator[Alert]:
    if lost:
        yield Alert(AlertKind.RECEIPTS_LOST, resource, occasion=_today(), detail={"receipts": lost})


def _today() -> str:
    return str(int(time.time()) // DAY)
