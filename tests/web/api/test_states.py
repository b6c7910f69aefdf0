"""MCP servers are suspended, and domains decided about, by the API."""

import secrets
from typing import Any

import pytest

from authserver.protocol.audit import Event
from tests.conformance.site import NOTES, Site
from tests.web.api.conftest import RESOURCE, Robot
from tests.web.api.test_making import SERVER, put
from tests.web.api.test_operations import newest_event

EVENT = Event("test.done", "system")


@pytest.fixture
def own(site: Site, robot: Robot):
    """The identifier of a server of the test's own."""
    url = f"https://{secrets.token_hex(4)}.example/mcp"
    assert put(robot, "/server", {**SERVER, "url": url}).status_code == 200
    yield url
    site.deployment.stores.resources.remove(url, EVENT)


def test_a_server_is_suspended_stays_in_sight_and_is_resumed(robot: Robot, own: str) -> None:
    for act, suspended in (("suspend", True), ("suspend", True), ("resume", False), ("resume", False)):
        assert robot.post(f"/server/{act}", id=own).status_code == 204
        assert robot.get("/server", id=own).json["suspended"] is suspended
        (line,) = [each for each in robot.get("/servers").json["items"] if each["identifier"] == own]
        assert line["suspended"] is suspended
        assert newest_event(robot, name=f"resource.{act}{'d' if act == 'resume' else 'ed'}")["resource"] == own


def test_a_suspended_server_is_changed_and_stays_suspended(robot: Robot, own: str) -> None:
    robot.post("/server/suspend", id=own)
    seen = robot.as_seen("/server", id=own)["If-Match"]
    assert put(robot, "/server", {**SERVER, "url": own, "name": "Other"}, If_Match=seen).json == {"changed": ["name"]}
    found = robot.get("/server", id=own).json
    assert (found["name"], found["suspended"]) == ("Other", True)


def test_no_server_and_the_api_itself_are_told(robot: Robot) -> None:
    assert robot.post("/server/suspend", id="https://nowhere.example").status_code == 404
    assert robot.post("/server/suspend", id=RESOURCE).status_code == 409
    assert robot.get("/server", id=NOTES.identifier).json["suspended"] is False


def decide(robot: Robot, name: str, decision: str, **more: Any) -> Any:
    return robot.call("PUT", "/domain", json={"domain": name, "decision": decision}, **more)


@pytest.mark.requirement("CR-10")
def test_a_domain_is_decided_about_shown_and_forgotten(robot: Robot) -> None:
    name = f"d{secrets.token_hex(4)}.example"
    assert robot.get("/domain", id=name).status_code == 404
    for _ in range(2):
        assert decide(robot, name.upper(), "allow").status_code == 204
    assert decide(robot, name, "deny").status_code == 428
    seen = robot.as_seen("/domain", id=name)
    assert decide(robot, name, "deny", headers=seen).status_code == 204
    assert decide(robot, name, "ask", headers=seen).status_code == 412
    assert robot.call("DELETE", "/domain", id=name, headers=seen).status_code == 412
    assert {"domain": name, "decision": "deny"} in robot.get("/domains").json["items"]
    assert newest_event(robot, name="domain.decided")["detail"] == {"domain": name, "decision": "deny"}
    assert robot.call("DELETE", "/domain", id=name).status_code == 204
    assert robot.call("DELETE", "/domain", id=name).status_code == 404
    assert name not in {each["domain"] for each in robot.get("/domains").json["items"]}
    for wrong in ("a b", "https://a.example", "x" * 64):
        assert robot.call("PUT", "/domain", json={"domain": wrong, "decision": "allow"}).status_code == 400
