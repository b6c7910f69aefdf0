"""Sites that may fetch from a host on loopback, because their operator excepted it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conformance.fixtures import set_up, site_with
from tests.conformance.flow import Flow
from tests.conformance.site import Site, create_site
from tests.conformance.visitor import Visitor
from tests.database import Databases
from tests.outbound.authority import Authority

from .publisher import Host, Publisher, host

__all__ = ["set_up", "site_with"]
NETWORKS = "127.0.0.0/8,::1/128"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def publishing(authority: Authority) -> Iterator[Host]:
    with host(authority) as found:
        yield found


@pytest.fixture
def publisher(publishing: Host) -> Publisher:
    return publishing.publisher()


@pytest.fixture(scope="session")
def excepting(publishing: Host, authority: Authority) -> dict[str, Any]:
    """The settings of an operator who lets clients publish on that host."""
    return {
        "fetch_exceptions": [f"{publishing.authority}={NETWORKS}"],
        "fetch_ca_file": str(authority.ca_file),
        "metadata_document_fetches_per_address": "100000 per minute",
    }


@pytest.fixture(scope="session")
def site(databases: Databases, tmp_path_factory: pytest.TempPathFactory, excepting: dict[str, Any]) -> Iterator[Site]:
    """One for all tests that change nothing for others."""
    url = databases.create()
    made = create_site(url, tmp_path_factory.mktemp("home"), **excepting)
    yield made
    made.deployment.stores.database.close()
    databases.drop(url)


@pytest.fixture
def trusting_site(site_with: Callable[..., Site], excepting: dict[str, Any]) -> Callable[..., Site]:
    """Makes a site of a test's own."""
    return lambda **settings: site_with(**{**excepting, **settings})


@pytest.fixture
def flow(site: Site) -> Flow:
    return Flow(site)


@pytest.fixture
def visitor(site: Site) -> Visitor:
    return Visitor(site)
