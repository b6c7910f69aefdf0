"""A healthy deployment, for all tests of a module, and the doctor that looks at it."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from authserver.outbound.deadline import Deadline
from authserver.outbound.probe import Probe
from authserver.services.doctor.examination import examine
from authserver.services.doctor.outcome import Outcome, State
from tests.conformance.fixtures import set_up, site_with  # noqa: F401 - the fixtures
from tests.conformance.site import create_site
from tests.database import Databases
from tests.journeys.ports import free_port

from .deployment import Fault, Front, serving

SECONDS = 60.0
Examined = dict[str, Outcome]


@dataclass(frozen=True)
class Place:
    """Where a deployment is, and what stands in front of it."""

    issuer: str
    front: Front


@pytest.fixture(scope="module")
def place(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    url, port = databases.create(), free_port()
    issuer = f"http://127.0.0.1:{port}"
    site = create_site(url, tmp_path_factory.mktemp("doctor"), issuer=issuer)
    front = Front(site.app)
    with serving(front, port):
        yield Place(issuer, front)
    site.deployment.stores.database.close()
    databases.drop(url)


def probe(trust: ssl.SSLContext | None = None, seconds: float = SECONDS) -> Probe:
    return Probe(trust or ssl.create_default_context(), Deadline(seconds))


@pytest.fixture
def examined(place: Place) -> Iterator[Callable[[Fault | None], Examined]]:
    """What the doctor says of the deployment with a fault in front of it, by the name of the check."""

    def look(fault: Fault | None = None) -> Examined:
        place.front.fault = fault
        return {outcome.check: outcome for outcome in examine(place.issuer, probe())}

    yield look
    place.front.fault = None


def not_well(found: Examined) -> dict[str, State]:
    """The checks that found something, with how bad it is."""
    return {name: outcome.state for name, outcome in found.items() if outcome.state is not State.OK}
