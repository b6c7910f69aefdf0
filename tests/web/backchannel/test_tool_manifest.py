"""The tools that the guard of an MCP server publishes: whose they are, and that nothing gets wider by it in silence."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from authserver.protocol.audit import Event
from authserver.protocol.client import ClientKind
from authserver.protocol.resource import Resource, Source
from authserver.protocol.tool import Mark, Tool, Word
from authserver.services.tool_catalogue import publication
from authserver.store.models import AuditRow
from tests.conformance.flow import Flow
from tests.conformance.site import CALENDAR, NOTES, Site

from .test_client_credentials import Machine, machine

pytestmark = pytest.mark.requirement("RS-11")
EVENT = Event("test.done", "system")
READ = {"name": "read_note", "description": "Reads one.", "annotations": {"readOnlyHint": True}}
WIPE = {"name": "wipe_notes", "annotations": {"readOnlyHint": True}}


@pytest.fixture
def guard(site: Site) -> Iterator[Machine]:
    yield machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": NOTES.identifier}, grant_types=())
    site.deployment.stores.resources.replace(NOTES, EVENT)


def publish(guard: Machine, *tools: Any, **form: Any) -> TestResponse:
    data = {"tools": json.dumps({"tools": tools}), **guard.proof(), **form}
    return guard.site.post("/tool-manifest", data=data)


def notes(site: Site) -> Resource:
    resources = site.deployment.stores.resources
    resources.refresh()
    return next(one for one in resources.all() if one.identifier == NOTES.identifier)


def tool(site: Site, name: str) -> Tool:
    return next(one for one in notes(site).tools if one.name == name)


def written(site: Site) -> list[Any]:
    wanted = select(AuditRow).where(AuditRow.name == "resource.tools_published").order_by(AuditRow.id)
    with site.deployment.stores.database.reading() as connection:
        return list(connection.execute(wanted))


def test_what_is_new_is_the_servers_word_and_waits(site: Site, guard: Machine) -> None:
    before = len(written(site))
    answer = publish(guard, {"name": "list_notes"}, {"name": "write_note"}, READ, WIPE)
    assert (answer.status_code, answer.json) == (200, {"changed": True, "waiting": 2})
    assert answer.headers["Cache-Control"] == "no-store"
    assert (tool(site, "read_note").mark, tool(site, "read_note").word) == (Mark.NEW, Word.SERVER)
    # Its name gives away more than it claims.
    assert tool(site, "wipe_notes").scopes == ("notes:delete",)
    assert tool(site, "list_notes").word is Word.ADMINISTRATOR
    event = written(site)[before]
    assert (event.actor, event.client_id) == (f"client:{guard.client.client_id}", guard.client.client_id)
    assert event.resource == NOTES.identifier
    assert event.detail["added"] == {"count": 2, "first": ["read_note", "wipe_notes"]}
    assert event.correlation_id


def test_what_is_said_otherwise_waits_and_what_is_listed_no_more_is_gone(site: Site, guard: Machine) -> None:
    publish(guard, READ)
    assert tool(site, "list_notes").mark is Mark.GONE
    before = notes(site)
    agreed = replace(before, tools=tuple(replace(one, mark=Mark.AGREED) for one in before.tools))
    site.deployment.stores.resources.replace(agreed, EVENT)
    assert publish(guard, {**READ, "description": "Reads all."}).json["changed"] is True
    assert tool(site, "read_note").mark is Mark.CHANGED


def test_an_unchanged_manifest_writes_nothing(site: Site, guard: Machine) -> None:
    publish(guard, READ)
    count, epoch, heard = len(written(site)), site.deployment.stores.epoch.current(0), notes(site).heard
    answer = publish(guard, READ)
    assert answer.json == {"changed": False, "waiting": 1}
    assert (len(written(site)), site.deployment.stores.epoch.current(0), notes(site).heard) == (count, epoch, heard)


def test_the_catalogue_says_where_it_came_from(site: Site, guard: Machine) -> None:
    assert publish(guard, READ).status_code == 200
    heard = notes(site).heard
    assert heard is not None
    assert heard.source is Source.GUARD
    assert heard.at > 1_700_000_000


def test_only_the_guard_of_that_very_server_is_believed(site: Site, guard: Machine, flow: Flow) -> None:
    other = machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": CALENDAR.identifier}, grant_types=())
    before = notes(site)
    assert publish(other, READ, resource=NOTES.identifier).status_code == 200
    assert notes(site) == before
    site.deployment.stores.resources.replace(CALENDAR, EVENT)
    flow.register()
    public = site.post("/tool-manifest", data={"tools": "{}", "client_id": flow.values["client_id"]})
    ordinary = publish(machine(site), READ)
    for answer in (public, ordinary):
        assert (answer.status_code, answer.json["error"]) == (400, "unauthorized_client")
    for form in ({"client_secret": "mcps_wrong"}, {"client_id": "nobody"}):
        assert publish(guard, READ, **form).json["error"] == "invalid_client"
    assert site.get("/tool-manifest").status_code == 405
    assert notes(site) == before


DEEP = "[" * 20_000 + "]" * 20_000


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ("", "tools is required"),
        ("x", "not JSON"),
        ("[]", "not an object"),
        ("{}", "no list of tools"),
        ('{"tools": {}}', "no list of tools"),
        ('{"tools": [], "tools": []}', "the same name twice"),
        ('{"tools": [1]}', "a tool is a JSON object"),
        (json.dumps({"tools": [READ, READ]}), "lists read_note twice"),
        (json.dumps({"tools": [READ, {"name": "read-note"}]}), "look alike: read_note, read-note"),
        (json.dumps({"tools": [{"name": "read_n\u043ete"}]}), "visible ASCII"),
        (json.dumps({"tools": [{"name": "read\u0007note"}]}), "visible ASCII"),
        (json.dumps({"tools": [{"name": "x" * 201}, {}]}), "2 have none"),
        (json.dumps({"tools": [], "nextCursor": "more"}), "one of several pages"),
        (json.dumps({"tools": [{"name": f"tool{number}"} for number in range(10_000)]}), "more than 1000 tools"),
        (f'{{"tools": [{{"name": "a", "inputSchema": {DEEP}}}]}}', "nested too deeply"),
        ('{"tools": [{"name": "a", "inputSchema": NaN}]}', "not JSON"),
        ('{"tools": [{"name": "a", "inputSchema": ' + "9" * 5000 + "}]}", "not JSON"),
    ],
)
def test_a_manifest_that_cannot_be_taken_is_refused_in_words(
    site: Site, guard: Machine, tools: str, words: str
) -> None:
    before = notes(site)
    answer = publish(guard, tools=tools)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    assert words in answer.json["error_description"]
    assert notes(site) == before


def test_words_of_a_server_are_made_harmless(site: Site, guard: Machine) -> None:
    nasty = {"name": "n", "title": "a\x1b[2Jb\u202ec", "description": "x\ny\x00z\u200b" + "w" * 9000, "inputSchema": 1}
    assert publish(guard, nasty).status_code == 200
    found = tool(site, "n")
    assert found.title == "a[2Jbc"
    assert found.description.startswith("x yz")
    assert len(found.description) == 2000


def test_names_that_look_alike_and_are_known_already_are_no_reason(site: Site, guard: Machine) -> None:
    known = replace(NOTES, tools=tuple(Tool(name, name, ("notes:read",)) for name in ("read_note", "read-note")))
    site.deployment.stores.resources.replace(known, EVENT)
    assert publish(guard, {"name": "read_note"}, {"name": "read-note"}).status_code == 200


def test_a_thousand_long_names_hold_nobody_up(site: Site, guard: Machine) -> None:
    def named(words: str) -> list[dict[str, str]]:
        return [{"name": f"{'_'.join([words] * 60)}_{number}"} for number in range(990)]

    begun = time.process_time()
    assert publish(guard, *named("aB")).status_code == 200
    assert publish(guard, *named("cD")).status_code == 200
    # What grew with the square of their number took a minute.
    assert time.process_time() - begun < 20


def test_no_guard_makes_the_catalogue_grow_without_end(
    site: Site, guard: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "MOST_KEPT", 5)
    for batch in "abc":
        answer = publish(guard, {"name": f"{batch}1"}, {"name": f"{batch}2"})
    assert answer.status_code == 400
    assert "--prune" in answer.json["error_description"]
    assert publish(guard, {"name": "b1"}).status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(site: Site, guard: Machine) -> None:
    large = publish(guard, {**READ, "description": "w" * 600_000})
    assert large.status_code == 200
    answer = publish(guard, {**READ, "description": "w" * publication.MOST_FORM})
    assert (answer.status_code, answer.json["error"]) == (413, "invalid_request")
    assert site.post("/token", data={"x": "w" * 70_000}).status_code == 413


def test_a_guard_that_publishes_without_end_is_slowed_down_alone(site_with: Any) -> None:
    site = site_with(tool_manifests_per_guard="2 per hour")
    one, other = (
        machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": at}, grant_types=())
        for at in (NOTES.identifier, CALENDAR.identifier)
    )
    assert [publish(one, READ).status_code for _ in range(3)] == [200, 200, 429]
    assert int(publish(one, READ).headers["Retry-After"]) > 60
    assert publish(other, READ).status_code == 200


def test_a_guard_whose_server_is_gone_is_told(site_with: Any) -> None:
    site = site_with()
    one = machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": NOTES.identifier}, grant_types=())
    site.deployment.stores.resources.remove(NOTES.identifier, EVENT)
    assert publish(one, READ).json["error"] == "invalid_target"


@pytest.mark.requirement("DI-4")
def test_the_metadata_names_the_endpoint(site: Site) -> None:
    found = site.get("/.well-known/oauth-authorization-server").json
    assert found["tool_manifest_endpoint"] == f"{found['issuer']}/tool-manifest"
