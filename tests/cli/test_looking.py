"""What the console shows, by command: grants by what they are about, families, duplicates, history, events, figures."""

import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from authserver.cli import main
from authserver.protocol.audit import Event
from authserver.store.models import ClientRow
from authserver.store.tallies import DAYS, HOURS
from tests.cli.conftest import Run, typed
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor

EVENT = Event("test.done", "system")


def told(*arguments: str) -> list[dict[str, Any]]:
    answer = typed(*arguments, "--json")
    assert answer.exit_code == 0, answer.output
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.fixture
def flow(site: Site) -> Flow:
    """A client that Ada allowed something."""
    flow = Flow(site)
    flow.register()
    flow.values |= flow.tokens(Visitor(site, "ada"))
    return flow


def test_grants_are_found_by_what_they_are_about(flow: Flow) -> None:
    client_id = flow.values["client_id"]
    (grant,) = told("grant", "list", "--user", "ada", "--client", client_id, "--server", NOTES.identifier, "--live")
    assert told("grant", "list", "--scope", grant["scopes"][0]) == [grant]
    for unfit in (("--scope", "x:y"), ("--client", "x"), ("--server", "https://o.example"), ("--user", "root")):
        assert told("grant", "list", *unfit) == []
    assert typed("grant", "list", "--user", "nobody").exit_code == 1
    assert typed("grant", "list", "--search", "x", "--live").exit_code == 2
    assert typed("grant", "revoke", grant["id"]).exit_code == 0
    assert told("grant", "list", "--live") == []
    head, line = typed("grant", "list", "--user", "ada").output.splitlines()
    assert head.split() == ["ID", "PERSON", "CLIENT", "SERVER", "SCOPES", "STATE"]
    assert line.endswith("revoked")


def test_a_family_is_found_and_ended_while_its_grant_stays(flow: Flow) -> None:
    (grant,) = told("grant", "list")
    (family,) = told("grant", "families", grant["id"])
    assert (family["grant_id"], family["revoked_at"]) == (grant["id"], None)
    assert "live" in typed("grant", "families", grant["id"]).output
    assert typed("grant", "revoke-family", family["id"]).output == "revoked 1\n"
    assert flow.refresh(refresh_token=flow.values["refresh_token"]).status_code == 400
    assert typed("grant", "revoke-family", family["id"]).output == "nothing to do\n"
    assert "revoked" in typed("grant", "families", grant["id"]).output
    assert told("grant", "list", "--live") == told("grant", "list")
    for command in ("families", "revoke-family"):
        assert typed("grant", command, "nothing").exit_code == 1


@pytest.mark.requirement("CR-3")
def test_registrations_that_are_alike_go_at_once_but_used_ones_stay(site: Site) -> None:
    stores = site.deployment.stores
    flows = [Flow(site) for _ in range(3)]
    for number, flow in enumerate(flows):
        flow.register({**PUBLIC, "client_name": "Twin", "client_uri": f"https://{number}.example"})
    flows[0].allow(Visitor(site, "ada"))
    (group,) = told("client", "alike")
    assert (group["name"], group["unused"]) == ("Twin", 2)
    assert group["group"] in typed("client", "alike").output
    assert typed("client", "alike-delete", group["group"], "--yes").output == "nothing to do\n", "within its first hour"
    with stores.database.transaction() as connection:
        connection.execute(update(ClientRow).values(created_at=1))
    kept = CliRunner().invoke(main, ["client", "alike-delete", group["group"]], input="n\n")
    assert "Delete 2 registrations" in kept.output
    assert typed("client", "alike-delete", group["group"], "--yes").output == "deleted 2\n"
    assert told("client", "alike") == []
    assert stores.clients.find_fresh(flows[0].values["client_id"]) is not None
    assert "'authserver client alike'" in typed("client", "alike-delete", "no group", "--yes").output


def test_a_client_tells_what_it_said_before(flow: Flow, site: Site) -> None:
    clients, client_id = site.deployment.stores.clients, flow.values["client_id"]
    assert typed("client", "history", client_id).output == "it has not changed\n"
    before = clients.find_fresh(client_id)
    assert before is not None
    clients.update(replace(before, name="Another \x1b[31m"), Event("client.updated", "client"))
    shown = typed("client", "history", client_id).output
    assert "client.updated by client" in shown
    assert f"- name: {before.name}" in shown
    assert "+ name: Another ?[31m" in shown
    (change,) = told("client", "history", client_id)
    assert [(each["name"], each["gone"]) for each in change["differences"]] == [("name", [before.name])]
    assert typed("client", "history", "nobody").exit_code == 1


def test_events_are_listed_by_what_they_are_about(flow: Flow) -> None:
    client_id = flow.values["client_id"]
    (registered,) = told("audit", "list", "--name", "client.registered", "--client", client_id)
    assert (registered["client_id"], registered["outcome"]) == (client_id, "success")
    (grant,) = told("grant", "list")
    approved = told("audit", "list", "--user", "ada", "--grant", grant["id"])
    assert {one["grant_id"] for one in approved} == {grant["id"]}
    assert told("audit", "list", "--outcome", "refused", "--server", NOTES.identifier) == []
    assert len(told("audit", "list", "--limit", "2", "--server", NOTES.identifier)) == 2
    head, *lines = typed("audit", "list", "--limit", "3").output.splitlines()
    assert head.split()[:3] == ["WHEN", "WHAT", "OUTCOME"]
    assert len(lines) == 3
    assert typed("audit", "list", "--user", "nobody").exit_code == 1


def test_the_overview_tells_what_waits_and_how_much_there_is(flow: Flow, site: Site) -> None:
    site.seal()
    assert "nothing waits" in typed("overview").output
    clients = site.deployment.stores.clients
    known = clients.find_fresh(flow.values["client_id"])
    assert known is not None
    clients.register(replace(known, client_id="late", pending=True), EVENT)
    site.seal()
    shown = typed("overview").output
    assert "A client waits for approval" in shown
    assert "live grants: 1, " in shown
    (one,) = told("overview")
    assert [each["matter"] for each in one["attention"]] == ["approvals"]
    assert (one["grants"], len(one["hours"]), len(one["days"])) == (1, HOURS, DAYS)
    (redeemed,) = told("audit", "list", "--name", "code.redeemed")
    for series, seconds in (("hours", 3600), ("days", 86_400)):
        began = redeemed["at_ms"] // 1000 // seconds * seconds
        assert [(each["from"], each["tokens"]) for each in one[series] if each["tokens"]] == [(began, 1)]
        assert [each["from"] - began for each in one[series][:2]] in ([0, -seconds], [seconds, 0])


def test_groups_are_listed_with_how_many_people_they_have(run: Run) -> None:
    for name in ("ada", "ben"):
        run("user", "add", name)
        run("user", "join", name, "editors")
    assert run("user", "groups").output == "GROUP    PEOPLE\neditors  2\n"
    assert told("user", "groups") == [{"group": "editors", "people": 2}]
