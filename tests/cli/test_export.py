"""``authserver export``: applied where it was written it changes nothing; elsewhere it makes the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, GrantType
from authserver.protocol.policy import reading
from authserver.protocol.registration.prepared import Prepared
from authserver.protocol.resource import Resource
from authserver.protocol.role import Role
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Annotations, Claim, Mark, Tool, Word
from authserver.protocol.way import Way
from authserver.services.desired_state.difference import Difference
from authserver.services.desired_state.exported import exported
from authserver.services.desired_state.plan import Planner
from authserver.services.own_api import enable
from authserver.web.admin.roles import ACTS
from tests.cli.conftest import Run
from tests.conformance.site import ISSUER

EVENT = Event("test.done", "system")
SCOPES = (
    Scope("n:read", "Read: all of it", Risk.READ, True),
    Scope("n:write", "yes", Risk.WRITE, False, ("n:read",)),
)
TOOLS = (
    Tool("list", "list", ("n:read",)),
    Tool(
        "null",
        "“Write” ☂",
        ("n:read", "n:write"),
        "- a: *b",
        Risk.DESTRUCTIVE,
        policy=Way.limited({"/path": {"values": ["a"]}}),
    ),
    Tool(
        "claimed",
        "Claimed",
        ("n:read",),
        "In its words",
        Risk.WRITE,
        Word.SERVER,
        Mark.NEW,
        Claim("Claimed", "In its words", Annotations(), "0" * 64, "0" * 64),
    ),
    Tool("gone", "Gone", ("n:read",), mark=Mark.GONE),
)
RULES = reading.read([{"name": "- a: *b", "effect": "deny", "who": ["group:readers"], "says": "“no” ☂"}])
SERVER = Resource("https://n.example/mcp", "N: #1", SCOPES, TOOLS, ("https://n.example/other",), True)
JOB = Prepared(
    "job",
    "'Job'",
    (),
    AuthMethod.SECRET_BASIC,
    (GrantType.CLIENT_CREDENTIALS,),
    ceilings={SERVER.identifier: ("n:read",)},
)
APP = Prepared(
    "2026-01-01", "null", ("https://a.example/cb",), grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
)


@pytest.fixture
def stores(site_with):
    found = site_with().deployment.stores
    for known in found.resources.all():
        found.resources.remove(known.identifier, EVENT)
    return found


def fill(stores) -> None:
    stores.resources.add(SERVER, EVENT)
    readers = stores.users.add("rita", "Rita", "-", Role.AUDITOR, EVENT)
    stores.groups.add(readers.id, "readers", EVENT)
    stores.policies.apply(RULES, 0, EVENT)
    enable(stores.resources, ISSUER, ACTS, EVENT)
    for prepared, digest in ((JOB, b"x" * 32), (APP, None)):
        assert stores.clients.preregister(prepared.client(created_at=1, secret_digest=digest), EVENT)


def export(stores) -> str:
    return exported(stores)


def test_what_is_exported_changes_nothing_where_it_was_written_but_what_is_gone(stores) -> None:
    fill(stores)
    (change,) = Planner(stores, ISSUER).plan(export(stores).encode(), prune=True)
    (difference,) = change.differences
    assert (difference.member, difference.new) == ("tools", ())
    (gone,) = difference.gone
    assert gone.startswith("gone ")


def test_what_is_exported_makes_the_same_elsewhere(stores) -> None:
    fill(stores)
    text = export(stores)
    stores.resources.remove(SERVER.identifier, EVENT)
    for client in stores.clients.preregistered():
        stores.clients.delete(client.client_id, EVENT)
    rita = stores.users.by_name("rita")
    stores.groups.remove(rita.id, "readers", EVENT)
    stores.users.set_role(rita.id, Role.MEMBER, Role.AUDITOR, EVENT)
    stores.policies.apply((), 1, EVENT)
    for change in Planner(stores, ISSUER).plan(text.encode(), prune=False):
        change.make(stores)
    (made,) = (one for one in stores.resources.all() if one.identifier == SERVER.identifier)
    again = {tool.name: tool for tool in made.tools}
    assert again["null"] == replace(TOOLS[1])
    assert again["claimed"].word is Word.ADMINISTRATOR, "a server that never spoke here has no words"
    assert yaml.safe_load(export(stores)) == yaml.safe_load(text.replace("    word: server\n", ""))


def test_a_suspended_server_is_exported_as_one_and_comes_back_so(stores) -> None:
    stores.resources.add(SERVER, EVENT)
    stores.resources.set_suspended(SERVER.identifier, True, EVENT)
    text = export(stores)
    (one,) = yaml.safe_load(text)["resources"]
    assert one["suspended"] is True
    stores.resources.remove(SERVER.identifier, EVENT)
    for change in Planner(stores, ISSUER).plan(text.encode(), prune=False):
        change.make(stores)
    assert [found.identifier for found in stores.resources.suspended()] == [SERVER.identifier]
    assert Planner(stores, ISSUER).plan(text.encode(), prune=True) == ()
    assert export(stores) == text.replace("    word: server\n", "")


def test_a_file_lets_a_server_be_used_again_if_it_says_so(stores) -> None:
    stores.resources.add(replace(SERVER, tools=()), EVENT)
    usable = export(stores)
    stores.resources.set_suspended(SERVER.identifier, True, EVENT)
    assert Planner(stores, ISSUER).plan(usable.encode(), prune=True) == (), "it is silent about that"
    said = yaml.safe_dump({"resources": [{**yaml.safe_load(usable)["resources"][0], "suspended": False}]})
    (change,) = Planner(stores, ISSUER).plan(said.encode(), prune=True)
    assert change.differences == (Difference("suspended", ("yes",), ()),)
    change.make(stores)
    assert stores.resources.suspended() == ()
    assert Planner(stores, ISSUER).plan(said.encode(), prune=True) == ()


def test_no_secret_is_exported_and_what_applying_means_is_said(run: Run, tmp_path: Path) -> None:
    run("resource", "add", "https://n.example/mcp", "--name", "N", "--scope", "n:read=Read")
    added = run("client", "add", "Job", "--id", "job", "--allow", "https://n.example/mcp=n:read").output
    secret = added.split("client_secret: ")[1].strip()
    shown = run("export")
    assert shown.exit_code == 0
    assert secret not in shown.output
    assert "client job: elsewhere it gets another secret" in shown.stderr
    file = tmp_path / "all.yaml"
    file.write_text(shown.stdout)
    assert run("apply", str(file), "--prune").output == "nothing to do\n"


def test_an_export_without_rules_and_of_members_takes_nothing_away_elsewhere(stores) -> None:
    member = stores.users.add("rita", "Rita", "-", Role.MEMBER, EVENT)
    stores.groups.add(member.id, "readers", EVENT)
    text = export(stores)
    stores.users.set_role(member.id, Role.SUPPORT, Role.MEMBER, EVENT)
    stores.policies.apply(RULES, 0, EVENT)
    assert Planner(stores, ISSUER).plan(text.encode(), prune=True) == ()


def test_that_everything_is_allowed_without_rules_is_said(stores) -> None:
    stores.policies.apply(RULES, 0, EVENT)
    (change,) = Planner(stores, ISSUER).plan(b"rules: []", prune=False)
    assert "everything is allowed" in change.consequence


def test_words_that_a_terminal_would_obey_are_escaped_and_come_back(stores) -> None:
    fill(stores)
    assert "\\" not in export(stores)
    odd = "Bücher \u202egnp.exe\u200b"
    stores.resources.replace(replace(SERVER, name=odd), EVENT)
    text = export(stores)
    assert text.isascii()
    assert odd in [one["name"] for one in yaml.safe_load(text)["resources"]]
