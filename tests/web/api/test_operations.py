"""What the operations do: the journeys of an administrator by the API alone, pages, conditions, and bad input."""

import json
from typing import Any

import pytest
from sqlalchemy import update

from authserver.protocol import own_api
from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Event
from authserver.protocol.credential import digest
from authserver.protocol.role import Permission, Role
from authserver.services.own_api import enable
from authserver.store.alerts import Alert
from authserver.store.models import ClientRow, SessionRow
from authserver.store.sessions import Staying
from authserver.web.admin.roles import ACTS
from tests.conformance.flow import Flow
from tests.conformance.site import ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor
from tests.web.api.conftest import EVENT, Robot, robot_of
from tests.web.pages.factor_owner import Person


def person(site: Site, username: str, role: Role = Role.MEMBER) -> str:
    added = site.deployment.stores.users.add(username, username.title(), "x", role, EVENT)
    return added.id


def newest_event(robot: Robot, **which: str) -> dict[str, Any]:
    found = robot.get("/audit", limit=1, **which)
    assert found.status_code == 200, found.text
    return found.json["items"][0]


def test_a_new_client_is_seen_approved_and_its_grant_watched_and_revoked(
    site: Site, robot: Robot, flow: Flow, visitor: Visitor
) -> None:
    flow.register()
    client_id = flow.values["client_id"]
    lines = robot.get("/clients", q=client_id).json["items"]
    assert [(line["client_id"], line["live_grants"]) for line in lines] == [(client_id, 0)]
    tokens = flow.tokens(visitor)
    grant = robot.get("/grants", q=client_id).json["items"][0]
    assert (grant["username"], grant["resource"], grant["revoked_at"]) == ("ada", NOTES.identifier, None)
    one = robot.get("/grant", id=grant["id"])
    assert one.json == grant
    assert robot.post("/grant/revoke", id=grant["id"], headers={"If-Match": one.headers["ETag"]}).status_code == 204
    assert robot.get("/grant", id=grant["id"]).json["revoked_at"]
    assert flow.refresh(refresh_token=tokens["refresh_token"]).status_code == 400
    event = newest_event(robot, grant_id=grant["id"], name="grant.revoked")
    assert event["actor"] == f"client:{robot.client_id}"


def test_a_waiting_client_is_approved_as_it_was_seen_or_not_at_all(site: Site, robot: Robot, flow: Flow) -> None:
    flow.register()
    client_id = flow.values["client_id"]
    clients = site.deployment.stores.clients
    _let_wait(site, client_id)
    seen = robot.get("/client", id=client_id)
    assert seen.json["waiting"]
    assert client_id in [line["client_id"] for line in robot.get("/clients", waiting="true").json["items"]]
    waits = robot.get("/approval", id=client_id)
    assert robot.post("/approval/approve", id=client_id).status_code == 428
    other = robot.post("/approval/approve", id=client_id, headers={"If-Match": '"other"'})
    assert other.status_code == 412
    approved = robot.post("/approval/approve", id=client_id, headers={"If-Match": waits.headers["ETag"]})
    assert approved.status_code == 204
    found = clients.find_fresh(client_id)
    assert found is not None
    assert not found.pending
    again = {"If-Match": waits.headers["ETag"]}
    assert robot.post("/approval/approve", id=client_id, headers=again).status_code == 404
    assert robot.post("/approval/deny", id=client_id, headers=again).status_code == 404


def test_what_waits_is_listed_and_decided_as_it_was_seen(site: Site, robot: Robot) -> None:
    first, second = Flow(site), Flow(site)
    for each in (first, second):
        each.register()
        _let_wait(site, each.values["client_id"])
    ids = [each.values["client_id"] for each in (first, second)]
    listed = {line["id"]: line for line in robot.get("/approvals", kind="client", limit=200).json["items"]}
    assert set(ids) <= set(listed)
    assert listed[ids[0]]["expires_at"] - listed[ids[0]]["since"] == 14 * 86_400
    for client_id, act, event in ((ids[0], "approve", "client.approved"), (ids[1], "deny", "client.refused")):
        about = {"kind": "client", "id": client_id}
        assert robot.post(f"/approval/{act}", **about).status_code == 428
        assert robot.post(f"/approval/{act}", **about, headers={"If-Match": '"other"'}).status_code == 412
        seen = {"If-Match": robot.get("/approval", **about).headers["ETag"]}
        assert robot.post(f"/approval/{act}", **about, headers=seen).status_code == 204
        assert robot.post(f"/approval/{act}", **about, headers=seen).status_code == 404
        assert newest_event(robot, client_id=client_id, name=event)["actor"] == f"client:{robot.client_id}"
    assert robot.get("/approvals", kind="other").status_code == 404


def _let_wait(site: Site, client_id: str) -> None:
    with site.deployment.stores.database.transaction() as connection:
        waiting = update(ClientRow).where(ClientRow.client_id == client_id).values(pending_since=1)
        connection.execute(waiting)


def test_a_client_is_suspended_let_act_again_and_deleted(site: Site, robot: Robot, flow: Flow) -> None:
    flow.register()
    client_id = flow.values["client_id"]
    for path, suspended in (("/client/suspend", True), ("/client/suspend", True), ("/client/resume", False)):
        assert robot.post(path, id=client_id).status_code == 204
        assert robot.get("/client", id=client_id).json["suspended"] is suspended
    assert robot.call("DELETE", "/client", id=client_id).status_code == 204
    assert robot.call("DELETE", "/client", id=client_id).status_code == 404
    assert robot.get("/client", id=client_id).status_code == 404


def test_browsers_that_stay_signed_in_are_listed_though_they_are_closed_and_ended(site: Site, robot: Robot) -> None:
    person, stores = Person(site).user, site.deployment.stores
    for name in ("open", "closed"):
        staying = Staying(digest(name), digest(f"secret of {name}"), 600)
        stores.sessions.open(digest(f"session of {name}"), person.id, 600, "192.0.2.7", EVENT, staying=staying)
    with stores.database.transaction() as connection:
        closed = update(SessionRow).where(SessionRow.digest == digest("session of closed"))
        connection.execute(closed.values(expires_at=1))
    found = robot.get("/person/sessions", id=person.id).json
    assert [line["id"] for line in found["items"]] == [digest("session of open").hex()]
    (resting,) = found["resting"]
    assert (resting["id"], resting["address"]) == (digest("closed").hex(), "192.0.2.7")
    for status in (204, 404):
        ended = robot.call("DELETE", "/person/session", id=person.id, session=resting["id"])
        assert ended.status_code == status
    found = robot.get("/person/sessions", id=person.id).json
    assert (len(found["items"]), found["resting"]) == (1, [])


def test_second_factors_that_were_lost_are_removed(site: Site, robot: Robot) -> None:
    person = Person(site)
    person.add_app()
    assert robot.call("DELETE", "/person/factors", id=person.user.id).json == {"removed": 1}
    assert robot.call("DELETE", "/person/factors", id=person.user.id).json == {"removed": 0}
    assert "You are signed in" in person.elsewhere().open("/sign-in").text


def test_someone_who_leaves_is_locked_out_of_everything_at_once(site: Site, robot: Robot, flow: Flow) -> None:
    leaving = Visitor(site)
    tokens = flow.tokens(leaving)
    people = robot.get("/people", q="ada").json["items"]  # random names may have it in them too
    found = next(each for each in people if each["username"] == "ada")
    assert robot.get("/person/sessions", id=found["id"]).json["items"]
    try:
        assert robot.post("/person/disable", id=found["id"]).status_code == 204
        assert robot.get("/person", id=found["id"]).json["disabled"]
        assert robot.get("/person/sessions", id=found["id"]).json["items"] == []
        assert flow.refresh(refresh_token=tokens["refresh_token"]).status_code == 400
        own = [each for each in robot.get("/grants", q="ada").json["items"] if each["user_id"] == found["id"]]
        assert own
        assert all(each["revoked_at"] for each in own)
    finally:
        assert robot.post("/person/enable", id=found["id"]).status_code == 204


def test_all_grants_of_one_are_revoked_and_of_nobody_else(site: Site, robot: Robot, flow: Flow) -> None:
    flow.tokens(Visitor(site))
    other = Flow(site)
    other.tokens(Visitor(site))
    ended = robot.post("/grants/revoke", client=flow.values["client_id"])
    assert ended.json == {"revoked": 1, "left": False}
    assert robot.get("/grants", q=flow.values["client_id"]).json["items"][0]["revoked_at"]
    assert robot.get("/grants", q=other.values["client_id"]).json["items"][0]["revoked_at"] is None
    for wrong in ({}, {"user": "x", "client": "y"}):
        assert robot.post("/grants/revoke", **wrong).status_code == 400


def test_a_client_acts_on_nobody_high_and_makes_nobody_so(site: Site, robot: Robot) -> None:
    member, high = person(site, "low"), person(site, "high", Role.ADMIN)

    def give(person: str, role: str) -> int:
        seen = robot.as_seen("/person", id=person)
        return robot.call("PUT", "/person/role", id=person, json={"role": role}, headers=seen).status_code

    assert give(member, "support") == 204
    assert robot.get("/person", id=member).json["role"] == "support"
    assert newest_event(robot, user_id=member)["detail"] == {"from": "member", "to": "support"}
    for role in ("owner", "admin"):
        assert give(member, role) == 409
    assert give(high, "member") == 409
    for method, path in (("POST", "/person/disable"), ("DELETE", "/person/sessions")):
        assert robot.call(method, path, id=high).status_code == 409
    assert give(member, "king") == 400


def test_servers_keys_and_alerts_are_told(site: Site, robot: Robot) -> None:
    assert NOTES.identifier in [each["identifier"] for each in robot.get("/servers").json["items"]]
    one = robot.get("/server", id=NOTES.identifier).json
    assert [each["name"] for each in one["scopes"]] == [scope.name for scope in NOTES.scopes]
    assert {each["name"] for each in one["tools"]} == {tool.name for tool in NOTES.tools}
    keys = robot.get("/keys").json["items"]
    assert {"signing", "standby"} <= {each["state"] for each in keys}
    assert "sealed_private" not in json.dumps(keys)
    raised = Alert(AlertKind.MANY_CALLS, NOTES.identifier, tool="x")
    site.deployment.stores.alerts.raise_new([raised], EVENT)
    assert raised.id in [each["id"] for each in robot.get("/alerts", limit=200).json["items"]]
    assert robot.post("/alert/dismiss", id=raised.id).status_code == 204
    assert robot.post("/alert/dismiss", id=raised.id).status_code == 404
    assert robot.post("/alert/dismiss", id=raised.id, older="true").status_code == 404
    same = [Alert(AlertKind.MANY_CALLS, NOTES.identifier, tool=tool) for tool in "yz"]
    site.deployment.stores.alerts.raise_new(same, EVENT)
    newest = next(each for each in robot.get("/alerts", limit=200).json["items"] if each["kind"] == "many_calls")
    assert robot.post("/alert/dismiss", id=newest["id"], older="true").status_code == 204
    assert "many_calls" not in [each["kind"] for each in robot.get("/alerts", limit=200).json["items"]]
    assert robot.get("/calls").json == {"items": [], "next": None}


def test_keys_are_rotated_and_withdrawn(site_with) -> None:
    site = site_with()
    enable(site.deployment.stores.resources, ISSUER, ACTS, EVENT)
    robot = robot_of(site, *Permission)
    assert robot.post("/keys/rotate").json["kids"]
    withdrawn = robot.post("/keys/withdraw")
    assert withdrawn.json["withdrawn"] > 0
    assert withdrawn.json["kids"]
    # The token that asked for it was signed by one of them.
    assert robot.get("/keys").status_code == 401


def test_a_list_is_read_page_by_page_without_loss(site: Site, robot: Robot) -> None:
    for number in range(5):
        site.deployment.stores.audit.write(Event("page.turned", "system", client_id=f"{robot.client_id}{number}"))
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = robot.get("/audit", name="page.turned", limit=2, **after).json
        seen += [each["client_id"] for each in page["items"] if each["client_id"].startswith(robot.client_id)]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == [f"{robot.client_id}{number}" for number in reversed(range(5))]


def test_what_has_not_changed_is_not_sent_again(robot: Robot) -> None:
    first = robot.get("/server", id=NOTES.identifier)
    again = robot.get("/server", id=NOTES.identifier, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("path", "query", "member"),
    [
        ("/clients", "limit=0", "limit"),
        ("/clients", "limit=201", "limit"),
        ("/clients", "limit=x", "limit"),
        ("/clients", "after=x", "after"),
        ("/clients", "q=" + "x" * 201, "q"),
        ("/clients", "q=%00", "q"),
        ("/clients", "other=1", "other"),
        ("/client", "", "id"),
        ("/client", "id=", "id"),
        ("/client", "id=%20", "id"),
        ("/client", "id=" + "x" * 2049, "id"),
    ],
)
def test_a_parameter_that_is_wrong_is_named_and_not_repeated(robot: Robot, path: str, query: str, member: str) -> None:
    answer = _raw(robot, f"{path}?{query}")
    assert answer.status_code == 400
    assert [each["member"] for each in answer.json["errors"]] == [member]
    assert "x" * 100 not in answer.text


@pytest.mark.parametrize("query", ["limit=1&limit=2", "q=%ff", "&".join(f"a{number}=1" for number in range(30))])
def test_a_query_that_cannot_be_read_is_refused(robot: Robot, query: str) -> None:
    assert _raw(robot, f"/clients?{query}").status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"role":"member","role":"owner"}', b'{"role":1}', b"\xff"])
def test_a_body_that_is_wrong_is_refused(site: Site, robot: Robot, body: bytes) -> None:
    client = site.app.test_client(use_cookies=False)
    answer = client.put(
        f"{own_api.PATH}/person/role?id=x",
        data=body,
        headers={"Authorization": f"Bearer {robot.token}", "Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_other_paths_and_methods_are_told_apart(robot: Robot) -> None:
    assert robot.get("/nothing").status_code == 404
    wrong = robot.call("PATCH", "/clients")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET")
    assert robot.call("HEAD", "/clients").status_code == 200


def _raw(robot: Robot, address: str):
    client = robot.site.app.test_client(use_cookies=False)
    return client.get(own_api.PATH + address, headers={"Authorization": f"Bearer {robot.token}"})
