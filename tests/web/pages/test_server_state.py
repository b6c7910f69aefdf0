"""An MCP server is suspended and let be used again, in the console."""

from dataclasses import replace

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.own_api import identifier
from authserver.store.audit import AuditFilter
from tests.conformance.flow import Flow
from tests.conformance.site import ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor, forms

EVENT = Event("test.done", "system")
ADDRESS = f"/admin/server/suspend?id={NOTES.identifier}"


@pytest.fixture
def used(site: Site):
    """The server of notes, which no test leaves suspended."""
    yield site.deployment.stores.resources
    site.deployment.stores.resources.set_suspended(NOTES.identifier, False, EVENT)


def press(admin: Visitor):
    (form,) = [one for one in forms(admin.open(ADDRESS)) if "suspend" in one.names()]
    return admin.http.post(ADDRESS, data=dict(form.fields))


@pytest.mark.requirement("AZ-4")
def test_nobody_gets_tokens_for_a_suspended_server_and_grants_count_again_after(used, site: Site, admin: Visitor):
    flow, person = Flow(site), Visitor(site)
    flow.register()
    tokens = flow.tokens(person)
    question = admin.open(ADDRESS).text
    assert "Suspend this server?" in question
    assert "Live grants that rest" in question
    assert press(admin).status_code == 303
    refused = flow.refresh(refresh_token=tokens["refresh_token"])
    assert refused.status_code == 400, refused.text
    assert "suspended" in admin.open("/admin/servers").text
    assert "suspended" in admin.open(f"/admin/server?id={NOTES.identifier}").text
    assert "Let this server be used again?" in admin.open(ADDRESS).text
    assert press(admin).status_code == 303
    assert flow.refresh(refresh_token=tokens["refresh_token"]).status_code == 200


def test_done_twice_it_is_done_once(used, site: Site, admin: Visitor):
    (form,) = [one for one in forms(admin.open(ADDRESS)) if "suspend" in one.names()]
    audit = site.deployment.stores.audit
    before = audit.page(AuditFilter(name="resource.suspended"), None, 50).lines
    for _ in range(2):
        assert admin.http.post(ADDRESS, data=dict(form.fields)).status_code == 303
    after = audit.page(AuditFilter(name="resource.suspended"), None, 50).lines
    assert [line.id for line in after[1:]] == [line.id for line in before][:49]


def test_a_suspended_server_can_be_edited_and_stays_suspended(used, admin: Visitor):
    used.set_suspended(NOTES.identifier, True, EVENT)
    address = f"/admin/server/edit?id={NOTES.identifier}"
    (form,) = [one for one in forms(admin.open(address)) if "seen" in one.names()]
    as_it_is = {"name": "Renamed", "aliases": "", "token_format": NOTES.token_format.value}
    saved = admin.http.post(address, data={**dict(form.fields), **as_it_is})
    assert saved.status_code == 303, saved.text
    found = used.find(NOTES.identifier)
    assert (found.name, found.suspended) == ("Renamed", True)
    used.replace(replace(NOTES), EVENT)


def test_the_api_itself_is_not_suspended(admin: Visitor):
    assert admin.open(f"/admin/server/suspend?id={identifier(ISSUER)}").status_code == 404
