"""Clients and MCP servers are made and changed by the API, each in the form of ``authserver apply``."""

import json
import threading
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from authserver.keys import pair
from authserver.protocol import credential, own_api
from authserver.protocol.client import ClientKind
from authserver.protocol.role import Permission
from authserver.store.clients import ClientStore
from authserver.store.models import ApiAnswerRow
from tests.conformance.site import NOTES, Site
from tests.purging import purge
from tests.web.api.conftest import RESOURCE, Robot, robot_of
from tests.web.api.test_operations import newest_event

SERVER: dict[str, Any] = {
    "url": "https://new.example/mcp",
    "name": "New",
    "scopes": [{"name": "new:read", "description": "Read", "default": True}],
    "tools": [{"name": "look", "scopes": ["new:read"]}],
}


@pytest.fixture
def job(robot: Robot) -> dict[str, Any]:
    """A client that nobody has made yet."""
    allow = {NOTES.identifier: ["notes:read"]}
    return {"id": f"job-{robot.client_id}", "name": "Night job", "allow": allow}


def put(robot: Robot, path: str, body: dict[str, Any], **headers: str) -> Any:
    return robot.call("PUT", path, json=body, headers={name.replace("_", "-"): each for name, each in headers.items()})


def change(reader: Robot, path: str, body: dict[str, Any], by: Robot | None = None) -> Any:
    """Make something that is there already what *body* says, in place of how *reader* sees it now."""
    seen = reader.as_seen(path, id=body.get("id", body.get("url")))
    return put(by or reader, path, body, If_Match=seen["If-Match"])


def test_a_server_is_made_changed_and_forgotten(robot: Robot) -> None:
    assert "scopes" in put(robot, "/server", SERVER).json["changed"]
    assert put(robot, "/server", SERVER).json == {"changed": []}
    seen = robot.get("/server", id=SERVER["url"])
    assert [tool["name"] for tool in seen.json["tools"]] == ["look"]
    assert newest_event(robot, name="resource.added")["actor"] == f"client:{robot.client_id}"
    renamed = {**SERVER, "name": "Renamed"}
    assert put(robot, "/server", renamed).status_code == 428
    assert put(robot, "/server", renamed, If_Match=seen.headers["ETag"]).json == {"changed": ["name"]}
    assert put(robot, "/server", SERVER, If_Match=seen.headers["ETag"]).status_code == 412
    gone = robot.call("DELETE", "/server", id=SERVER["url"])
    assert gone.status_code == 204
    assert robot.get("/server", id=SERVER["url"]).status_code == 404
    assert robot.call("DELETE", "/server", id=SERVER["url"]).status_code == 404


def test_a_client_is_made_with_a_secret_and_gets_another_one(site: Site, robot: Robot, job: dict[str, Any]) -> None:
    made = put(robot, "/client", job)
    secret = made.json["client_secret"]
    assert secret.startswith("mcps_")
    again = put(robot, "/client", job)
    assert again.json == {"changed": [], "client_secret": None}
    client = site.deployment.stores.clients.find_fresh(job["id"])
    assert client is not None
    assert (client.kind, client.declared) == (ClientKind.PREREGISTERED, False)
    rotated = robot.new_secret(job["id"], overlap="0")
    assert rotated.json["client_secret"] not in {secret, None}
    public = {"id": f"app-{robot.client_id}", "name": "App", "redirect_uris": ["https://app.example/cb"]}
    assert put(robot, "/client", public).json["client_secret"] is None
    assert robot.new_secret(str(public["id"])).status_code == 409


def test_what_is_wrong_is_told_member_by_member_and_nothing_is_done(
    site: Site, robot: Robot, job: dict[str, Any]
) -> None:
    refused = put(robot, "/server", {**SERVER, "url": "https://new.example/mcp?x", "aliases": [NOTES.identifier]})
    assert refused.status_code == 400
    assert [error["member"] for error in refused.json["errors"]] == ["url"]
    taken = put(robot, "/server", {**SERVER, "aliases": [NOTES.identifier]})
    assert taken.status_code == 400
    assert NOTES.identifier in taken.json["errors"][0]["problem"]
    wrong = put(robot, "/client", {**job, "allow": {NOTES.identifier: ["none"]}, "redirect_uris": ["javascript:x"]})
    assert {error["member"].partition("[")[0] for error in wrong.json["errors"]} >= {"allow", "redirect_uris"}
    assert put(robot, "/client", {**job, "secret_env": "HOME"}).status_code == 400
    assert site.deployment.stores.clients.find_fresh(job["id"]) is None


@pytest.mark.requirement("EX-1")
def test_nobody_gets_more_of_the_api_by_way_of_it(site: Site, robot: Robot, job: dict[str, Any]) -> None:
    editor = robot_of(site, Permission.CLIENTS_EDIT, Permission.CLIENTS_SECRETS, Permission.SERVERS_EDIT)
    assert put(editor, "/client", {**job, "allow": {RESOURCE: ["admin:emergency"]}}).status_code == 409
    other = {"id": robot.client_id, "name": "Mine now", "grants": ["client_credentials"]}
    assert put(editor, "/client", other).status_code == 409
    as_seen = robot.as_seen("/client", id=robot.client_id)
    assert editor.post("/client/secret", id=robot.client_id, headers=as_seen).status_code == 409
    assert editor.post("/client/suspend", id=robot.client_id).status_code == 204
    assert editor.post("/client/resume", id=robot.client_id).status_code == 409, "perhaps its secret is known"
    suspended = site.deployment.stores.clients.find_fresh(robot.client_id)
    assert suspended
    assert suspended.suspended
    assert put(editor, "/server", {**SERVER, "url": RESOURCE}).status_code == 409
    assert put(editor, "/server", {**SERVER, "aliases": [RESOURCE]}).status_code == 400
    assert editor.call("DELETE", "/server", id=RESOURCE).status_code == 409
    assert own_api.identifier(site.deployment.settings.issuer) == RESOURCE


@pytest.mark.requirement("EX-1")
def test_who_edits_clients_is_none_of_them(site: Site, robot: Robot, job: dict[str, Any]) -> None:
    put(robot, "/client", job)
    editor = robot_of(site, Permission.CLIENTS_EDIT)
    own = {**job, "auth_method": "private_key_jwt", "jwks": {"keys": [pair.generate("ES256").public_jwk]}}
    others = {**job, "auth_method": "private_key_jwt", "jwks_uri": "https://keys.example/jwks"}
    for body in (own, others):
        refused = put(editor, "/client", body)
        assert refused.status_code == 403
        assert 'scope="admin:clients.secrets"' in refused.headers["WWW-Authenticate"]
    assert change(robot, "/client", own).status_code == 200
    assert put(editor, "/client", job).status_code == 403, "it would be told the secret"
    assert change(robot, "/client", {**own, "name": "Renamed"}, by=editor).json["changed"] == ["name"]
    for allow in ({}, {NOTES.identifier: ["notes:read", "notes:write"]}):
        refused = put(editor, "/client", {**own, "allow": allow})
        assert 'scope="admin:clients.allow"' in refused.headers["WWW-Authenticate"]
    assert put(editor, "/client", {**job, "id": f"{job['id']}-2"}).status_code == 403
    assert put(editor, "/client", {**job, "id": f"{job['id']}-2", "allow": {}}).status_code == 200


def test_a_repeated_request_gets_the_answer_of_the_first(site: Site, robot: Robot, job: dict[str, Any]) -> None:
    put(robot, "/client", job)
    rotate = {"id": job["id"], "headers": {"Idempotency-Key": "8e03978e", **robot.as_seen("/client", id=job["id"])}}
    first = robot.post("/client/secret", **rotate)
    assert robot.post("/client/secret", **rotate).json == first.json
    assert robot.new_secret(job["id"], "another").json != first.json
    assert robot.new_secret(job["id"], "8e03978e", overlap="1").status_code == 422
    another = robot_of(site, Permission.CLIENTS_READ, Permission.CLIENTS_SECRETS)
    assert another.new_secret(job["id"], "8e03978e").json != first.json, "a key is its client's"
    secret = first.json["client_secret"].encode()
    with site.deployment.stores.database.session() as session:
        assert all(secret not in (row.answer or b"") for row in session.query(ApiAnswerRow))


def test_a_key_of_a_refused_request_is_free_again(robot: Robot, job: dict[str, Any]) -> None:
    assert robot.new_secret(job["id"], "one").status_code == 404
    put(robot, "/client", job)
    assert robot.new_secret(job["id"], "one").status_code == 200
    for wrong in ("", "x" * 256, "a b"):
        assert robot.new_secret(job["id"], wrong).status_code == 400


def test_a_key_of_a_request_that_failed_is_free_again(
    robot: Robot, job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(robot, "/client", job)

    def busy(*_: object, **__: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("the database is busy"))

    with monkeypatch.context() as for_a_moment:
        for_a_moment.setattr(ClientStore, "rotate_secret", busy)
        assert robot.new_secret(job["id"], "busy").status_code == 503
    assert robot.new_secret(job["id"], "busy").status_code == 200


def test_an_answer_is_of_no_use_under_another_key(site: Site, robot: Robot, job: dict[str, Any]) -> None:
    put(robot, "/client", job)
    for key in ("mine", "another"):
        assert robot.new_secret(job["id"], key).status_code == 200
    other = credential.digest(f"{robot.client_id}\nanother")
    with site.deployment.stores.database.session() as session:
        moved = session.query(ApiAnswerRow).filter_by(digest=other).one().answer
        mine = credential.digest(f"{robot.client_id}\nmine")
        session.query(ApiAnswerRow).filter_by(digest=mine).update({"answer": moved})
        session.commit()
    again = robot.new_secret(job["id"], "mine")
    assert (again.status_code, "client_secret" in again.json) == (409, False)


@pytest.mark.parametrize("odd", ['"\\ud800"', '{"\\udfff": 1}', "1e999"])
def test_what_no_text_can_say_again_is_refused(robot: Robot, job: dict[str, Any], odd: str) -> None:
    body = json.dumps({**job, "jwks": {"keys": [{"kid": "ODD"}]}}).replace('"ODD"', odd)
    client = robot.site.app.test_client(use_cookies=False)
    sent = {"Authorization": f"Bearer {robot.token}", "Content-Type": "application/json"}
    for headers in (sent, {**sent, "Idempotency-Key": "odd"}):
        answer = client.put(own_api.PATH + "/client", data=body, headers=headers)
        assert (answer.status_code, answer.json["detail"]) == (400, "the body is not JSON that can be read")


def test_of_many_at_once_under_one_key_one_is_done(site: Site, robot: Robot, job: dict[str, Any]) -> None:
    put(robot, "/client", job)
    together, answers = threading.Barrier(5), []
    headers = {"Idempotency-Key": "together", **robot.as_seen("/client", id=job["id"])}

    def rotate() -> None:
        together.wait()
        answers.append(robot.post("/client/secret", id=job["id"], headers=headers))

    crowd = [threading.Thread(target=rotate) for _ in range(5)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.json["client_secret"] for answer in answers if answer.status_code == 200}) == 1
    rotations = robot.get("/audit", name="client.secret_rotated", client_id=job["id"]).json["items"]
    assert len(rotations) == 1


def test_answers_are_forgotten_after_a_day(site: Site, robot: Robot, job: dict[str, Any]) -> None:
    put(robot, "/client", job, Idempotency_Key="once")
    with site.deployment.stores.database.session() as session:
        session.query(ApiAnswerRow).update({"begun_at": 1})
        session.commit()
    assert purge(site.deployment.stores.database)["api_answers"] >= 1
