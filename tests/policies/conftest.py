"""Rules that a test makes for the MCP server of its own, and that nobody is bothered by afterwards."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.policy import reading
from authserver.store.audit import AuditFilter
from tests.conformance.fixtures import set_up, site, site_with, visitor
from tests.conformance.site import Site
from tests.tools.conftest import Docs, docs, docs_on

__all__ = ["docs", "docs_on", "set_up", "site", "site_with", "visitor"]

EVENT = Event("policy.applied", "system")
Rule = Callable[..., None]


def apply(at: Site, *rules: dict[str, Any]) -> None:
    """Let *rules* count at *at*, and no others."""
    store = at.deployment.stores.policies
    at.deployment.stores.epoch.forget()
    store.apply(reading.read(list(rules)), store.current().version, EVENT)


@pytest.fixture
def rules(site: Site, docs: Docs) -> Iterator[Rule]:
    """Lets rules count, each for the test's own server, with a name of its place if it has none."""

    def make(*given: dict[str, Any]) -> None:
        named = [
            {"name": f"rule {place}", "servers": [docs.resource.identifier], **one} for place, one in enumerate(given)
        ]
        apply(site, *named)

    yield make
    apply(site)


def events(at: Site, name: str, resource: str) -> list[Event]:
    """What the trail has of *name* at *resource*, newest first."""
    found = at.deployment.stores.audit.page(AuditFilter(name=name, resource=resource), None, 50)
    return [line.event for line in found]
