"""Manifests: the tools of an MCP server as its guard publishes them, taken as its own claims like all that it lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...protocol.audit import Event, Origin
from ...protocol.client import Client
from ...protocol.errors import InvalidRequest, InvalidTarget, TemporarilyUnavailable
from ...protocol.form import Form
from ...protocol.resource import Resource, Source, identified
from ...protocol.tool import Mark
from ...protocol.tool_list import MOST_TOOLS, Listed, NotTools, whole
from ...store.resources import ResourceStore
from ..ceilings import ClientLimit
from ..client_authentication import ClientAuthentication
from .plan import Plan
from .plan import plan as plan_of
from .suspicion import alike_names

MOST_FORM = 1_048_576
"""Bytes. Some hundreds of tools with their schemas; it is read before anybody knows who sends it, so no more."""

MOST_KEPT = 2 * MOST_TOOLS
"""Tools of a server in the catalogue, those that are gone included: no guard makes it grow without end."""

MOST_NAMED = 3
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Publication:
    """Takes a manifest from the guard of the very server that it is of. Nothing gets wider by it in silence."""

    who: ClientAuthentication
    resources: ResourceStore
    limit: ClientLimit

    def publish(self, form: Form, authorization: str | None, origin: Origin) -> dict[str, Any]:
        """Whether the catalogue has changed, and how many tools wait to be agreed to.

        Raises an `OAuthError`: for other callers than guards, for a manifest that cannot be taken (in words), and
        `SlowDown`.
        """
        guard, resource = self.who.guard(form, authorization)
        self.limit.count(guard.client_id)
        try:
            plan = self._brought_about(guard, resource, whole(form.need("tools").encode()), origin)
        except NotTools as wrong:
            raise InvalidRequest(str(wrong)) from None
        waiting = sum(tool.mark in (Mark.NEW, Mark.CHANGED) for tool in plan.after.tools)
        return {"changed": plan.after != plan.before, "waiting": waiting}

    def _brought_about(self, guard: Client, identifier: str, listed: Listed, origin: Origin) -> Plan:
        for _ in range(ATTEMPTS):
            plan = plan_of(self._resource(identifier), listed)
            for problem in _problems(plan, listed):
                raise NotTools(problem)
            if plan.after == plan.before:
                return plan
            event = Event("resource.tools_published", f"client:{guard.client_id}", origin, client_id=guard.client_id)
            if self.resources.exchange(plan.before, plan.after, event.about(detail=plan.detail), heard=Source.GUARD):
                return plan
        raise TemporarilyUnavailable("somebody else changes the tools of this server just now", retry_after=1)

    def _resource(self, identifier: str) -> Resource:
        self.resources.refresh()
        found = identified(self.resources.all(), identifier)
        if found is None:
            raise InvalidTarget("the MCP server of this guard is not registered here any more, or is suspended")
        return found


def _problems(plan: Plan, listed: Listed) -> Iterator[str]:
    """What an administrator would be told, and nobody is there to be told."""
    if listed.nameless:
        yield f"a tool's name has 1 to 200 visible ASCII characters; {listed.nameless} have none that can be taken"
    known = {tool.name for tool in plan.before.tools}
    for names in alike_names(listed.claims):
        if not known.issuperset(names):
            yield f"names that look alike: {', '.join(names[:MOST_NAMED])}; 'authserver resource sync' takes them"
    if len(plan.after.tools) > max(MOST_KEPT, len(plan.before.tools)):
        yield f"more than {MOST_KEPT} tools with those that are gone; 'authserver resource sync --prune' forgets them"
