"""A server that is suspended gets no tokens, and nothing of what people granted for it is used up meanwhile."""

from collections.abc import Callable

import pytest

from authserver.protocol.audit import Event
from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor

EVENT = Event("test.done", "system")
Suspend = Callable[[bool], None]


@pytest.fixture
def site(site_with: Callable[..., Site]) -> Site:
    return site_with(refresh_retry_window=0)


@pytest.fixture
def suspend(site: Site) -> Suspend:
    return lambda suspended: site.deployment.stores.resources.set_suspended(NOTES.identifier, suspended, EVENT)


@pytest.mark.requirement("TK-3")
@pytest.mark.parametrize("named", [True, False])
def test_a_refresh_that_is_refused_meanwhile_is_good_again_afterwards(site: Site, suspend: Suspend, named: bool):
    flow = Flow(site)
    flow.register()
    flow.tokens(Visitor(site))
    about = {"resource": NOTES.identifier} if named else {"resource": None}
    suspend(True)
    for _ in range(2):
        assert flow.refresh(**about).json["error"] == "invalid_target"
    suspend(False)
    assert flow.refresh(**about).status_code == 200


@pytest.mark.requirement("AZ-7")
def test_a_code_that_is_refused_meanwhile_is_good_again_afterwards(site: Site, suspend: Suspend):
    flow = Flow(site)
    flow.register()
    flow.allow(Visitor(site))
    suspend(True)
    assert flow.token(resource=None).json["error"] == "invalid_target"
    suspend(False)
    assert flow.token(resource=None).status_code == 200
