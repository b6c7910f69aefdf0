"""A document over time: asked for again, gone, changed, held and pinned."""

import json
from urllib.parse import quote

import pytest
from sqlalchemy import text

from authserver.protocol.audit import Event
from authserver.store.audit import AuditFilter
from tests.conformance.flow import LOOPBACK, Flow
from tests.conformance.site import CALENDAR, Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.test_consent_page import words

from .ageing import age
from .publisher import Page, Publisher
from .test_authorize import DOCUMENT, known_by

SYSTEM = Event("document.decided", "system")
HOUR, DAY = 3600, 86_400
HOSTED = "https://app.example/callback"


def audited(flow: Flow, name: str) -> list[dict[str, object]]:
    wanted = AuditFilter(name=name, client_id=flow.values["client_id"])
    return [line.event.detail for line in flow.site.deployment.stores.audit.page(wanted, None, 50)]


@pytest.fixture
def url(flow: Flow, publisher: Publisher) -> str:
    return known_by(flow, publisher.publish("/client.json", DOCUMENT, 'ETag: "one"', "Cache-Control: max-age=600"))


@pytest.mark.requirement("CR-9")
def test_a_document_is_asked_for_again_when_its_time_is_up_by_its_tag(flow: Flow, publisher: Publisher, url: str):
    flow.site.get(flow.url())
    age(flow.site, 540)
    flow.site.get(flow.url())
    assert len(publisher.asked) == 1
    age(flow.site, 61)
    publisher.pages["/client.json"] = Page(b"", "304 Not Modified")
    assert flow.site.get(flow.url()).status_code == 303
    assert publisher.conditions == ['If-None-Match: "one"']
    flow.site.get(flow.url())
    assert len(publisher.asked) == 2, "confirmed, so current again"


@pytest.mark.requirement("CR-9")
def test_a_source_that_fails_is_covered_for_days_and_not_for_ever(flow: Flow, publisher: Publisher, url: str):
    flow.site.get(flow.url())
    del publisher.pages["/client.json"]
    age(flow.site, 6 * DAY)
    assert flow.site.get(flow.url()).status_code == 303
    flow.site.get(flow.url())
    assert len(publisher.asked) == 2, "a failed source is left alone for a while"
    age(flow.site, 2 * DAY)
    assert flow.site.get(flow.url()).status_code == 400


@pytest.mark.requirement("CR-9")
def test_a_document_that_became_wrong_does_not_replace_the_good_one(
    flow: Flow, visitor: Visitor, publisher: Publisher, url: str
):
    flow.allow(visitor)
    publisher.pages["/client.json"] = Page(b'{"client_id": "https://else.example/"}')
    age(flow.site, HOUR)
    assert flow.site.get(flow.url()).status_code == 303
    assert flow.site.deployment.stores.clients.find_fresh(url).name == "Published"


@pytest.mark.requirement("CR-9", "AZ-8")
@pytest.mark.parametrize(
    "change", [{"client_name": "Renamed"}, {"redirect_uris": [LOOPBACK, HOSTED, "https://b.example/cb"]}]
)
def test_people_are_asked_again_when_a_document_says_something_else(
    flow: Flow, visitor: Visitor, publisher: Publisher, url: str, change: dict[str, object]
):
    flow.allow(visitor, redirect_uri=HOSTED)
    silent = visitor.http.get(flow.url(redirect_uri=HOSTED))
    assert silent.location.startswith(HOSTED), "the same is not asked twice"
    publisher.publish("/client.json", {**DOCUMENT, **change})
    age(flow.site, HOUR)
    page = visitor.http.get(flow.url(redirect_uri=HOSTED))
    assert page.status_code == 200
    assert "has changed" in page.text
    (detail,) = audited(flow, "client.changed")
    assert detail.keys() == {name.replace("client_name", "name") for name in change}


@pytest.mark.requirement("CR-9", "AZ-9")
def test_who_allowed_the_changed_client_one_thing_is_asked_again_about_the_other(
    flow: Flow, visitor: Visitor, publisher: Publisher, url: str
):
    flow.allow(visitor, redirect_uri=HOSTED)
    with flow.site.deployment.stores.database.transaction() as connection:
        connection.execute(text("UPDATE consents SET decided_at = decided_at - 60"))
    publisher.publish("/client.json", {**DOCUMENT, "client_name": "Renamed"})
    age(flow.site, HOUR)
    flow.allow(visitor, redirect_uri=HOSTED, resource=CALENDAR.identifier, scope="calendar:read")
    page = visitor.http.get(flow.url(redirect_uri=HOSTED))
    assert page.status_code == 200
    assert "It was called <bdi>Published</bdi>" in page.text


@pytest.mark.requirement("CR-9")
def test_a_change_that_people_do_not_see_asks_nobody(flow: Flow, visitor: Visitor, publisher: Publisher, url: str):
    flow.allow(visitor, redirect_uri=HOSTED)
    publisher.publish("/client.json", {**DOCUMENT, "logo_uri": "https://app.example/new.png"})
    age(flow.site, HOUR)
    assert visitor.http.get(flow.url(redirect_uri=HOSTED)).location.startswith(HOSTED)
    assert flow.site.deployment.stores.clients.find_fresh(url).metadata["logo_uri"] == "https://app.example/new.png"


@pytest.mark.requirement("CR-9")
def test_where_changes_are_held_the_old_document_counts_until_it_is_accepted(trusting_site, publisher: Publisher):
    flow = Flow(trusting_site(metadata_document_changes="hold"))
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    documents = flow.site.deployment.known_clients.documents
    flow.allow(Visitor(flow.site))
    assert documents.held(url) == {}
    publisher.publish("/client.json", {**DOCUMENT, "redirect_uris": [HOSTED]})
    for _ in range(3):
        age(flow.site, HOUR)
        assert flow.site.get(flow.url()).status_code == 303, "the old redirect URI"
    assert len(audited(flow, "client.change_held")) == 1
    assert documents.held(url) == {"redirect_uris": {"before": f"{LOOPBACK} {HOSTED}", "after": HOSTED}}
    page = Visitor(flow.site, "root").open(f"/admin/client?id={quote(url, safe='')}")
    assert "Its document says something else by now." in page.text
    assert f"{LOOPBACK} {HOSTED}" in page.text
    assert documents.accept(url, documents.held(url), SYSTEM)
    assert flow.site.get(flow.url()).status_code == 400
    assert flow.site.get(flow.url(redirect_uri=HOSTED)).status_code == 303
    assert not documents.accept(url, documents.held(url), SYSTEM)


@pytest.mark.requirement("CR-9")
def test_a_held_change_is_in_the_queue_until_it_is_let_in(trusting_site, publisher: Publisher):
    flow, url = held(trusting_site(metadata_document_changes="hold"), publisher)
    approvals = flow.site.deployment.approvals
    [request] = approvals.kind("change").page(None, 10)
    assert (request.id, request.who) == (url, url)
    assert f"redirect uris: {LOOPBACK} {HOSTED} → {HOSTED}" in request.what
    root = Visitor(flow.site, "root")
    page = root.open(f"/admin/approval/approve?kind=change&id={quote(url, safe='')}")
    assert root.submit(page, forms(page)[-1], {}).status_code == 200
    assert flow.site.get(flow.url(redirect_uri=HOSTED)).status_code == 303
    assert approvals.find("change", url) is None
    again = root.submit(page, forms(page)[-1], {})
    assert (again.status_code, "root let the change in" in words(again)) == (409, True)


@pytest.mark.requirement("CR-9")
@pytest.mark.parametrize("ends", ["deny", "expire"])
def test_a_change_that_is_denied_or_expires_is_not_held_again(trusting_site, publisher: Publisher, ends: str):
    flow, url = held(trusting_site(metadata_document_changes="hold"), publisher)
    approvals = flow.site.deployment.approvals
    if ends == "expire":
        with flow.site.deployment.stores.database.transaction() as connection:
            connection.execute(text("UPDATE clients SET held_since = held_since - 1209600"))
        assert approvals.expire() == 1
    else:
        assert approvals.deny(approvals.find("change", url), SYSTEM)
    age(flow.site, HOUR)
    assert flow.site.get(flow.url()).status_code == 303, "the old redirect URI"
    assert approvals.find("change", url) is None
    assert len(audited(flow, "client.change_refused") + audited(flow, "client.change_expired")) == 1
    publisher.publish("/client.json", {**DOCUMENT, "redirect_uris": [HOSTED], "client_name": "Yet another"})
    age(flow.site, HOUR)
    flow.site.get(flow.url())
    assert approvals.find("change", url)


@pytest.mark.requirement("CR-9")
def test_a_change_whose_document_is_forgotten_is_listed_and_can_be_denied_only(trusting_site, publisher: Publisher):
    flow, url = held(trusting_site(metadata_document_changes="hold"), publisher)
    with flow.site.deployment.stores.database.transaction() as connection:
        connection.execute(text("DELETE FROM fetched_documents"))
    approvals, root = flow.site.deployment.approvals, Visitor(flow.site, "root")
    assert "its document is not at hand" in words(root.open("/admin/approvals?kind=change"))
    page = root.open(f"/admin/approval/approve?kind=change&id={quote(url, safe='')}")
    assert root.submit(page, forms(page)[-1], {}).status_code == 409
    assert approvals.deny(approvals.find("change", url), SYSTEM)
    assert approvals.find("change", url) is None


def held(site: Site, publisher: Publisher) -> tuple[Flow, str]:
    """A client that people know, whose document is another by now."""
    flow = Flow(site)
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    flow.allow(Visitor(flow.site))
    publisher.publish("/client.json", {**DOCUMENT, "redirect_uris": [HOSTED]})
    age(flow.site, HOUR)
    flow.site.get(flow.url())
    return flow, url


@pytest.mark.requirement("CR-9")
def test_what_changed_again_while_an_administrator_looked_is_not_accepted(trusting_site, publisher: Publisher):
    flow = Flow(trusting_site(metadata_document_changes="hold"))
    url = known_by(flow, publisher.publish("/client.json", DOCUMENT))
    documents = flow.site.deployment.known_clients.documents
    flow.allow(Visitor(flow.site))
    seen = []
    for name in ("Shown", "Another"):
        publisher.publish("/client.json", {**DOCUMENT, "client_name": name})
        age(flow.site, HOUR)
        flow.site.get(flow.url())
        seen.append(documents.held(url))
    assert not documents.accept(url, seen[0], SYSTEM)
    assert flow.site.deployment.stores.clients.find_fresh(url).name == "Published"
    assert documents.accept(url, documents.held(url), SYSTEM)
    assert flow.site.deployment.stores.clients.find_fresh(url).name == "Another"


@pytest.mark.requirement("CR-9")
def test_a_pinned_document_counts_and_nothing_is_fetched(flow: Flow, visitor: Visitor, publisher: Publisher, url: str):
    body = json.dumps({**DOCUMENT, "client_id": url, "client_name": "Pinned"})
    flow.site.deployment.known_clients.documents.pin(url, body, SYSTEM)
    flow.allow(visitor)
    age(flow.site, 30 * DAY)
    assert flow.site.get(flow.url()).status_code == 303
    assert flow.site.deployment.stores.clients.find_fresh(url).name == "Pinned"
    assert publisher.asked == []
    assert flow.site.deployment.known_clients.documents.unpin(url, SYSTEM)
    assert flow.site.get(flow.url()).status_code == 303
    assert publisher.asked == ["/client.json"]
