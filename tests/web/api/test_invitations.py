"""Invitations by the API: made, listed and taken back, but for owners and admins."""

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from tests.web.api.conftest import Robot
from tests.web.api.test_operations import newest_event

EVENT = Event("user.invited", "system")


def test_somebody_is_invited_listed_and_not_any_more(robot: Robot) -> None:
    name = f"guest-{robot.client_id}".lower()
    wanted = {"username": name, "email": f"{name}@example.com", "role": "support"}
    made = robot.post("/invitations", json=wanted)
    assert made.json["link"].startswith("http://localhost:9000/account/invitation?secret=mcpl_")
    assert newest_event(robot, name="user.invited")["detail"] == {"username": name, "role": "support"}
    (line,) = [each for each in robot.get("/invitations").json["items"] if each["username"] == name]
    assert (line["email"], line["role"]) == (f"{name}@example.com", "support")
    assert robot.call("DELETE", "/invitation", id=line["id"]).status_code == 204
    assert robot.call("DELETE", "/invitation", id=line["id"]).status_code == 404


def test_a_request_that_is_repeated_under_its_key_invites_once(robot: Robot) -> None:
    name = f"twice-{robot.client_id}".lower()
    wanted = {"username": name, "email": f"{name}@example.com"}
    links = {
        robot.call("POST", "/invitations", json=wanted, headers={"Idempotency-Key": name}).json["link"]
        for _ in range(2)
    }
    assert len(links) == 1


def test_nobody_high_is_invited_or_taken_back(robot: Robot) -> None:
    wanted = {"username": "chief", "email": "chief@example.com", "role": "owner"}
    assert robot.post("/invitations", json=wanted).status_code == 409
    invitations = robot.site.deployment.invitations
    invitations.invite("chief", "", Role.OWNER, "chief@example.com", EVENT)
    found = robot.site.deployment.stores.invitations.by_name("chief")
    assert robot.call("DELETE", "/invitation", id=found.id).status_code == 409
    assert robot.post("/invitations", json={**wanted, "role": "member"}).status_code == 409
    assert robot.site.deployment.stores.invitations.by_name("chief") == found


def test_what_cannot_be_is_refused_in_words(robot: Robot) -> None:
    for change, status in (({"username": "аda"}, 400), ({"email": "x"}, 400), ({"username": "ADA"}, 409)):
        answer = robot.post("/invitations", json={"username": "bo", "email": "bo@example.com", **change})
        assert (answer.status_code, bool(answer.json["detail"])) == (status, True)
