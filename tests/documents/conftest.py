"""A site that may fetch from a publisher on loopback, because its operator excepted that host."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conformance.fixtures import site_with
from tests.conformance.flow import Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor
from tests.outbound.authority import Authority
from tests.outbound.peer import peer

from .publisher import Publisher

__all__ = ["site_with"]
NETWORKS = "127.0.0.0/8,::1/128"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def publisher(authority: Authority) -> Iterator[Publisher]:
    found = Publisher()
    with peer(found, authority.serving("localhost")) as served:
        found.base = f"https://localhost:{served.port}"
        yield found


@pytest.fixture
def trusting_site(site_with: Callable[..., Site], publisher: Publisher, authority: Authority) -> Callable[..., Site]:
    """Makes a site that may fetch from the publisher."""

    def make(**settings: Any) -> Site:
        host = publisher.base.removeprefix("https://")
        excepted = {"fetch_exceptions": [f"{host}={NETWORKS}"], "fetch_ca_file": str(authority.ca_file)}
        return site_with(**{**excepted, **settings})

    return make


@pytest.fixture
def site(trusting_site: Callable[..., Site]) -> Site:
    return trusting_site()


@pytest.fixture
def flow(site: Site) -> Flow:
    return Flow(site)


@pytest.fixture
def visitor(site: Site) -> Visitor:
    return Visitor(site)
