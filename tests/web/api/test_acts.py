"""Acts of the API that the console has too: groups of people, one key, and a look at a server."""

import secrets
from dataclasses import replace

import pytest

from authserver.protocol.resource import Resource
from authserver.protocol.role import Permission, Role
from authserver.protocol.scope import Scope
from authserver.protocol.tool import Annotations, Claim, Mark, Tool, Word
from authserver.services.own_api import enable
from authserver.web.admin.roles import ACTS
from tests.conformance.site import ISSUER, Site
from tests.web.api.conftest import EVENT, Robot, robot_of


def test_a_person_is_put_into_groups_as_seen_or_not_at_all(site: Site, robot: Robot) -> None:
    stores = site.deployment.stores
    person = stores.users.add(f"gus-{secrets.token_hex(4)}", "Gus", "-", Role.MEMBER, EVENT)
    seen = robot.get("/person", id=person.id)
    assert seen.json["groups"] == []
    as_seen = {"If-Match": seen.headers["ETag"]}
    made = robot.call("PUT", "/person/groups", id=person.id, json={"groups": ["b", "a", "b"]}, headers=as_seen)
    assert made.status_code == 204, made.text
    assert robot.get("/person", id=person.id).json["groups"] == ["a", "b"]
    late = robot.call("PUT", "/person/groups", id=person.id, json={"groups": []}, headers=as_seen)
    assert late.status_code == 412
    for wrong in ([""], ["x" * 201], ["a\nb"], [" a"]):
        now = robot.as_seen("/person", id=person.id)
        assert robot.call("PUT", "/person/groups", id=person.id, json={"groups": wrong}, headers=now).status_code == 400
    assert stores.groups.of(person.id) == ("a", "b")


def test_a_client_puts_no_owner_into_a_group(site: Site, robot: Robot) -> None:
    root = site.deployment.stores.users.by_name("root")
    assert root is not None
    seen = robot.as_seen("/person", id=root.id)
    assert robot.call("PUT", "/person/groups", id=root.id, json={"groups": ["a"]}, headers=seen).status_code == 409
    assert site.deployment.stores.groups.of(root.id) == ()


def test_one_key_is_withdrawn_and_the_others_go_on(site_with) -> None:
    site = site_with()
    enable(site.deployment.stores.resources, ISSUER, ACTS, EVENT)
    robot = robot_of(site, *Permission)
    lists = next(key for key in robot.get("/keys").json["items"] if key["purpose"] == "status")
    assert robot.post("/key/withdraw", id=lists["kid"]).status_code == 204
    found = {key["kid"]: key["state"] for key in robot.get("/keys").json["items"]}
    assert found[lists["kid"]] == "withdrawn"
    assert list(found.values()).count("withdrawn") == 1
    assert robot.post("/key/withdraw", id=lists["kid"]).status_code == 404
    assert robot.post("/key/withdraw", id="none").status_code == 404


@pytest.mark.parametrize("other", [Permission.SERVERS_READ, Permission.CLIENTS_EDIT])
def test_a_look_at_a_server_takes_the_permission_to_edit_it(site: Site, other: Permission) -> None:
    url = f"http://127.0.0.1:9/{secrets.token_hex(4)}"
    site.deployment.stores.resources.add(Resource(url, "Looked at", (Scope("look:read", "Read"),)), EVENT)
    assert robot_of(site, other).post("/server/examine", id=url).status_code == 403
    found = robot_of(site, Permission.SERVERS_EDIT).post("/server/examine", id=url)
    assert found.status_code == 200, found.text
    assert found.json["items"][0]["check"] == "challenge"
    assert found.json["items"][0]["state"] == "fail"
    assert robot_of(site, Permission.SERVERS_EDIT).post("/server/examine", id="https://no.example").status_code == 404
    site.deployment.stores.resources.remove(url, EVENT)


def test_tools_that_wait_are_agreed_to_as_they_were_seen(site: Site, robot: Robot) -> None:
    url = f"https://agreed.example/{secrets.token_hex(4)}"
    heard = Claim("Burn", "Burns", Annotations(), "a" * 64, "b" * 64)
    tool = Tool("burn", "Burn", ("look:read",), word=Word.ADMINISTRATOR, mark=Mark.CHANGED, claim=heard)
    server = Resource(url, "Agreed", (Scope("look:read", "Read"),), (tool,))
    resources = site.deployment.stores.resources
    resources.add(server, EVENT)
    seen = {"If-Match": robot.get("/server", id=url).headers["ETag"]}
    assert robot.post("/server/agree", id=url, json={"tools": ["burn"]}).status_code == 428
    resources.replace(replace(server, tools=(replace(tool, claim=replace(heard, words_digest="c" * 64)),)), EVENT)
    assert robot.post("/server/agree", id=url, json={"tools": ["burn"]}, headers=seen).status_code == 412
    again = {"If-Match": robot.get("/server", id=url).headers["ETag"]}
    assert robot.post("/server/agree", id=url, json={"tools": ["other"]}, headers=again).status_code == 409
    assert robot.post("/server/agree", id=url, json={"tools": ["burn"]}, headers=again).status_code == 204
    assert robot.get("/server", id=url).json["tools"][0]["mark"] == Mark.AGREED
    resources.remove(url, EVENT)
