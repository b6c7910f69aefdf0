"""The console by role: each route is open to whom this table says, and links to nothing that is not open to them."""

import re
from collections.abc import Callable
from functools import partial, wraps

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.role import Permission, Role, opening
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor
from tests.web.pages.conftest import As
from tests.web.pages.test_consent_page import words

OPEN_TO = {
    "/admin": Permission.OVERVIEW_READ,
    "/admin/alerts": Permission.ALERTS_READ,
    "/admin/alert/dismiss": Permission.ALERTS_DISMISS,
    "/admin/audit": Permission.AUDIT_READ,
    "/admin/calls": Permission.CALLS_READ,
    "/admin/trace": Permission.TRACES_READ,
    "/admin/traces": Permission.TRACES_READ,
    "/admin/clients": Permission.CLIENTS_READ,
    "/admin/clients/alike": Permission.CLIENTS_READ,
    "/admin/clients/group": Permission.CLIENTS_READ,
    "/admin/clients/group/delete": Permission.CLIENTS_DELETE,
    "/admin/client/secret": Permission.CLIENTS_SECRETS,
    "/admin/client": Permission.CLIENTS_READ,
    "/admin/approvals": Permission.APPROVALS_READ,
    "/admin/approval/approve": Permission.APPROVALS_DECIDE,
    "/admin/approval/deny": Permission.APPROVALS_DECIDE,
    "/admin/client/suspend": Permission.CLIENTS_EDIT,
    "/admin/client/delete": Permission.CLIENTS_DELETE,
    "/admin/grants": Permission.GRANTS_READ,
    "/admin/grant": Permission.GRANTS_READ,
    "/admin/grants/token": Permission.GRANTS_READ,
    "/admin/grant/family/revoke": Permission.GRANTS_REVOKE,
    "/admin/settings": Permission.SETTINGS_READ,
    "/admin/grant/revoke": Permission.GRANTS_REVOKE,
    "/admin/grants/revoke": Permission.GRANTS_REVOKE_ALL,
    "/admin/policies": Permission.POLICIES_READ,
    "/admin/policies/edit": Permission.POLICIES_EDIT,
    "/admin/policies/requests": Permission.POLICIES_READ,
    "/admin/policies/request/withdraw": Permission.APPROVALS_DECIDE,
    "/admin/keys": Permission.KEYS_READ,
    "/admin/keys/rotate": Permission.KEYS_ROTATE,
    "/admin/groups": Permission.PEOPLE_READ,
    "/admin/key/withdraw": Permission.EMERGENCY,
    "/admin/domains": Permission.POLICIES_READ,
    "/admin/domain": Permission.POLICIES_EDIT,
    "/admin/emergency": Permission.EMERGENCY,
    "/admin/emergency/grants": Permission.EMERGENCY,
    "/admin/invitations": Permission.PEOPLE_READ,
    "/admin/invitation/withdraw": Permission.PEOPLE_INVITE,
    "/admin/people/invite": Permission.PEOPLE_INVITE,
    "/admin/people": Permission.PEOPLE_READ,
    "/admin/person": Permission.PEOPLE_READ,
    "/admin/person/disable": Permission.PEOPLE_EDIT,
    "/admin/person/factors": Permission.PEOPLE_EDIT,
    "/admin/person/groups": Permission.PEOPLE_ROLES,
    "/admin/person/role": Permission.PEOPLE_ROLES,
    "/admin/roles": Permission.PEOPLE_READ,
    "/admin/session/end": Permission.SESSIONS_END,
    "/admin/sessions/end": Permission.SESSIONS_END,
    "/admin/server": Permission.SERVERS_READ,
    "/admin/server/examine": Permission.SERVERS_EDIT,
    "/admin/server/agree": Permission.SERVERS_EDIT,
    "/admin/server/edit": Permission.SERVERS_EDIT,
    "/admin/server/suspend": Permission.SERVERS_EDIT,
    "/admin/servers": Permission.SERVERS_READ,
}
EVERY_TAB = [
    "Overview", "Approvals", "Clients", "Grants", "Servers", "Tool calls", "Attempts", "Policies", "People", "Keys",
    "Audit", "Settings",
]  # fmt: skip
TABS = {
    Role.OWNER: EVERY_TAB,
    Role.ADMIN: EVERY_TAB,
    Role.AUDITOR: EVERY_TAB,
    Role.SUPPORT: ["Overview", "Approvals", "Clients", "Grants", "Servers", "Attempts", "Policies", "People"],
}


def routes(site: Site) -> list[tuple[str, str]]:
    """Each route of the console with each method that it takes."""
    found = [rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("admin.")]
    return sorted((rule.rule, method) for rule in found for method in (rule.methods or set()) - {"OPTIONS"})


def test_the_table_of_this_test_has_every_route(site: Site):
    assert {path for path, _ in routes(site)} == OPEN_TO.keys()


@pytest.mark.parametrize("role", list(Role))
def test_each_route_is_open_to_the_roles_of_its_permission_and_to_no_other(site: Site, signed_in_as: As, role: Role):
    browser = signed_in_as(role)
    for path, method in routes(site):
        answer = browser.http.open(path, method=method, data={"csrf_token": "x"} if method == "POST" else None)
        is_open = answer.status_code in {200, 400, 404}  # nothing is named, and the token is wrong
        assert is_open if role in opening(OPEN_TO[path]) else answer.status_code == 403, f"{method} {path}"


@pytest.mark.requirement("AZ-10")
def test_no_act_is_begun_without_the_token_of_its_form(site_with: Callable[..., Site]):
    site = site_with()
    begun: list[str] = []
    browser = Visitor(site, "root")
    browser.open("/sign-in")
    acts = {rule.endpoint: rule.rule for rule in site.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    acts = {endpoint: path for endpoint, path in acts.items() if endpoint.startswith("admin.")}
    for endpoint in acts:
        view = site.app.view_functions[endpoint]
        site.app.view_functions[endpoint] = wraps(view)(partial(begun.append, endpoint))
    for path in acts.values():
        for sent in ({}, {"csrf_token": "x"}):
            assert browser.http.post(f"{path}?id=x", data=sent).status_code in {400, 404}, path
    assert len(acts) > 20
    assert not begun


def test_a_route_that_names_no_permission_is_open_to_nobody(site_with: Callable[..., Site]):
    site = site_with()
    site.app.view_functions["admin.keys"] = lambda: "what it would show"
    browser = Visitor(site, "root")
    browser.open("/sign-in")
    assert browser.http.get("/admin/keys").status_code == 403
    assert ">Keys</a>" not in browser.http.get("/admin").text


def test_who_may_not_open_a_page_is_told_which_role_it_takes_and_whom_to_ask(signed_in_as: As):
    said = words(signed_in_as(Role.SUPPORT).http.get("/admin/audit"))
    assert "It is for the role owner, admin or auditor. Your role is support." in said
    assert "ask an owner of this server" in said


@pytest.mark.parametrize("role", list(TABS))
def test_the_navigation_has_what_the_role_may_open(signed_in_as: As, role: Role):
    page = signed_in_as(role).http.get("/admin").text
    (tabs,) = re.findall(r'<ul class="tabs">(.*?)</ul>', page, re.DOTALL)
    assert re.findall(r'<li><a href="/admin[^>]*>([^<]+)</a>', tabs) == TABS[role]
    assert ("What happened last" in page) is (role is not Role.SUPPORT)


def test_no_page_shows_a_link_into_the_console_that_its_role_cannot_open(site: Site, signed_in_as: As, flow, visitor):
    flow.tokens(visitor)
    ada = site.deployment.stores.users.by_name("ada")
    queries = {
        "/admin/client": f"id={flow.values['client_id']}",
        "/admin/server": "id=http://localhost:9001/mcp",
        "/admin/person": f"id={ada.id}",
        "/admin/person/disable": f"id={ada.id}",
        "/admin/grants/revoke": f"user={ada.id}",
    }
    for role in TABS:
        browser = signed_in_as(role)
        for path in (path for path, method in routes(site) if method == "GET"):
            page = browser.http.get(f"{path}?{queries.get(path, '')}")
            for link in set(re.findall(r'href="(/admin[^"?#]*)', page.text)) if page.status_code == 200 else ():
                assert role in opening(OPEN_TO[link]), f"{path} as {role} has a link to {link}"


def test_the_door_leads_into_the_console_whoever_has_a_role_in_it(signed_in_as: As):
    for role in Role:
        assert ("Open the console" in signed_in_as(role).http.get("/").text) is (role is not Role.MEMBER)


def test_a_new_role_counts_in_sessions_that_are_open(site: Site, signed_in_as: As):
    browser, users = signed_in_as(Role.AUDITOR), site.deployment.stores.users
    person = users.by_name("some-auditor")
    users.set_role(person.id, Role.MEMBER, Role.AUDITOR, Event("user.role_given", "system"))
    assert browser.http.get("/admin").status_code == 403
    users.set_role(person.id, Role.AUDITOR, Role.MEMBER, Event("user.role_given", "system"))
    assert browser.http.get("/admin").status_code == 200
