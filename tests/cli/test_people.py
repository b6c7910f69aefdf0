"""People by command: the same acts as in the console, with the same refusals."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from authserver.app import create_app
from authserver.protocol.audit import Origin
from authserver.protocol.upstream.identity import Identity
from authserver.services.deployment import Deployment
from authserver.store.factors import Kind, NewFactor
from tests.cli.conftest import Run
from tests.store.scene import EVENT, NOTES, Scene, a_client


@pytest.fixture
def found(people: Run) -> Iterator[Deployment]:
    """The deployment that the commands are about, in this process."""
    deployment: Deployment = create_app().extensions["authserver"]
    yield deployment
    deployment.stores.database.close()


@pytest.fixture
def people(run: Run) -> Run:
    assert run("user", "add", "--role", "owner", "root").exit_code == 0
    assert run("user", "add", "ada", "--name", "Ada \x1b[31mL.").exit_code == 0
    return run


def told(run: Run, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*arguments, "--json").output.splitlines()]


def test_people_are_listed_and_shown(people: Run):
    assert sorted((one["username"], one["role"], one["state"]) for one in told(people, "user", "list")) == [
        ("ada", "member", "active"),
        ("root", "owner", "active"),
    ]
    assert [one["username"] for one in told(people, "user", "list", "--search", "OO")] == ["root"]
    said = people("user", "list").output
    assert "\x1b" not in said
    assert "Ada ?[31mL." in said
    assert "role: owner" in people("user", "show", "ROOT").output
    (shown,) = told(people, "user", "show", "ada")
    assert (shown["sessions"], shown["grants"]) == ([], [])
    assert "password" not in str(shown)


def test_a_role_is_given_and_the_last_owner_stays(people: Run):
    assert people("user", "role", "ada", "admin").output == "ada is admin, was member\n"
    assert people("user", "role", "ada", "admin").output == "nothing to do\n"
    for refused in (people("user", "role", "root", "member"), people("user", "disable", "root")):
        assert refused.exit_code != 0
        assert "make somebody else an owner first" in refused.output
    assert people("user", "role", "ada", "king").exit_code != 0
    assert people("user", "role", "ada", "owner").exit_code == 0
    assert people("user", "disable", "root").exit_code == 0


def test_a_person_is_disabled_and_enabled(people: Run):
    assert people("user", "disable", "ada").output == "disabled ada\n"
    assert people("user", "disable", "ada").output == "nothing to do\n"
    assert "disabled" in people("user", "list", "--search", "ada").output
    assert people("user", "enable", "ada").output == "enabled ada\n"
    assert told(people, "user", "show", "ada")[0]["state"] == "active"


def test_sessions_are_shown_and_ended_one_or_all(people: Run, found: Deployment):
    ada = found.stores.users.by_name("ada")
    assert ada is not None
    secrets = [found.sessions.open(ada, Origin("192.0.2.7"), f"Browser {number} \x1b[0m") for number in range(3)]
    said = people("user", "show", "ada").output
    assert said.count("192.0.2.7") == 3
    assert "\x1b" not in said
    (shown,) = told(people, "user", "show", "ada")
    one = next(line["id"] for line in shown["sessions"] if line["agent"].startswith("Browser 1"))
    assert people("user", "sessions", "end", "ada", "--id", one).exit_code == 0
    assert [found.sessions.find(secret) is not None for secret in secrets] == [True, False, True]
    for again in (("ada", one), ("root", one), ("ada", "%00")):
        assert "no such session" in people("user", "sessions", "end", again[0], "--id", again[1]).output
    assert people("user", "sessions", "end", "ada").output == "ended 2 sessions\n"
    assert not any(map(found.sessions.find, secrets))


def test_grants_are_revoked_by_whom_to_whom_and_where(people: Run, found: Deployment):
    client, stores = a_client(), found.stores
    stores.clients.register(client, EVENT)
    stores.resources.add(NOTES, EVENT)
    scenes = [Scene(stores, line.user.id, client) for line in stores.users.page("", None, 9)]

    def allow() -> None:
        for scene in scenes:
            scene.approve()

    allow()
    assert [len(one["grants"]) for one in told(people, "user", "show", "ada")] == [1]
    assert people("grant", "revoke", "--user", "ada").output == "revoked 1\n"
    allow()
    assert people("grant", "revoke", "--client", client.client_id, "--user", "root").output == "revoked 1\n"
    assert people("grant", "revoke", "--server", NOTES.identifier).output == "revoked 1\n"
    allow()
    assert people("grant", "revoke", "--all").output == "revoked 2\n"
    assert people("grant", "revoke", "--all").output == "revoked 0\n"


def test_lost_factors_are_removed(people: Run, found: Deployment):
    ada = found.stores.users.by_name("ada")
    found.stores.factors.add(ada.id, NewFactor(Kind.PASSKEY, "Key", b"x", credential_id=b"y"), EVENT)
    found.second_factors.codes.new_recovery_codes(ada, Origin())
    assert people("user", "remove-factors", "ada").output == "removed 1 factor\n"
    assert people("user", "remove-factors", "ada").output == "removed 0 factors\n"
    assert found.stores.factors.of_user(ada.id) == ()
    assert found.stores.recovery_codes.left(ada.id) == 0


UNCLEAR = [(), ("--all", "--user", "ada"), ("--user", "x"), ("--client", "x"), ("--server", "x")]


def test_grants_are_listed_and_one_of_them_revoked(people: Run, found: Deployment):
    client = a_client(name="Editor \x1b[31m")
    found.stores.clients.register(client, EVENT)
    ada = found.stores.users.by_name("ada")
    assert ada is not None
    Scene(found.stores, ada.id, client).approve()
    (listed,) = told(people, "grant", "list", "--search", "edit")
    assert (listed["username"], listed["client_id"], listed["revoked_at"]) == ("ada", client.client_id, None)
    said = people("grant", "list").output
    assert "Editor ?[31m" in said
    assert "revoked" not in said
    assert people("grant", "revoke", listed["id"]).output == "revoked 1\n"
    assert "revoked" in people("grant", "list").output
    assert "there is no live grant" in people("grant", "revoke", listed["id"]).output


@pytest.mark.parametrize("options", UNCLEAR)
def test_nothing_is_revoked_by_an_unclear_word(people: Run, options: tuple[str, ...]):
    assert people("grant", "revoke", *options).exit_code != 0


@pytest.mark.parametrize(
    "line", ["show {}", "disable {}", "enable {}", "role {} member", "sessions end {}", "remove-factors {}"]
)
def test_who_is_not_there_is_told(people: Run, line: str):
    refused = people("user", *line.format("nobody").split())
    assert refused.exit_code == 1
    assert "there is no user 'nobody'" in refused.output


def test_the_identities_of_a_person_are_shown(people: Run, found: Deployment):
    stores, hostile = found.stores, "ada \x1b[31m"
    ada = stores.users.by_name("ada")
    stores.identities.link(ada.id, Identity("https://idp.example", "s-1", hostile), EVENT)
    (shown,) = told(people, "user", "show", "ada")
    assert [(one["issuer"], one["subject"], one["name"]) for one in shown["identities"]] == [
        ("https://idp.example", "s-1", hostile)
    ]
    said = people("user", "show", "ada").output
    assert "identity https://idp.example  s-1  ada ?[31m" in said
