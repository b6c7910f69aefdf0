"""The clock of a node is off: what it gives out is good at the others, and the other way round."""

import time

import pytest
import time_machine

from authserver.protocol.client import ClientKind
from authserver.services.composition import compose
from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor, forms
from tests.keys.test_clocks import AHEAD_OR_BEHIND, MINUTES, at_a_node_off_by

from .listed import claims
from .test_client_credentials import machine
from .test_status import place


@pytest.mark.requirement("TK-9")
@AHEAD_OR_BEHIND
def test_tokens_are_active_at_once_wherever_they_come_from(site: Site, off: float) -> None:
    guard = machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": NOTES.identifier})
    new = machine(site, created_at=int(time.time()))
    with at_a_node_off_by(off):
        tokens = [new.ask().json["access_token"], Flow(site).tokens(Visitor(site))["access_token"]]
    assert [guard.introspected(token)["active"] for token in tokens] == [True, True]


@pytest.mark.requirement("AZ-10")
def test_a_page_of_a_node_that_is_ahead_is_sent_to_another(site: Site) -> None:
    flow, visitor = Flow(site), Visitor(site)
    flow.register()
    with at_a_node_off_by(MINUTES):
        page = visitor.open(flow.url())
    (consent,) = (form for form in forms(page) if "decision" in form.names())
    assert "code" in flow.answer(visitor.submit(page, consent, {"decision": "allow", "scope": "notes:read"}))


@pytest.mark.requirement("AZ-10")
def test_a_cookie_of_last_month_is_none(site: Site) -> None:
    flow, visitor = Flow(site), Visitor(site)
    flow.register()
    with time_machine.travel(time.time() - 32 * 86_400):
        visitor.open(flow.url())
        assert visitor.http.get(flow.url(), base_url=visitor.origin).status_code == 200
    assert visitor.http.get(flow.url(), base_url=visitor.origin).status_code in {302, 303}


@pytest.mark.requirement("TK-10")
@AHEAD_OR_BEHIND
def test_a_list_says_the_same_at_each_node(site: Site, off: float) -> None:
    path, _ = place(Flow(site).tokens(Visitor(site))["access_token"])
    with at_a_node_off_by(off):
        node = compose(site.deployment.settings, site.deployment.stores)
        found = node.status_lists.find(path.removeprefix("/status/"))
    assert found is not None
    assert abs(claims(found.body.decode())["iat"] - claims(site.get(path).text)["iat"]) <= 30
