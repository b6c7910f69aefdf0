"""A site of each test's own: what is recorded from one address is bounded, and all tests come from the same."""

import pytest

from tests.conformance.fixtures import set_up, site_with
from tests.conformance.flow import Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor

__all__ = ["flow", "set_up", "site", "site_with", "visitor"]


@pytest.fixture
def site(site_with) -> Site:
    return site_with()


@pytest.fixture
def flow(site: Site) -> Flow:
    return Flow(site)


@pytest.fixture
def visitor(site: Site) -> Visitor:
    return Visitor(site)
