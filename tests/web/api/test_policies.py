"""Policies by the API: the rules, the simulator, and requests that are decided as they were seen."""

import pytest

from authserver.protocol.audit import Event
from authserver.store.pending_grants import Requester, State, Wanted
from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor
from tests.policies.conftest import apply
from tests.web.api.conftest import Robot

RULE = {"name": "no writing", "effect": "deny", "who": ["user:ada"], "tools": ["write_note"]}


@pytest.fixture
def ruled(site: Site, robot: Robot):
    apply(site, RULE)
    yield robot
    apply(site)


def test_the_rules_are_listed_as_files_write_them(ruled: Robot) -> None:
    found = ruled.get("/policies").json
    assert [line["rule"] for line in found["items"]] == [RULE]
    assert found["version"] > 0
    assert found["actor"] == "system"


def test_a_question_is_answered_with_the_rule_and_why(ruled: Robot, flow: Flow) -> None:
    flow.register()
    asked = {"user": "ada", "client_id": flow.values["client_id"], "server": NOTES.identifier, "tool": "write_note"}
    found = ruled.post("/policies/explain", json=asked)
    assert found.status_code == 200, found.text
    assert found.json["effect"] == "deny"
    assert found.json["considered"][0]["rule"] == "no writing"
    whole = ruled.post("/policies/explain", json={**asked, "tool": None}).json
    assert {line["item"]: line["rule"] for line in whole["items"]}["tool:write_note"] == "no writing"
    for wrong in ({"user": "nobody"}, {"client_id": "x"}, {"server": "https://no.example"}, {"server": "\u00e9"}):
        assert ruled.post("/policies/explain", json={**asked, **wrong}).status_code == 404
    assert ruled.post("/policies/explain", json={**asked, "at": -1}).status_code == 400


def test_a_request_is_approved_as_it_was_seen_or_not_at_all(site: Site, robot: Robot) -> None:
    store, ada = site.deployment.stores.pending_grants, site.deployment.stores.users.by_name("ada")
    assert ada
    event = Event("approval.asked", f"user:{ada.id}")
    by = Requester(ada.id, robot.client_id, robot.machine.client.identity, NOTES.identifier)

    def ask(*keys: str) -> None:
        store.ask(Wanted(by, keys, "a rule"), 600, event)

    ask("tool:write_note")
    waiting = robot.get("/approvals", kind="grant").json["items"]
    line = next(one for one in waiting if one["client_id"] == robot.client_id)
    seen = robot.get("/approval", kind="grant", id=line["id"])
    assert robot.post("/approval/approve", kind="grant", id=line["id"]).status_code == 428
    ask("tool:write_note", "tool:other")
    as_seen = {"If-Match": seen.headers["ETag"]}
    assert robot.post("/approval/approve", kind="grant", id=line["id"], headers=as_seen).status_code == 412
    again = {"If-Match": robot.get("/approval", kind="grant", id=line["id"]).headers["ETag"]}
    assert robot.post("/approval/approve", kind="grant", id=line["id"], headers=again).status_code == 204
    assert robot.get("/policies/request", id=line["id"]).json["state"] == State.APPROVED
    assert robot.post("/policies/request/withdraw", id=line["id"]).status_code == 428
    approved = robot.as_seen("/policies/request", id=line["id"])
    assert robot.post("/policies/request/withdraw", id=line["id"], headers=again).status_code == 412
    assert robot.post("/policies/request/withdraw", id=line["id"], headers=approved).status_code == 204
    assert robot.get("/policies/request", id=line["id"]).json["approved"] == []


def test_rules_count_in_place_of_the_version_that_they_were_written_from(site: Site, robot: Robot) -> None:
    version = robot.get("/policies").json["version"]
    made = robot.call("PUT", "/policies", json={"version": version, "rules": [RULE]})
    assert made.status_code == 200, made.text
    assert [line["rule"] for line in made.json["items"]] == [RULE]
    assert made.json["actor"] == f"client:{robot.client_id}"
    late = robot.call("PUT", "/policies", json={"version": version, "rules": []})
    assert late.status_code == 409
    never = robot.call("PUT", "/policies", json={"version": 2**31 - 1, "rules": []})
    assert never.status_code == 409
    assert [line["rule"] for line in robot.get("/policies").json["items"]] == [RULE]
    wrong = robot.call("PUT", "/policies", json={"version": version + 1, "rules": [{"name": "x", "effect": "permit"}]})
    assert wrong.status_code == 400
    assert wrong.json["errors"][0]["member"] == "rules[0].effect"
    apply(site)


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [("PUT", "/policies", {"version": 0}), ("POST", "/policies/look", {}), ("POST", "/policies/replay", {"days": 1})],
)
def test_as_many_rules_are_taken_as_on_the_page(robot: Robot, method: str, path: str, more: dict[str, int]) -> None:
    words = "x" * 500
    rules = [{"name": f"rule {number}", "effect": "permit", "says": words} for number in range(400)]
    some = robot.call(method, path, json={"rules": rules, **more})
    assert (some.status_code, len(some.json["errors"])) == (400, 800), "read, and refused for what they say"
    assert robot.call(method, path, json={"rules": rules * 2, **more}).status_code == 413


def test_rules_are_held_against_what_happened(site: Site, robot: Robot, flow: Flow, visitor: Visitor) -> None:
    flow.register()
    flow.tokens(visitor)
    found = robot.post("/policies/replay", json={"rules": [{"name": "none at all", "effect": "deny"}], "days": 1})
    assert found.status_code == 200, found.text
    lines = [line for line in found.json["items"] if line["client_id"] == flow.values["client_id"]]
    assert {(line["name"], line["username"], line["refused"]) for line in lines} >= {("grant.approved", "ada", True)}
    assert not robot.post("/policies/replay", json={"rules": []}).json["items"]
    assert robot.post("/policies/replay", json={"rules": [{"name": "x"}]}).status_code == 400
