"""Where clients wait for approval: what the person reads, and what an administrator sees and does (CR-2)."""

from typing import Any

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.client import ClientKind
from authserver.store.audit import AuditFilter
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import Site
from tests.conformance.visitor import forms
from tests.store.scene import a_client
from tests.web.pages.test_consent_page import words
from tests.web.pages.test_console import press

EVENT = Event("test.done", "system")
EVIL = {**PUBLIC, "client_name": "Claude", "redirect_uris": ["https://evil.example/cb"]}


@pytest.fixture
def site(site_with: Any) -> Site:
    return site_with(registration="approval")


@pytest.fixture
def waiting(site: Site) -> Flow:
    """A client that has registered."""
    flow = Flow(site)
    assert flow.register({**PUBLIC, "client_name": "Note\u202e taker"}).status_code == 201
    return flow


def change(site: Site, flow: Flow, body: dict[str, Any]) -> None:
    """Have the client change its registration."""
    own = {"Authorization": f"Bearer {flow.client['registration_access_token']}"}
    answer = site.app.test_client().put(f"/register/{flow.client['client_id']}", headers=own, json=body)
    assert answer.status_code == 200
    flow.client |= answer.json


@pytest.mark.requirement("CR-2")
def test_a_waiting_client_leads_to_a_page_that_says_whom_to_ask_and_what_to_quote(waiting, visitor):
    page = visitor.open(waiting.url())
    said = words(page)
    assert (page.status_code, page.location) == (400, None)
    assert "has to be approved first" in said
    assert "“Note taker”" in said
    assert waiting.values["client_id"] in said
    assert "Ask an administrator" in said
    assert "\u202e" not in page.text


@pytest.mark.requirement("CR-2")
def test_an_approved_client_goes_on_as_any_other_and_one_that_is_refused_is_gone(site, waiting, visitor, admin):
    client_id = waiting.values["client_id"]
    listed = admin.open("/admin/clients")
    assert "1 waiting for approval" in words(listed)
    page = press(admin, f"/admin/approval/approve?kind=client&id={client_id}")
    assert "waits for approval" not in words(page)
    assert "access_token" in waiting.tokens(visitor)
    (line,) = site.deployment.stores.audit.page(AuditFilter(name="client.approved", client_id=client_id), None, 9)
    assert line.event.actor.startswith("user:")
    assert admin.open(f"/admin/approval/approve?kind=client&id={client_id}").status_code == 404
    other = Flow(site)
    other.register()
    press(admin, f"/admin/approval/deny?kind=client&id={other.values['client_id']}")
    assert "not registered here" in visitor.open(other.url()).text
    assert site.deployment.stores.clients.tombstoned(other.values["client_id"])


@pytest.mark.requirement("CR-2", "TK-3")
def test_a_client_that_must_wait_again_gets_no_tokens_from_anything_it_has(site, waiting, visitor, admin):
    press(admin, f"/admin/approval/approve?kind=client&id={waiting.values['client_id']}")
    waiting.tokens(visitor)
    waiting.allow(visitor)
    change(site, waiting, {**PUBLIC, "client_name": "Claude"})
    for answer in (waiting.refresh(), waiting.token()):
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert "has to be approved first" in visitor.open(waiting.url()).text
    press(admin, f"/admin/approval/approve?kind=client&id={waiting.values['client_id']}")
    assert waiting.refresh().status_code == 200


@pytest.mark.requirement("CR-2", "CR-15")
def test_refusing_a_client_that_waits_again_ends_what_people_gave_it(site, waiting, visitor, admin):
    client_id = waiting.values["client_id"]
    press(admin, f"/admin/approval/approve?kind=client&id={client_id}")
    waiting.tokens(visitor)
    change(site, waiting, {**PUBLIC, "client_name": "Claude"})
    press(admin, f"/admin/approval/deny?kind=client&id={client_id}")
    (grant,) = site.deployment.stores.grants.page(client_id, None, 9)
    assert grant.revoked_at is not None
    assert waiting.refresh().status_code == 401


@pytest.mark.requirement("CR-2", "CR-4")
@pytest.mark.parametrize(
    ("body", "waits"),
    [
        ({**PUBLIC, "client_name": "A client", "software_version": "2"}, False),
        ({**PUBLIC, "client_name": "Claude"}, True),
        ({**PUBLIC, "redirect_uris": ["https://evil.example/cb"]}, True),
    ],
)
def test_an_approved_client_cannot_turn_into_another_without_being_approved_again(site, body, waits):
    flow, known = Flow(site), site.deployment.stores.clients
    flow.register({**PUBLIC, "client_name": "A client"})
    client = known.find_fresh(flow.values["client_id"])
    assert known.approve(client.client_id, client.identity, EVENT)
    change(site, flow, body)
    assert known.find_fresh(client.client_id).pending is waits


@pytest.mark.requirement("CR-2")
def test_what_is_approved_is_what_the_administrator_saw(site, waiting, admin):
    path = f"/admin/approval/approve?kind=client&id={waiting.values['client_id']}"
    page = admin.open(path)
    change(site, waiting, EVIL)
    answer = admin.submit(page, forms(page)[-1], {})
    assert answer.status_code == 409
    assert "evil.example" in answer.text
    assert site.deployment.stores.clients.find_fresh(waiting.values["client_id"]).pending


@pytest.mark.requirement("CR-2", "AZ-10")
def test_nobody_is_approved_without_the_forms_token(site, waiting, admin):
    path = f"/admin/approval/approve?kind=client&id={waiting.values['client_id']}"
    admin.open("/admin")
    for action in ("approve", "deny"):
        assert admin.http.post(path.replace("/approve", f"/{action}"), data={"seen": ""}).status_code == 400
    assert site.deployment.stores.clients.find_fresh(waiting.values["client_id"]).pending


@pytest.mark.requirement("CR-2")
def test_the_list_can_be_narrowed_to_those_that_wait_and_searched_further(site, waiting, admin):
    other = Flow(site)
    other.register({**PUBLIC, "client_name": "Approved already"})
    known = site.deployment.stores.clients
    known.approve(other.values["client_id"], known.find_fresh(other.values["client_id"]).identity, EVENT)
    page = admin.open("/admin/clients?only=waiting")
    assert waiting.values["client_id"] in page.text
    assert other.values["client_id"] not in page.text
    found = admin.submit(page, forms(page)[-1], {}) if forms(page)[-1].method == "post" else None
    assert found is None, "a search is a GET"
    searched = admin.open(f"/admin/clients?only=waiting&q={other.values['client_id']}")
    assert "No client fits" in searched.text


@pytest.mark.requirement("CR-2", "CR-4")
def test_a_waiting_client_can_read_and_remove_its_registration(site, waiting):
    own = {"Authorization": f"Bearer {waiting.client['registration_access_token']}"}
    path = f"/register/{waiting.values['client_id']}"
    assert site.get(path, headers=own).json["client_id"] == waiting.values["client_id"]
    assert site.app.test_client().delete(path, headers=own).status_code == 204


@pytest.mark.requirement("CR-2", "CR-10")
def test_a_refused_client_with_a_metadata_document_is_stopped_for_good_since_its_id_would_come_back(site, admin):
    url = "https://client.example/metadata.json"
    known = site.deployment.stores.clients
    known.register(a_client(client_id=url, kind=ClientKind.METADATA_DOCUMENT, pending=True), EVENT)
    press(admin, f"/admin/approval/deny?kind=client&id={url}")
    found = known.find_fresh(url)
    assert found.suspended
    assert not known.tombstoned(url)
