"""Grants by what they are about, their refresh families, and what a value is that somebody found."""

import secrets

import pytest
from structlog.testing import capture_logs

from authserver.protocol.audit import Event
from authserver.protocol.role import Permission, Role
from authserver.services.own_api import enable
from authserver.services.token_lookup import LONGEST
from authserver.store.grants import GrantStore
from authserver.web.admin.roles import ACTS
from tests.conformance.flow import Flow
from tests.conformance.site import ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor
from tests.web.api.conftest import EVENT, Robot, robot_of
from tests.web.api.test_operations import newest_event


@pytest.fixture
def tokens(flow: Flow, visitor: Visitor) -> dict[str, str]:
    """The tokens of ada's newest grant."""
    flow.register()
    found: dict[str, str] = flow.tokens(visitor)
    return found


def grant_of(robot: Robot, flow: Flow) -> str:
    (line,) = robot.get("/grants", client=flow.values["client_id"]).json["items"]
    found: str = line["id"]
    return found


def test_grants_are_found_by_person_client_server_scope_and_whether_they_live(
    site: Site, robot: Robot, flow: Flow, tokens: dict[str, str]
) -> None:
    client_id, ada = flow.values["client_id"], site.deployment.stores.users.by_name("ada")
    assert ada
    grant_id = grant_of(robot, flow)

    def found(**which: str) -> bool:
        answer = robot.get("/grants", limit=200, **which)
        assert answer.status_code == 200, answer.text
        return grant_id in [each["id"] for each in answer.json["items"]]

    scope = tokens["scope"].split()[0]
    assert found(user=ada.id, client=client_id, resource=NOTES.identifier, scope=scope, live="true")
    for other in ({"user": "nobody"}, {"client": "other"}, {"resource": "https://no.example"}, {"scope": "no:scope"}):
        assert not found(**{"client": client_id, **other})
    assert robot.post("/grant/revoke", id=grant_id).status_code == 204
    assert found(client=client_id)
    assert not found(client=client_id, live="true")
    assert robot.get("/grants", q="ada", live="true").status_code == 400


def test_a_family_ends_with_its_tokens_and_its_grant_stays(robot: Robot, flow: Flow, tokens: dict[str, str]) -> None:
    grant_id = grant_of(robot, flow)
    (family,) = robot.get("/grant/families", id=grant_id).json["items"]
    assert (family["grant_id"], family["revoked_at"]) == (grant_id, None)
    for _ in range(2):
        assert robot.post("/family/revoke", id=family["id"]).status_code == 204
    assert robot.get("/grant/families", id=grant_id).json["items"][0]["revoked_at"]
    assert flow.refresh(refresh_token=tokens["refresh_token"]).status_code == 400
    assert robot.get("/grant", id=grant_id).json["revoked_at"] is None
    event = newest_event(robot, name="family.revoked", grant_id=grant_id)
    assert event["actor"] == f"client:{robot.client_id}"
    assert robot.post("/family/revoke", id="nothing").status_code == 404
    assert robot.get("/grant/families", id="nothing").status_code == 404


def test_a_value_that_somebody_found_is_looked_up_and_told_nowhere(
    robot: Robot, flow: Flow, tokens: dict[str, str]
) -> None:
    grant_id = grant_of(robot, flow)
    for name, kind in (("access_token", "access token"), ("refresh_token", "refresh token")):
        with capture_logs() as logs:
            answer = robot.post("/token/find", json={"token": f"Bearer {tokens[name]}"})
        assert answer.status_code == 200, answer.text
        assert (answer.json["kind"], answer.json["standing"], answer.json["grant_id"]) == (kind, "live", grant_id)
        assert tokens[name] not in answer.text + str(logs)
    assert robot.post("/token/find", json={"token": grant_id}).json["kind"] == "grant"
    assert robot.post("/token/find", json={"token": "\x00 é"}).json["kind"] == "unknown"
    secret = "mcpr_" + "x" * LONGEST
    for wrong in ({}, {"token": ""}, {"token": secret}, {"token": 1}):
        refused = robot.post("/token/find", json=wrong)
        assert refused.status_code == 400
        assert secret not in refused.text
    assert robot.get("/token/find", token="x").status_code == 405


def test_every_grant_ends_for_whom_the_emergency_is_open_to_alone(site_with) -> None:
    site: Site = site_with()
    enable(site.deployment.stores.resources, ISSUER, ACTS, EVENT)
    for _ in range(2):
        Flow(site).tokens(Visitor(site))
    helper = robot_of(site, Permission.GRANTS_READ, Permission.GRANTS_REVOKE_ALL)
    refused = helper.post("/grants/revoke", all="true")
    assert refused.status_code == 403
    assert 'scope="admin:emergency"' in refused.headers["WWW-Authenticate"]
    robot = robot_of(site, *Permission)
    assert robot.post("/grants/revoke", all="true", user="x").status_code == 400
    assert len(helper.get("/grants", live="true").json["items"]) == 2
    assert robot.post("/grants/revoke", all="true").json == {"revoked": 2, "left": False}
    assert helper.get("/grants", live="true").json["items"] == []


def test_a_client_of_very_many_grants_is_deleted_when_few_of_them_are_left(
    site: Site, robot: Robot, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):  # a grant for each device
        flow.tokens(Visitor(site))
    revoke_all, client_id = GrantStore.revoke_all, flow.values["client_id"]
    monkeypatch.setattr(GrantStore, "revoke_all", lambda *given: revoke_all(*given, limit=1))
    monkeypatch.setattr("authserver.services.mass_revocation.BATCH", 1)
    monkeypatch.setattr("authserver.web.api.clients.BULK_SECONDS", 0.0)
    told = robot.call("DELETE", "/client", id=client_id)
    assert (told.status_code, told.json["detail"]) == (
        409,
        "1 of its grants were revoked, and more are left: ask again to go on",
    )
    assert len(robot.get("/grants", client=client_id, live="true").json["items"]) == 2
    assert robot.call("DELETE", "/client", id=client_id).status_code == 204
    assert robot.get("/client", id=client_id).status_code == 404
    assert robot.get("/grants", client=client_id, live="true").json["items"] == []


def test_one_session_of_a_person_ends_and_nobody_elses(site: Site, robot: Robot) -> None:
    (bo, mine), (cy, other) = signed_in(site), signed_in(site)

    def end(person: str, session: str) -> int:
        return robot.call("DELETE", "/person/session", id=person, session=session).status_code

    assert end(bo, other) == 404
    assert end(bo, mine) == 204
    assert end(bo, mine) == 404
    assert robot.get("/person/sessions", id=bo).json["items"] == []
    assert [each["id"] for each in robot.get("/person/sessions", id=cy).json["items"]] == [other]
    root = site.deployment.stores.users.by_name("root")
    assert root
    assert end(root.id, other) == 409


def signed_in(site: Site) -> tuple[str, str]:
    """Somebody's id, and that of their session."""
    stores, name, digest = site.deployment.stores, secrets.token_hex(4), secrets.token_bytes(32)
    user = stores.users.add(name, name, "-", Role.MEMBER, EVENT)
    stores.sessions.open(digest, user.id, 600, "192.0.2.1", Event("sign_in.succeeded", f"user:{user.id}"))
    return user.id, digest.hex()
