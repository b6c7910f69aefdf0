"""What only looks: the overview, settings, attempts to connect, roles and groups, clients' pasts, rules looked over."""

import secrets
from dataclasses import replace

import pytest

from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Event
from authserver.protocol.role import Permission, Role
from authserver.services.own_api import enable
from authserver.store.alerts import Alert
from authserver.web.admin.roles import ACTS
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor
from tests.traces.telling import reference_on, told
from tests.web.api.conftest import EVENT, Robot, robot_of
from tests.web.pages.test_console_clients import crowd

RULE = {"name": "no writing", "effect": "deny", "who": ["user:nobody-is-called-so"], "tools": ["write_note"]}


@pytest.fixture
def own(site_with) -> Robot:
    """A client that may do everything at a site of its own, which nobody else has left anything at."""
    site: Site = site_with()
    enable(site.deployment.stores.resources, ISSUER, ACTS, EVENT)
    return robot_of(site, *Permission)


def test_the_overview_tells_what_needs_attention_as_far_as_the_token_opens_it(own: Robot) -> None:
    own.site.deployment.stores.alerts.raise_new([Alert(AlertKind.MANY_CALLS, NOTES.identifier)], EVENT)
    Flow(own.site).tokens(Visitor(own.site))
    found = own.get("/overview").json
    assert {"matter": "alerts", "number": 1, "more": False, "about": ""} in found["concerns"]
    assert found["counts"]["grants"] == 1
    assert [len(found[name]["figures"]["tokens"]) for name in ("hours", "days")] == [24, 30]
    assert found["hours"]["since"] % 3600 == found["days"]["since"] % 86_400 == 0
    blind = robot_of(own.site, Permission.OVERVIEW_READ)
    assert blind.get("/overview").json["concerns"] == []


def test_settings_are_told_with_their_source_and_without_secrets(site_with) -> None:
    site: Site = site_with(mail_password="of the mail server")
    enable(site.deployment.stores.resources, ISSUER, ACTS, EVENT)
    answer = robot_of(site, Permission.SETTINGS_READ).get("/settings")
    found = {each["name"]: each for each in answer.json["items"]}
    assert found["issuer"]["value"] == ISSUER
    assert {each["source"] for each in found.values()} <= {"default", "file", "environment"}
    assert found["mail_password"]["value"] == "set"
    assert "of the mail server" not in answer.text


def test_an_attempt_is_found_by_its_reference_and_told_step_by_step(own: Robot) -> None:
    flow = Flow(own.site)
    flow.register({**PUBLIC, "redirect_uris": ["https://app.example/cb"]})
    page = own.site.get(flow.url(redirect_uri="https://app.example/cb", scope="invented"))
    reference = reference_on(page)
    told(own.site, reference)
    (line,) = own.get("/traces", client_id=flow.values["client_id"]).json["items"]
    assert line["verdict"] == "failed"
    one = own.get("/trace", id=reference).json
    assert one["id"] == line["id"]
    assert one["steps"][-1]["happened"] == one["happened"] == line["happened"] != ""
    assert one["steps"][-1]["remedy"]
    assert own.get("/traces", client_id="other").json["items"] == []
    every = own.get("/traces", client_id=flow.values["client_id"], failed="false").json["items"]
    assert line["id"] in [each["id"] for each in every]
    assert own.get("/trace", id="AAAAA-AAAAA").status_code == 404


def test_how_busy_tools_are_is_told_of_one_server_or_of_all(robot: Robot) -> None:
    assert robot.get("/calls/volumes").json == {"items": []}
    assert robot.get("/calls/volumes", resource=NOTES.identifier).json == {"items": []}


def test_what_each_role_opens_is_told_and_which_groups_there_are(site: Site, robot: Robot) -> None:
    roles = {each["role"]: each["permissions"] for each in robot.get("/roles").json["items"]}
    assert set(roles) == set(Role)
    assert (len(roles["owner"]), roles["member"]) == (len(Permission), [])
    group, user = secrets.token_hex(4), site.deployment.stores.users.by_name("ada")
    assert user
    site.deployment.stores.groups.add(user.id, group, EVENT)
    assert {"name": group, "people": 1} in robot.get("/groups").json["items"]
    assert [each["username"] for each in robot.get("/group", name=group).json["items"]] == ["ada"]
    site.deployment.stores.groups.remove(user.id, group, EVENT)
    assert robot.get("/group", name=group).json["items"] == []


def test_a_client_tells_how_it_came_and_what_of_it_changed(site: Site, robot: Robot, flow: Flow) -> None:
    flow.register({**PUBLIC, "client_name": "Before", "contacts": ["ops@app.example"]})
    client_id = flow.values["client_id"]
    assert robot.get("/client", id=client_id).json["metadata"]["contacts"] == ["ops@app.example"]
    clients = site.deployment.stores.clients
    found = clients.find_fresh(client_id)
    assert found
    clients.update(replace(found, name="After"), Event("client.updated", "system"))
    history = robot.get("/client/history", id=client_id).json
    assert history["arrival"]["event"] == "client.registered"
    assert history["last_used_at"] is None
    (revision,) = history["revisions"]
    assert (revision["event"], revision["actor"]) == ("client.updated", "system")
    assert revision["differences"] == [{"name": "name", "gone": ["Before"], "new": ["After"]}]
    assert robot.get("/client/history", id="nobody").status_code == 404


def test_registrations_that_are_alike_are_listed_and_end_together(own: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = crowd(own.site, "Crowd", 3)
    answer = own.get("/clients/alike").json
    (group,) = answer["items"]
    assert (group["name"], group["unused"], answer["unused"]) == ("Crowd", 3, 3)
    assert {each["client_id"] for each in own.get("/clients", group=group["id"]).json["items"]} == set(ids)
    assert own.get("/clients", group="!").json["items"] == []
    monkeypatch.setattr("authserver.web.api.alike.BULK_SECONDS", 0.0)
    monkeypatch.setattr("authserver.services.reaper.BATCH", 2)
    assert own.call("DELETE", "/clients/group", id=group["id"]).json == {"deleted": 2, "left": True}
    assert own.call("DELETE", "/clients/group", id=group["id"]).json == {"deleted": 1, "left": False}
    for gone in (group["id"], "!", "A"):
        assert own.call("DELETE", "/clients/group", id=gone).status_code == 404


@pytest.mark.parametrize(
    ("path", "member"),
    [
        *(("/audit", name) for name in ("name", "outcome", "user_id", "resource", "actor", "correlation_id")),
        *(("/calls", name) for name in ("user_id", "tool")),
        *(("/grants", name) for name in ("user", "client", "resource", "scope")),
        *(("/traces", name) for name in ("client_id", "user_id")),
        ("/calls/volumes", "resource"),
        ("/group", "name"),
    ],
)
def test_each_list_is_narrowed_by_what_has_no_odd_characters(robot: Robot, path: str, member: str) -> None:
    refused = robot.get(path, **{member: "a\x00b"})
    assert (refused.status_code, refused.json["errors"][0]["member"]) == (400, member)
    assert robot.get(path, **{member: "nobody"}).json["items"] == []


def test_rules_are_looked_over_and_nothing_is_changed(robot: Robot) -> None:
    before = robot.get("/policies").json
    found = robot.post("/policies/look", json={"rules": [RULE]}).json
    assert found["version"] == before["version"]
    assert [line.split(":")[0] for line in found["changes"]] == ["+ no writing"]
    assert "no writing: there is no user 'nobody-is-called-so'" in found["doubts"]
    assert robot.post("/policies/look", json={"rules": [{"effect": "permit"}]}).status_code == 400
    assert robot.get("/policies").json == before
