"""Which domains clients may come from."""

import pytest
from sqlalchemy import text

from authserver.protocol.audit import Event
from authserver.protocol.domain import Decision, decision_about
from tests.conformance.flow import Flow

from .ageing import age
from .publisher import Publisher
from .test_authorize import DOCUMENT, known_by

SYSTEM = Event("domain.decided", "system")
HOSTED = "https://app.example/callback"


@pytest.fixture
def flow(trusting_site) -> Flow:
    """At a site of its own: decisions are for all clients of the host."""
    return Flow(trusting_site())


def decide(flow: Flow, domain: str, decision: Decision) -> None:
    flow.site.deployment.stores.domains.decide(domain, decision, SYSTEM)


@pytest.mark.requirement("CR-10")
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example", Decision.DENY),
        ("a.example", Decision.DENY),
        ("good.example", Decision.ALLOW),
        ("APP.Good.Example", Decision.ALLOW),
        ("notgood.example", Decision.DENY),
        ("good.example.evil", None),
    ],
)
def test_the_nearest_domain_above_decides(host: str, expected: Decision | None):
    decisions = {"example": Decision.DENY, "good.example": Decision.ALLOW}
    assert decision_about(host, decisions) is expected


@pytest.mark.requirement("CR-10")
def test_a_denied_domain_is_a_page_and_is_not_fetched_from(flow: Flow, publisher: Publisher):
    known_by(flow, publisher.publish("/client.json", DOCUMENT))
    decide(flow, "localhost", Decision.DENY)
    page = flow.site.get(flow.url())
    assert page.status_code == 400
    assert "takes no apps from localhost" in page.text
    assert publisher.asked == []


@pytest.mark.requirement("CR-10", "AZ-2")
def test_errors_go_at_once_to_a_client_of_an_allowed_domain_only(flow: Flow, publisher: Publisher):
    known_by(flow, publisher.publish("/client.json", DOCUMENT))
    wrong = flow.url(redirect_uri=HOSTED, code_challenge_method="plain")
    assert flow.site.get(wrong).status_code == 400
    decide(flow, "localhost", Decision.ALLOW)
    assert flow.site.get(wrong).location.startswith(HOSTED)


@pytest.mark.requirement("CR-10")
@pytest.mark.parametrize(("setting", "status"), [("any", 303), ("listed", 400)])
def test_the_setting_speaks_for_domains_that_nobody_decided_about(
    trusting_site, publisher: Publisher, setting: str, status: int
):
    flow = Flow(trusting_site(metadata_document_domains=setting))
    known_by(flow, publisher.publish("/client.json", DOCUMENT))
    assert flow.site.get(flow.url()).status_code == status
    decide(flow, "localhost", Decision.ALLOW)
    assert flow.site.get(flow.url()).status_code == 303


@pytest.mark.requirement("CR-10")
def test_where_an_administrator_is_asked_a_new_client_waits(trusting_site, publisher: Publisher):
    flow = Flow(trusting_site(metadata_document_domains="ask"))
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    flow.site.get(flow.url())
    assert flow.site.deployment.stores.clients.find_fresh(url).pending


@pytest.mark.requirement("CR-10")
def test_a_client_that_waited_acts_when_its_domain_is_allowed(trusting_site, publisher: Publisher):
    flow = Flow(trusting_site(metadata_document_domains="ask"))
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    assert flow.site.get(flow.url()).status_code == 400
    decide(flow, "localhost", Decision.ALLOW)
    assert flow.site.get(flow.url()).status_code == 303
    assert not flow.site.deployment.stores.clients.find_fresh(url).pending


@pytest.mark.requirement("CR-10", "CR-9")
def test_a_client_that_an_administrator_approved_keeps_to_the_document_that_they_saw(
    trusting_site, publisher: Publisher
):
    flow = Flow(trusting_site(metadata_document_domains="ask"))
    clients = flow.site.deployment.stores.clients
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    flow.site.get(flow.url())
    publisher.publish("/client.json", {**DOCUMENT, "client_name": "Changed while it waits"})
    age(flow.site, 3600)
    flow.site.get(flow.url())
    waiting = clients.find_fresh(url)
    assert waiting.name == "Changed while it waits", "nobody has approved anything yet"
    assert clients.approve(url, waiting.identity, SYSTEM)
    publisher.publish("/client.json", {**DOCUMENT, "redirect_uris": ["https://else.example/cb"]})
    age(flow.site, 3600)
    assert flow.site.get(flow.url(redirect_uri="https://else.example/cb")).status_code == 400
    assert flow.site.get(flow.url()).status_code == 303
    assert flow.site.deployment.known_clients.documents.held(url).keys() == {"name", "redirect_uris"}


@pytest.mark.requirement("CR-3", "CR-10")
def test_clients_that_wait_for_their_domain_do_not_fill_the_table(trusting_site, publisher: Publisher):
    flow = Flow(trusting_site(metadata_document_domains="ask", most_unused_registrations=100))
    stores = flow.site.deployment.stores
    statuses = []
    for number in range(102):
        known_by(flow, publisher.publish(f"/{number}.json", DOCUMENT))
        statuses.append(flow.site.get(flow.url()).status_code)
    assert statuses == [400] * 100 + [429] * 2
    assert stores.clients.waiting(1000) == 100
    assert stores.clients.refuse(f"{publisher.base}/7.json", SYSTEM)
    with stores.database.transaction() as connection:
        connection.execute(text("UPDATE clients SET created_at = created_at - 40 * 86400"))
    assert flow.site.deployment.reaper.reap(lambda seconds: None) == (99, 0)
    assert stores.clients.find_fresh(f"{publisher.base}/7.json").suspended, "a refusal is for good"


@pytest.mark.requirement("CR-10")
def test_what_changes_while_another_process_approves_it_waits_again(trusting_site, publisher: Publisher):
    flow = Flow(trusting_site(metadata_document_domains="ask"))
    stores = flow.site.deployment.stores
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    for _ in range(2):
        flow.site.get(flow.url())
    publisher.publish("/client.json", {**DOCUMENT, "client_name": "Never seen by anybody"})
    age(flow.site, 3600)
    stores.clients.find(url)
    with stores.database.transaction() as connection:  # as another process does it, of which this one hears later
        connection.execute(text("UPDATE clients SET pending_since = NULL"))
    assert flow.site.get(flow.url()).status_code == 400
    known = stores.clients.find_fresh(url)
    assert (known.name, known.pending) == ("Never seen by anybody", True)
