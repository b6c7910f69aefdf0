"""``authserver grant whose`` and ``authserver settings``: what is told on the command line, and what never is."""

import json

import pytest
from click.testing import CliRunner

from authserver.cli import main
from authserver.settings import Settings
from tests.conformance.flow import Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor


def asked(value: str, *options: str):
    return CliRunner().invoke(main, ["grant", "whose", *options], input=value)


def test_a_token_is_told_by_its_grant_and_person(site: Site):
    flow = Flow(site)
    flow.register()
    tokens = flow.tokens(Visitor(site, "ada"))
    for name, kind in (("access_token", "access token"), ("refresh_token", "refresh token")):
        answer = asked(tokens[name] + "\n", "--json")
        assert answer.exit_code == 0, answer.output
        told = json.loads(answer.stdout)
        assert (told["kind"], told["standing"], told["username"]) == (kind, "live", "ada")
        assert told["client_id"] == flow.values["client_id"]
        plain = asked(tokens[name])
        assert f"grant_id: {told['grant_id']}" in plain.stdout
        assert tokens[name] not in plain.output + answer.output


@pytest.mark.parametrize("value", ["", "nothing", "mcpr_x", "a.b.c", "\x1b[31m"])
def test_what_is_nothing_here_is_status_1(site: Site, value: str):
    answer = asked(value)
    assert answer.exit_code == 1
    assert "\x1b" not in answer.output


def test_settings_are_listed_with_their_source_and_without_secrets(run, monkeypatch):
    monkeypatch.setenv("AUTHSERVER_AUDIT_WEBHOOK_SECRET", "hidden-" * 5)
    answer = run("settings", "--json")
    assert answer.exit_code == 0
    found = {line["name"]: line for line in map(json.loads, answer.stdout.splitlines())}
    assert found.keys() == Settings.model_fields.keys()
    assert (found["home"]["source"], found["workers"]["source"]) == ("environment", "default")
    assert found["audit_webhook_secret"]["value"] == "set"
    assert "workers = 2  (default)" in run("settings").stdout
    assert "hidden" not in answer.output + run("settings").output
