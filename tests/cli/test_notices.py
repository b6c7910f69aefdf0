"""``authserver notices`` and ``approval``, as an operator types them."""

import json

import pytest

from authserver.app import create_app
from authserver.protocol.audit import Event
from authserver.protocol.client import Client
from authserver.settings import load
from tests.cli.conftest import Run
from tests.store.scene import a_client

EVENT = Event("client.registered", "system")


@pytest.fixture
def mailing(run: Run, tmp_path, monkeypatch) -> Run:
    monkeypatch.setenv("AUTHSERVER_MAIL_DIRECTORY", str(tmp_path / "mail"))
    monkeypatch.setenv("AUTHSERVER_MAIL_FROM", "authserver@auth.example")
    monkeypatch.setenv("AUTHSERVER_NOTICE_MAIL", '["ann@admin.example"]')
    return run


def test_a_test_says_what_happened_to_each_target(mailing: Run, tmp_path, monkeypatch):
    done = mailing("notices", "test")
    assert (done.exit_code, done.output) == (0, "taken   mail:ann@admin.example\n")
    assert len(list((tmp_path / "mail").iterdir())) == 1
    monkeypatch.setenv("AUTHSERVER_NOTICE_WEBHOOK", "https://127.0.0.1:1/hook")
    monkeypatch.setenv("AUTHSERVER_NOTICE_WEBHOOK_SECRET", "a secret that is long enough")
    monkeypatch.setenv("AUTHSERVER_FETCH_ENTERED_NETWORKS", '["127.0.0.1:1=127.0.0.1/32"]')
    done = mailing("notices", "test")
    assert done.exit_code == 1
    assert "failed  webhook: " in done.output
    assert "could not be reached" in done.output
    listed = mailing("notices", "list").output
    assert "gave up  test to webhook" in listed
    [line] = mailing("notices", "list", "--json").output.splitlines()
    assert json.loads(line)["target"] == "webhook"


def test_without_a_target_it_says_what_to_set(run: Run):
    done = run("notices", "test")
    assert done.exit_code == 1
    assert "set notice_mail, or notice_webhook" in done.output
    assert "set notice_mail" in run("notices", "list").output


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"NOTICE_MAIL": '["x"]', "MAIL_DIRECTORY": ""}, "no mail address"),
        ({"NOTICE_MAIL": '["a@b.example\\nBcc: x@y.example"]'}, "no mail address"),
        ({"MAIL_HOST": "mail.example"}, "exclude each other"),
        ({"MAIL_DIRECTORY": ""}, "needs mail_host"),
        ({"MAIL_FROM": ""}, "mail_from"),
        ({"MAIL_DIRECTORY": "", "MAIL_HOST": "mail.example", "MAIL_SECURITY": "none", "MAIL_USERNAME": "x"}, "clear"),
        ({"NOTICE_WEBHOOK": "http://a.example"}, "https://"),
        ({"NOTICE_WEBHOOK": "https://a.example"}, "24 characters"),
        ({"ALERTS_OFF": '["unknown"]'}, "alerts_off"),
    ],
)
def test_wrong_settings_are_told_in_words(mailing: Run, monkeypatch, settings: dict[str, str], words: str):
    for name, value in settings.items():
        monkeypatch.setenv(f"AUTHSERVER_{name}", value)
    done = mailing("notices", "list")
    assert done.exit_code == 1
    assert words in done.output


def test_what_waits_is_listed_approved_and_denied(run: Run):
    first, second = waiting("First\x1b[31m app"), waiting("Second")
    listed = run("approval", "list").output
    assert "First?[31m app  sends people to client.example" in listed
    assert len(run("approval", "list", "--json", "--kind", "client").output.splitlines()) == 2
    assert run("approval", "list", "--kind", "other").exit_code == 2
    overtaken = run("approval", "approve", f"client:{first.client_id}", "--seen", "another")
    assert (overtaken.exit_code, "it changed" in overtaken.output) == (1, True)
    told = map(json.loads, run("approval", "list", "--json").output.splitlines())
    seen = {one["client_id"]: one["seen"] for one in told}
    assert run("approval", "approve", f"client:{first.client_id}", "--seen", seen[first.client_id]).exit_code == 0
    assert run("approval", "deny", f"client:{second.client_id}").output.startswith("denied client:")
    for identifier in (f"client:{first.client_id}", f"client:{second.client_id}", "change:x", "x"):
        done = run("approval", "approve", identifier)
        assert (done.exit_code, "nothing waits" in done.output) == (1, True)
    assert run("approval", "list").output == "nothing waits\n"
    assert "client:" not in run("client", "list", "--pending").output


def waiting(name: str) -> Client:
    """A client that waits for approval."""
    client = a_client(name=name, pending=True)
    stores = create_app(load()).extensions["authserver"].stores
    stores.clients.register(client, EVENT)
    stores.database.close()
    return client
