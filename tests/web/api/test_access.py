"""Who gets in: a token of a client for itself, for this API, with the scope that the operation names (EX-1)."""

from collections.abc import Callable

import pytest

from authserver.protocol import own_api
from authserver.protocol.role import Permission
from authserver.services.own_api import enable
from authserver.web.admin.roles import ACTS
from authserver.web.api import OPERATIONS
from authserver.web.api.operation import AnyOperation
from tests.conformance.flow import Flow
from tests.conformance.site import ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor
from tests.web.api.conftest import EVENT, RESOURCE, Robot, robot_of
from tests.web.backchannel.test_client_credentials import machine

pytestmark = pytest.mark.requirement("EX-1")

OPEN_TO = {
    "GET /overview": Permission.OVERVIEW_READ,
    "GET /settings": Permission.SETTINGS_READ,
    "GET /clients": Permission.CLIENTS_READ,
    "GET /client": Permission.CLIENTS_READ,
    "POST /client/suspend": Permission.CLIENTS_EDIT,
    "POST /client/resume": Permission.CLIENTS_EDIT,
    "PUT /client": Permission.CLIENTS_EDIT,
    "POST /client/secret": Permission.CLIENTS_SECRETS,
    "DELETE /client": Permission.CLIENTS_DELETE,
    "GET /client/history": Permission.CLIENTS_READ,
    "GET /clients/alike": Permission.CLIENTS_READ,
    "DELETE /clients/group": Permission.CLIENTS_DELETE,
    "GET /grants": Permission.GRANTS_READ,
    "GET /grant": Permission.GRANTS_READ,
    "POST /grant/revoke": Permission.GRANTS_REVOKE,
    "POST /grants/revoke": Permission.GRANTS_REVOKE_ALL,
    "POST /token/find": Permission.GRANTS_READ,
    "GET /grant/families": Permission.GRANTS_READ,
    "POST /family/revoke": Permission.GRANTS_REVOKE,
    "GET /people": Permission.PEOPLE_READ,
    "GET /person": Permission.PEOPLE_READ,
    "GET /person/sessions": Permission.PEOPLE_READ,
    "DELETE /person/sessions": Permission.SESSIONS_END,
    "DELETE /person/session": Permission.SESSIONS_END,
    "POST /person/disable": Permission.PEOPLE_EDIT,
    "POST /person/enable": Permission.PEOPLE_EDIT,
    "PUT /person/role": Permission.PEOPLE_ROLES,
    "PUT /person/groups": Permission.PEOPLE_ROLES,
    "GET /roles": Permission.PEOPLE_READ,
    "GET /groups": Permission.PEOPLE_READ,
    "GET /group": Permission.PEOPLE_READ,
    "GET /invitations": Permission.PEOPLE_READ,
    "POST /invitations": Permission.PEOPLE_INVITE,
    "DELETE /invitation": Permission.PEOPLE_INVITE,
    "DELETE /person/factors": Permission.PEOPLE_EDIT,
    "GET /servers": Permission.SERVERS_READ,
    "GET /server": Permission.SERVERS_READ,
    "PUT /server": Permission.SERVERS_EDIT,
    "DELETE /server": Permission.SERVERS_EDIT,
    "POST /server/suspend": Permission.SERVERS_EDIT,
    "POST /server/resume": Permission.SERVERS_EDIT,
    "POST /server/examine": Permission.SERVERS_EDIT,
    "POST /server/agree": Permission.SERVERS_EDIT,
    "GET /keys": Permission.KEYS_READ,
    "POST /keys/rotate": Permission.KEYS_ROTATE,
    "POST /key/withdraw": Permission.EMERGENCY,
    "POST /keys/withdraw": Permission.EMERGENCY,
    "GET /domains": Permission.POLICIES_READ,
    "GET /domain": Permission.POLICIES_READ,
    "PUT /domain": Permission.POLICIES_EDIT,
    "DELETE /domain": Permission.POLICIES_EDIT,
    "GET /policies": Permission.POLICIES_READ,
    "PUT /policies": Permission.POLICIES_EDIT,
    "POST /policies/look": Permission.POLICIES_EDIT,
    "POST /policies/explain": Permission.POLICIES_READ,
    "POST /policies/replay": Permission.POLICIES_READ,
    "GET /policies/requests": Permission.POLICIES_READ,
    "GET /policies/request": Permission.POLICIES_READ,
    "POST /policies/request/withdraw": Permission.APPROVALS_DECIDE,
    "GET /audit": Permission.AUDIT_READ,
    "GET /calls": Permission.CALLS_READ,
    "GET /calls/volumes": Permission.CALLS_READ,
    "GET /alerts": Permission.ALERTS_READ,
    "POST /alert/dismiss": Permission.ALERTS_DISMISS,
    "GET /traces": Permission.TRACES_READ,
    "GET /trace": Permission.TRACES_READ,
    "GET /approvals": Permission.APPROVALS_READ,
    "GET /approval": Permission.APPROVALS_READ,
    "POST /approval/approve": Permission.APPROVALS_DECIDE,
    "POST /approval/deny": Permission.APPROVALS_DECIDE,
}


def test_each_operation_is_open_to_what_this_table_says() -> None:
    """Callers are clients, which have no role: scope and operation are the matrix."""
    assert {named(each): each.permission for each in OPERATIONS} == OPEN_TO


def named(operation: AnyOperation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_each_operation_wants_its_scope_and_no_other_opens_it(site: Site, operation: AnyOperation) -> None:
    others = robot_of(site, *(each for each in Permission if each is not operation.permission))
    answer = others.call(operation.method, operation.path)
    assert answer.status_code == 403
    scope = own_api.scope_of(operation.permission)
    assert f'error="insufficient_scope", scope="{scope}"' in answer.headers["WWW-Authenticate"]
    assert scope in answer.json["detail"]
    own = robot_of(site, operation.permission)
    assert own.call(operation.method, operation.path, id="nobody").status_code not in {401, 403, 500}


def test_every_permission_of_the_console_opens_something() -> None:
    opened = {each.permission for each in OPERATIONS}.union(*(each.also for each in OPERATIONS))
    assert set(Permission) - opened == set()


def test_without_a_token_the_challenge_tells_where_to_look(site: Site) -> None:
    answer = site.get(f"{own_api.PATH}/clients")
    assert answer.status_code == 401
    url = f"{ISSUER}/.well-known/oauth-protected-resource{own_api.PATH}"
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="authserver", resource_metadata="{url}"'
    metadata = site.get(url.removeprefix(ISSUER)).json
    assert metadata["resource"] == RESOURCE
    assert metadata["authorization_servers"] == [ISSUER]
    assert own_api.scope_of(Permission.GRANTS_REVOKE) in metadata["scopes_supported"]


@pytest.mark.parametrize("token", ["x", "a.b.c", "mcpa_" + "x" * 43, "", "é"])
def test_what_is_no_token_of_ours_is_refused(site: Site, robot: Robot, token: str) -> None:
    answer = Robot(site, robot.machine, token).get("/clients")
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"


def test_tokens_for_mcp_servers_and_of_people_do_not_open_it(site: Site, flow: Flow, visitor: Visitor) -> None:
    of_person = flow.tokens(visitor)["access_token"]
    elsewhere = machine(site).ask(resource=NOTES.identifier).json["access_token"]
    for token in (of_person, elsewhere):
        assert Robot(site, machine(site), token).get("/clients").status_code == 401


def test_nobody_gets_a_token_for_it_by_way_of_a_person(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.register()
    answer = visitor.open(flow.url(resource=RESOURCE, scope="admin:clients.read"))
    assert "error=invalid_target" in answer.location


def test_what_is_taken_from_a_client_is_taken_at_once(site: Site, robot: Robot) -> None:
    assert robot.get("/clients").status_code == 200
    robot.machine.allow("admin:grants.read", resource=_api(site))
    assert robot.get("/clients").status_code == 403
    assert robot.get("/grants").status_code == 200
    site.deployment.stores.clients.set_suspended(robot.client_id, True, EVENT)
    assert robot.get("/grants").status_code == 401


def _api(site: Site):
    return next(each for each in site.deployment.stores.resources.all() if each.identifier == RESOURCE)


def test_a_revoked_token_does_not_open_it(site: Site, robot: Robot) -> None:
    assert site.post("/revoke", data={"token": robot.token, **robot.machine.proof()}).status_code == 200
    assert robot.get("/clients").status_code == 401


def test_it_is_not_there_until_it_is_enabled(site_with: Callable[..., Site]) -> None:
    site = site_with()
    answer = site.get(f"{own_api.PATH}/clients")
    assert answer.status_code == 404
    assert "authserver api enable" in answer.json["detail"]
    stores = site.deployment.stores
    assert enable(stores.resources, ISSUER, ACTS, EVENT)
    assert not enable(stores.resources, ISSUER, ACTS, EVENT)
    assert site.get(f"{own_api.PATH}/clients").status_code == 401
    assert robot_of(site, Permission.CLIENTS_READ).get("/clients").status_code == 200


def test_cookies_open_nothing(site: Site) -> None:
    person = Visitor(site, "root")
    assert person.open("/admin").status_code == 200
    assert person.open(f"{own_api.PATH}/clients").status_code == 401
