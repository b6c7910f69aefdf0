"""The console: for administrators alone, with lists that can be searched and actions that are asked about first."""

import re

import pytest

from authserver.protocol.audit import Event
from authserver.store.audit import AuditFilter
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.test_consent_page import words

EVENT = Event("test.done", "system")


def rules(site) -> list[str]:
    return [rule.rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("admin.")]


def press(visitor: Visitor, path: str):
    """Open the question at *path* and answer yes."""
    page = visitor.open(path)
    assert page.status_code == 200, page.text
    return visitor.submit(page, forms(page)[-1], {})


def test_the_console_has_pages(site):
    assert len(set(rules(site))) >= 11


def test_nobody_gets_into_the_console_without_signing_in(site):
    for path in rules(site):
        for answer in (site.get(path), site.post(path), site.post(path, data={"csrf_token": "x"})):
            assert answer.status_code in {303, 405}, path
            assert answer.status_code == 405 or answer.location.startswith("/sign-in?next=/admin")


def test_somebody_who_is_no_administrator_gets_a_403_page(site, visitor):
    visitor.open("/sign-in")
    for path in rules(site):
        for answer in (visitor.http.get(path), visitor.http.post(path, data={"csrf_token": "x"})):
            assert answer.status_code in {403, 405}, path
    assert "This page is not open to you" in visitor.http.get("/admin").text


def test_the_first_page_counts_and_shows_what_happened_last(site, admin):
    said = words(admin.open("/admin"))
    assert re.search(r"people \d+", said)
    assert f"MCP servers {len(site.deployment.stores.resources.all())}" in said
    assert "session.opened" in said


@pytest.mark.requirement("TK-6")
def test_a_grant_is_revoked_after_a_question_and_the_next_refresh_fails(site, flow, visitor, admin):
    flow.register({**PUBLIC, "client_name": "To be revoked"})
    flow.tokens(visitor)
    page = admin.open(f"/admin/grants?q={flow.values['client_id']}")
    assert "To be revoked" in page.text
    (link,) = re.findall(r'href="(/admin/grant/revoke[^"]+)"', page.text)
    question = admin.open(link.replace("&amp;", "&"))
    assert "Revoke this grant?" in question.text
    assert "refuse its access token within seconds; others may take one for 10 minutes more" in words(question)
    assert flow.refresh().status_code == 200, "a question changes nothing"
    answer = press(admin, link.replace("&amp;", "&"))
    assert answer.request.path == "/admin/grants"
    refused = flow.refresh()
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    root = site.deployment.stores.users.by_name("root")
    (line,) = site.deployment.stores.audit.page(
        AuditFilter(name="grant.revoked", client_id=flow.values["client_id"]), None, 9
    )
    assert line.event.actor == f"user:{root.id}"
    assert admin.http.get(link.replace("&amp;", "&")).status_code == 404
    assert "ended" in admin.open(f"/admin/grants?q={flow.values['client_id']}").text


def test_a_revoked_grant_is_asked_for_anew(flow, visitor, admin, site):
    flow.tokens(visitor)
    (grant,) = site.deployment.stores.grants.page(flow.values["client_id"], None, 9)
    press(admin, f"/admin/grant/revoke?id={grant.id}&user={grant.user_id}")
    assert "What it asks for" in visitor.open(flow.url()).text


@pytest.mark.requirement("AZ-10")
def test_an_action_without_a_token_is_not_done(flow, visitor, admin, site):
    flow.tokens(visitor)
    (grant,) = site.deployment.stores.grants.page(flow.values["client_id"], None, 9)
    admin.open("/admin")
    answer = admin.http.post(f"/admin/grant/revoke?id={grant.id}&user={grant.user_id}")
    assert answer.status_code == 400
    assert "Revoke this grant?" in answer.text
    assert flow.refresh().status_code == 200


def test_a_client_is_suspended_and_let_act_again(flow, visitor, admin):
    flow.tokens(visitor)
    path = f"/admin/client/suspend?id={flow.values['client_id']}"
    assert "suspended" in press(admin, path).text
    assert flow.refresh().status_code == 401
    assert "suspended" not in words(press(admin, path)).split("What happened")[0]
    assert flow.refresh().status_code == 200


@pytest.mark.requirement("CR-15")
def test_a_client_is_deleted_with_its_grants(flow, visitor, admin):
    flow.tokens(visitor)
    path = f"/admin/client/delete?id={flow.values['client_id']}"
    answer = press(admin, path)
    assert answer.request.path == "/admin/clients"
    assert flow.values["client_id"] not in answer.text
    assert flow.refresh().status_code == 401
    assert admin.http.get(path).status_code == 404


def test_a_clients_page_shows_what_it_registered_and_its_own_grants(flow, visitor, admin, site):
    flow.register({**PUBLIC, "client_name": "<i>Shown</i>"})
    flow.tokens(visitor)
    said = admin.open(f"/admin/client?id={flow.values['client_id']}")
    assert "&lt;i&gt;Shown&lt;/i&gt;" in said.text
    for fact in (flow.values["client_id"], "http://127.0.0.1:5000/callback", "dynamic", "refresh_token", "Revoke"):
        assert fact in said.text


@pytest.mark.parametrize("path", ["client", "client/suspend", "client/delete", "grant/revoke"])
@pytest.mark.parametrize("query", ["", "?id=", "?id=nobody&user=nobody", "?id=%00&user=x", "?id=%ff"])
def test_what_does_not_exist_is_404(admin, path, query):
    assert admin.open(f"/admin/{path}{query}").status_code == 404


def test_clients_can_be_searched_and_turned_over_page_by_page(site, admin):
    name = f"Numbered-{Flow(site).values['state']}"
    for _ in range(55):
        Flow(site).register({**PUBLIC, "client_name": name})
    first = admin.open(f"/admin/clients?q={name}")
    assert first.text.count(f"<bdi>{name}</bdi>") == 50
    (older,) = re.findall(r'href="([^"]+)" rel="next"', first.text)
    second = admin.open(older.replace("&amp;", "&"))
    assert second.text.count(f"<bdi>{name}</bdi>") == 5
    assert 'rel="next"' not in second.text


def test_servers_are_shown_with_scopes_and_tools(admin):
    said = words(admin.open("/admin/servers"))
    for fact in ("http://localhost:9001/mcp", "notes:delete", "can delete or destroy", "Write a note"):
        assert fact in said
    assert "contains calendar:read" in said


def test_people_are_shown_without_their_passwords(admin):
    page = admin.open("/admin/people?q=ada")
    assert "Ada" in page.text
    assert "argon2" not in page.text


@pytest.mark.requirement("TK-12")
def test_keys_are_shown_with_state_and_age_and_without_their_private_part(admin, site):
    page = admin.open("/admin/keys")
    keys = site.deployment.stores.keys.all()
    said = words(page)
    for key in keys:
        assert key.kid in page.text
    assert "signing 0 days" in said
    assert "standby" in said
    assert '"d"' not in page.text


def test_the_trail_can_be_narrowed_to_one_client(flow, visitor, admin):
    flow.tokens(visitor)
    page = admin.open(f"/admin/audit?client={flow.values['client_id']}")
    said = words(page)
    for name in ("client.registered", "grant.approved"):
        assert name in said
    assert "session.opened" not in said


def test_an_issuer_with_a_path_has_its_console_there(site_with):
    visitor = Visitor(site_with(issuer="http://localhost:9000/tenant1"), "root")
    page = visitor.open("/tenant1/admin/audit")
    assert page.status_code == 200
    assert 'href="/tenant1/admin/keys"' in page.text


def test_the_audit_page_tells_how_far_the_trail_is_sealed_and_whose_turn_fails(site, admin):
    stores = site.deployment.stores
    site.seal()
    assert stores.streams.claim("webhook", "a worker", 30)
    stores.streams.fail("webhook", "a worker", "it answered with status <503>")
    page = admin.open("/admin/audit")
    assert "Sealed up to" in words(page)
    assert "The webhook has not taken what came last: it answered with status &lt;503&gt;" in page.text
