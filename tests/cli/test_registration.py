"""The command line's part in registration: tokens that open it, clients that wait, and the reaper."""

import pytest

from authserver.app import create_app
from authserver.protocol.audit import Origin
from tests.store.scene import let_pass

BODY = b'{"redirect_uris": ["https://app.example/cb"], "client_name": "An \\u001b[31mapp"}'


@pytest.fixture
def register(run, monkeypatch):
    """Registers a client with the server that the commands are about, and returns its id."""

    def make(bearer: str | None = None) -> str:
        found = create_app().extensions["authserver"]
        made = found.registration.register(BODY, Origin(), bearer)["client_id"]
        found.stores.database.close()
        return made

    return make


@pytest.mark.requirement("CR-2", "TK-6")
def test_a_registration_token_is_shown_once_listed_and_revoked(run, register, monkeypatch):
    monkeypatch.setenv("AUTHSERVER_REGISTRATION", "token")
    token = run("registration-token", "add", "CI", "--uses", "2", "--expires", "3600").output.strip()
    assert token.startswith("mcpi_")
    assert register(token)
    head, line = run("registration-token", "list").output.splitlines()
    assert token not in line
    assert "good" in line
    assert head.split() == ["ID", "STATE", "USES", "LEFT", "UNTIL", "LABEL"]
    assert line.split()[2] == "1"
    assert line.endswith("CI")
    assert run("registration-token", "revoke", line.split()[0]).exit_code == 0
    assert "revoked" in run("registration-token", "list").output
    assert run("registration-token", "revoke", line.split()[0]).exit_code == 1


@pytest.mark.parametrize(
    "arguments", [("",), ("a\x1b[31m",), ("x" * 201,), ("CI", "--uses", "0"), ("CI", "--expires", "-1")]
)
def test_a_registration_token_that_makes_no_sense_is_not_made(run, arguments):
    assert run("registration-token", "add", *arguments).exit_code != 0
    assert run("registration-token", "list").output == ""


@pytest.mark.requirement("CR-2")
def test_waiting_clients_are_listed_and_approved_or_refused(run, register, monkeypatch):
    monkeypatch.setenv("AUTHSERVER_REGISTRATION", "approval")
    wanted, unwanted = register(), register()
    listed = run("client", "list", "--pending").output
    assert wanted in listed
    assert unwanted in listed
    assert "\x1b" not in listed
    approved = run("client", "approve", wanted)
    assert approved.exit_code == 0
    assert "https://app.example/cb" in approved.output
    assert run("client", "refuse", unwanted).exit_code == 0
    assert run("client", "list", "--pending").output == ""
    assert wanted in run("client", "list").output
    for gone in (wanted, unwanted, "nobody"):
        for verb in ("approve", "refuse"):
            answer = run("client", verb, gone)
            assert answer.exit_code == 1
            assert "no such client waits" in answer.output


@pytest.mark.requirement("CR-3")
def test_the_reaper_shows_first_and_then_does_what_it_said(run, register, monkeypatch):
    made = register()
    assert "would go: 0 unused, 0 idle" in run("client", "reap", "--dry-run").output
    found = create_app().extensions["authserver"]
    let_pass(found.stores.database, 31 * 86_400)
    shown = run("client", "reap", "--dry-run").output
    assert made in shown
    assert "\x1b" not in shown
    assert "would go: 1 unused, 0 idle" in shown
    assert run("client", "reap").output == "deleted 1 unused, ended 0 idle\n"
    assert run("client", "reap").output == "deleted 0 unused, ended 0 idle\n"
    found.stores.database.close()
