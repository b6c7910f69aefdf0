"""An act is on what the caller has seen, or refused: ``If-Match``, and what others do between looking and writing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from authserver.protocol import credential
from authserver.protocol.client import Client
from authserver.protocol.resource import Resource, identified
from authserver.services.approvals.queue import Approvals
from authserver.services.desired_state.plan import Planner
from authserver.store.database import connect
from authserver.store.models import ClientRow
from authserver.store.stores import Stores
from tests.conformance.flow import Flow
from tests.conformance.signer import Signer
from tests.conformance.site import NOTES, Site
from tests.web.api.conftest import EVENT, Robot
from tests.web.api.test_making import SERVER, change, put
from tests.web.backchannel.test_client_credentials import machine

Act = Callable[[], object]


@pytest.fixture
def server(site: Site, robot: Robot) -> Resource:
    """A server that nobody has changed yet."""
    url = f"https://{robot.client_id.lower()}.example/mcp"
    assert put(robot, "/server", {**SERVER, "url": url}).status_code == 200
    return now(site, url)


@pytest.fixture
def job(site: Site) -> Client:
    """A client with a secret."""
    return machine(site, ceilings={NOTES.identifier: ("notes:read",)}).client


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Act], None]:
    """Has somebody else act once, after the next request was planned and before it is made."""

    def arrange(act: Act) -> None:
        planned = Planner.registrations

        def registrations(self: Planner, wanted: Any) -> Any:
            found = planned(self, wanted)
            monkeypatch.setattr(Planner, "registrations", planned)
            act()
            return found

        monkeypatch.setattr(Planner, "registrations", registrations)

    return arrange


def now(site: Site, url: str) -> Resource:
    site.deployment.stores.resources.refresh()
    found = identified(site.deployment.stores.resources.all(), url)
    assert found is not None
    return found


def entry(client: Client, **other: Any) -> dict[str, Any]:
    return {"id": client.client_id, "name": client.name, "allow": client.ceilings, **other}


def told(site: Site, client: Client) -> Client:
    found = site.deployment.stores.clients.find_fresh(client.client_id)
    assert found is not None
    return found


def test_what_another_node_has_just_changed_is_neither_overwritten_nor_removed(
    site: Site, robot: Robot, server: Resource
) -> None:
    seen = robot.get("/server", id=server.identifier).headers["ETag"]
    other = connect(Flask("other"), site.deployment.settings.database_url)
    changed = replace(server, name="Changed by the other node")
    assert Stores.over(other).resources.exchange(server, changed, EVENT)
    other.close()
    assert put(robot, "/server", {**SERVER, "url": server.identifier}, If_Match=seen).status_code == 412
    removed = robot.call("DELETE", "/server", id=server.identifier, headers={"If-Match": seen})
    assert removed.status_code == 412
    assert now(site, server.identifier) == changed


def test_a_server_that_changes_while_another_change_is_made_stays_as_it_became(
    site: Site, robot: Robot, server: Resource, meanwhile: Callable[[Act], None]
) -> None:
    seen = {"If_Match": robot.get("/server", id=server.identifier).headers["ETag"]}
    changed = replace(server, name="Changed by somebody else")
    renamed = {**SERVER, "url": server.identifier, "name": "Mine"}
    meanwhile(lambda: site.deployment.stores.resources.exchange(server, changed, EVENT))
    assert put(robot, "/server", renamed, **seen).status_code == 412
    assert now(site, server.identifier) == changed


@pytest.mark.requirement("CR-12")
def test_a_secret_that_is_rotated_while_its_client_is_changed_stays_the_one_that_counts(
    site: Site, robot: Robot, job: Client, meanwhile: Callable[[Act], None]
) -> None:
    clients, fresh = site.deployment.stores.clients, credential.digest("a fresh secret")
    meanwhile(lambda: clients.rotate_secret(job.client_id, fresh, 0, EVENT))
    overtaken = change(robot, "/client", entry(job, name="New name"))
    assert overtaken.status_code == 412
    assert "changed by someone else" in overtaken.json["detail"]
    found = told(site, job)
    assert (found.name, found.secret_digest, found.previous_secret_digest) == (job.name, fresh, None)
    assert change(robot, "/client", entry(job, name="New name")).json["changed"] == ["name"]
    assert told(site, job).secret_digest == fresh


@pytest.mark.requirement("EX-1")
def test_what_a_client_is_allowed_while_it_is_changed_stays(
    site: Site, robot: Robot, job: Client, meanwhile: Callable[[Act], None]
) -> None:
    clients, seen = site.deployment.stores.clients, robot.get("/client", id=job.client_id).headers["ETag"]
    meanwhile(lambda: clients.set_ceiling(job.client_id, NOTES.identifier, ("notes:write",), EVENT))
    assert put(robot, "/client", entry(job, name="New name"), If_Match=seen).status_code == 412
    assert told(site, job).ceilings == {NOTES.identifier: ("notes:write",)}


def test_a_client_is_deleted_as_it_was_seen_or_not_at_all(site: Site, robot: Robot, job: Client) -> None:
    about: dict[str, Any] = {"id": job.client_id}
    seen = {"If-Match": robot.get("/client", **about).headers["ETag"]}
    site.deployment.stores.clients.update(replace(job, name="In use after all"), EVENT)
    assert robot.call("DELETE", "/client", **about, headers=seen).status_code == 412
    assert told(site, job).name == "In use after all"
    assert robot.call("DELETE", "/client", **about).status_code == 204
    assert robot.call("DELETE", "/client", **about).status_code == 404


def test_the_tag_of_a_client_changes_with_its_keys(robot: Robot, site: Site) -> None:
    former, newer = Signer.new(), Signer.new()
    job = machine(site, signer=former, ceilings={}).client
    body = entry(job, auth_method="private_key_jwt")
    seen = robot.get("/client", id=job.client_id)
    assert len(seen.json["keys"]) == 1
    change(robot, "/client", {**body, "jwks": newer.jwks})
    assert put(robot, "/client", {**body, "jwks": former.jwks}, If_Match=seen.headers["ETag"]).status_code == 412
    assert told(site, job).jwks == newer.jwks
    change(robot, "/client", {**body, "jwks_uri": "https://job.example/keys"})
    assert robot.get("/client", id=job.client_id).json["jwks_uri"] == "https://job.example/keys"


def test_the_tag_of_a_server_changes_with_the_limits_of_its_tools(robot: Robot, server: Resource) -> None:
    seen = robot.get("/server", id=server.identifier)
    assert [(tool["limits"], tool["additional"]) for tool in seen.json["tools"]] == [(None, False)]
    limits = {"/path": {"under": ["/notes"]}}
    limited = {**SERVER, "url": server.identifier, "tools": [{**SERVER["tools"][0], "limits": limits}]}
    assert change(robot, "/server", limited).json["changed"] == ["tools"]
    assert [tool["limits"] for tool in robot.get("/server", id=server.identifier).json["tools"]] == [limits]
    lifted = {**limited, "tools": [{**SERVER["tools"][0], "limits": None}]}
    assert put(robot, "/server", lifted, If_Match=seen.headers["ETag"]).status_code == 412


def test_a_client_that_changes_between_the_comparison_and_the_act_is_not_approved(
    site: Site, robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, find, clients = Flow(site), Approvals.find, site.deployment.stores.clients
    flow.register()
    client_id = flow.values["client_id"]
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(ClientRow).where(ClientRow.client_id == client_id).values(pending_since=1))
    before = clients.find_fresh(client_id)
    assert before is not None
    seen = {"If-Match": robot.get("/approval", id=client_id).headers["ETag"]}

    def found_and_changed(self: Approvals, name: str, request_id: str) -> object:
        found = find(self, name, request_id)
        clients.update(replace(before, name="Somebody else"), EVENT)
        return found

    monkeypatch.setattr(Approvals, "find", found_and_changed)
    assert robot.post("/approval/approve", id=client_id, headers=seen).status_code == 409
    found = clients.find_fresh(client_id)
    assert found is not None
    assert found.pending


def test_of_two_who_give_a_client_another_secret_the_second_is_told(robot: Robot, job: Client) -> None:
    seen = robot.as_seen("/client", id=job.client_id)
    assert robot.post("/client/secret", id=job.client_id).status_code == 428
    assert robot.post("/client/secret", id=job.client_id, headers=seen).status_code == 200
    assert robot.post("/client/secret", id=job.client_id, headers=seen).status_code == 412


def test_what_is_there_is_not_changed_by_whoever_has_not_seen_it(robot: Robot, job: Client, server: Resource) -> None:
    told = robot.get("/client", id=job.client_id).headers["ETag"]
    assert put(robot, "/client", entry(job, name="New name")).status_code == 428
    assert put(robot, "/client", entry(job)).json["changed"] == [], "nothing is overwritten by it"
    assert robot.get("/client", id=job.client_id).headers["ETag"] == told
    assert put(robot, "/server", {**SERVER, "url": server.identifier, "name": "Mine"}).status_code == 428


def test_whoever_approves_says_what_they_have_seen(site: Site, robot: Robot) -> None:
    for anything in ("*", "W/*", ' * , "x"'):
        refused = robot.post("/approval/approve", id="whatever", headers={"If-Match": anything})
        assert refused.status_code == 428, anything


def test_what_is_to_be_as_it_was_seen_has_to_be_there(robot: Robot) -> None:
    """RFC 9110 §13.1.1: without a current state the condition is false."""
    new = {**SERVER, "url": "https://never.example/mcp"}
    assert put(robot, "/server", new, If_Match="*").status_code == 412
    assert robot.get("/server", id=new["url"]).status_code == 404


def test_a_change_repeated_under_its_key_gets_the_first_answer_whatever_it_changed(robot: Robot, job: Client) -> None:
    seen = robot.get("/client", id=job.client_id).headers["ETag"]
    headers = {"If_Match": seen, "Idempotency_Key": "renamed"}
    first = put(robot, "/client", entry(job, name="New name"), **headers)
    assert first.json["changed"] == ["name"]
    again = put(robot, "/client", entry(job, name="New name"), **headers)
    assert (again.status_code, again.json) == (200, first.json)
