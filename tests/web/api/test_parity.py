"""Whatever the console does, the API and the command line do: no page without the operations and commands beside it."""

import click
import pytest

from authserver.cli import main
from authserver.web.admin.attention import PLACES
from authserver.web.api import OPERATIONS
from authserver.web.api.overview import OPEN_TO as MATTERS
from tests.conformance.site import Site
from tests.web.pages.test_roles import OPEN_TO

WAYS = {
    "/admin": ("GET /overview", "overview"),
    "/admin/alerts": ("GET /alerts", "alert list"),
    "/admin/alert/dismiss": ("POST /alert/dismiss", "alert dismiss"),
    "/admin/approvals": ("GET /approvals, GET /approval", "approval list"),
    "/admin/approval/approve": ("POST /approval/approve", "approval approve"),
    "/admin/approval/deny": ("POST /approval/deny", "approval deny"),
    "/admin/audit": ("GET /audit", "audit list"),
    "/admin/calls": ("GET /calls, GET /calls/volumes", "call list, call volumes"),
    "/admin/trace": ("GET /trace", "trace show"),
    "/admin/traces": ("GET /traces", "trace list"),
    "/admin/clients": ("GET /clients", "client list"),
    "/admin/clients/alike": ("GET /clients/alike", "client alike"),
    "/admin/clients/group": ("GET /clients", "client alike"),
    "/admin/clients/group/delete": ("DELETE /clients/group", "client alike-delete"),
    "/admin/client": ("GET /client, GET /client/history", "client show, client history"),
    "/admin/client/secret": ("POST /client/secret", "client rotate-secret"),
    "/admin/client/suspend": ("POST /client/suspend, POST /client/resume", "client suspend, client resume"),
    "/admin/client/delete": ("DELETE /client", "client remove"),
    "/admin/grants": ("GET /grants", "grant list"),
    "/admin/grant": ("GET /grant, GET /grant/families", "grant families"),
    "/admin/grants/token": ("POST /token/find", "grant whose"),
    "/admin/grant/family/revoke": ("POST /family/revoke", "grant revoke-family"),
    "/admin/grant/revoke": ("POST /grant/revoke", "grant revoke"),
    "/admin/grants/revoke": ("POST /grants/revoke", "grant revoke"),
    "/admin/domains": ("GET /domains, GET /domain", "domain list"),
    "/admin/domain": (
        "GET /domain, PUT /domain, DELETE /domain",
        "domain allow, domain ask, domain deny, domain forget",
    ),
    "/admin/emergency": ("POST /keys/withdraw", "keys rotate"),
    "/admin/emergency/grants": ("POST /grants/revoke", "grant revoke"),
    "/admin/keys": ("GET /keys", "keys list"),
    "/admin/keys/rotate": ("POST /keys/rotate", "keys rotate"),
    "/admin/key/withdraw": ("POST /key/withdraw", "keys withdraw"),
    "/admin/people": ("GET /people", "user list"),
    "/admin/person": ("GET /person, GET /person/sessions", "user show"),
    "/admin/person/factors": ("DELETE /person/factors", "user remove-factors"),
    "/admin/people/invite": ("POST /invitations", "user invite"),
    "/admin/invitations": ("GET /invitations", "user invitations"),
    "/admin/invitation/withdraw": ("DELETE /invitation", "user withdraw-invitation"),
    "/admin/person/disable": ("POST /person/disable, POST /person/enable", "user disable, user enable"),
    "/admin/person/groups": ("PUT /person/groups, GET /groups", "user join, user leave, user groups"),
    "/admin/person/role": ("PUT /person/role", "user role"),
    "/admin/groups": ("GET /groups, GET /group", "user groups"),
    "/admin/roles": ("GET /roles", ""),  # the same at every server, so it is told by the documentation
    "/admin/session/end": ("DELETE /person/session", "user sessions end"),
    "/admin/sessions/end": ("DELETE /person/sessions", "user sessions end"),
    "/admin/policies": ("GET /policies, POST /policies/explain", "policy list, policy explain"),
    "/admin/policies/edit": (
        "POST /policies/look, POST /policies/replay, PUT /policies",
        "policy apply, policy replay",
    ),
    "/admin/policies/requests": ("GET /policies/requests, GET /policies/request", "policy requests"),
    "/admin/policies/request/withdraw": ("POST /policies/request/withdraw", "policy withdraw"),
    "/admin/servers": ("GET /servers", "resource list"),
    "/admin/server": ("GET /server", "resource show"),
    "/admin/server/edit": ("PUT /server", "resource edit"),
    "/admin/server/examine": ("POST /server/examine", "doctor"),
    "/admin/server/suspend": ("POST /server/suspend, POST /server/resume", "resource suspend, resource resume"),
    "/admin/server/agree": ("POST /server/agree", "resource agree"),
    "/admin/settings": ("GET /settings", "settings"),
}


def test_every_page_of_the_console_is_in_the_table(site: Site) -> None:
    routes = {rule.rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("admin.")}
    assert set(WAYS) == routes


def test_every_page_has_operations_that_there_are() -> None:
    known = {f"{each.method} {each.path}" for each in OPERATIONS}
    wanted = {name for operations, _ in WAYS.values() for name in operations.split(", ")}
    assert wanted - known == set()


@pytest.mark.parametrize("page", WAYS)
def test_what_opens_a_page_opens_an_operation_for_it(page: str) -> None:
    operations = WAYS[page][0].split(", ")
    found = [each for each in OPERATIONS if f"{each.method} {each.path}" in operations]
    assert OPEN_TO[page] in {each.permission for each in found}.union(*(each.also for each in found))


def test_every_page_has_commands_that_there_are() -> None:
    wanted = {name for _, commands in WAYS.values() for name in commands.split(", ") if name}
    assert {name for name in wanted if not is_command(name)} == set()


def is_command(name: str) -> bool:
    found: click.Command | None = main
    for word in name.split():
        found = found.commands.get(word) if isinstance(found, click.Group) else None
    return found is not None


def test_what_needs_attention_is_told_to_whom_its_page_is_open() -> None:
    pages = {matter: f"/admin/{place.endpoint.removeprefix('admin.')}" for matter, place in PLACES.items()}
    pages = {matter: page.replace("alike_clients", "clients/alike") for matter, page in pages.items()}
    assert {matter: OPEN_TO[page] for matter, page in pages.items()} == MATTERS
