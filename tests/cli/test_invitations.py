"""Invitations by command: mailed, or printed where no mail is sent; seen, replaced and taken back."""

import hashlib
import json

import pytest
from click.testing import CliRunner

from authserver.app import create_app
from authserver.cli import main
from authserver.protocol.audit import Origin
from authserver.services.deployment import Deployment
from tests.cli.conftest import Run
from tests.mailbox import mails

ANN = ("user", "invite", "Ann", "--email", "Ann@Example.com")


def waiting(run: Run) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("user", "invitations", "--json").output.splitlines()]


def test_somebody_is_mailed_a_link(run: Run, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTHSERVER_MAIL_DIRECTORY", str(tmp_path / "mail"))
    monkeypatch.setenv("AUTHSERVER_MAIL_FROM", "server@example.com")
    said = run(*ANN, "--role", "support", "--name", "Ann A.")
    assert (said.exit_code, said.output) == (0, "invited Ann: the mail to Ann@Example.com is on its way\n")
    (mail,) = mails(tmp_path / "mail")
    assert mail["To"] == "ann@example.com"
    (line,) = waiting(run)
    assert (line["username"], line["role"], line["display_name"]) == ("ann", "support", "Ann A.")
    assert "ann@example.com" in run("user", "invitations").output


def test_a_mail_that_is_not_taken_waits_for_the_server(run: Run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTHSERVER_MAIL_DIRECTORY", str(tmp_path / "file"))
    monkeypatch.setenv("AUTHSERVER_MAIL_FROM", "server@example.com")
    said = run(*ANN)
    assert said.exit_code == 0
    assert "the mail waits" in said.output
    assert waiting(run)


def test_without_mail_the_link_is_printed_and_nowhere_else(run: Run):
    said = run(*ANN)
    assert "http://localhost:9000/account/invitation?secret=mcpl_" in said.output
    assert "mcpl_" not in run("user", "invitations", "--json").output


def test_another_invitation_of_the_name_takes_its_place(run: Run):
    first = run(*ANN).output.splitlines()[-1]
    second = run(*ANN).output.splitlines()[-1]
    assert first != second
    assert len(waiting(run)) == 1


def test_an_invitation_is_taken_back_once(run: Run):
    run(*ANN)
    assert run("user", "withdraw-invitation", "ANN").exit_code == 0
    assert waiting(run) == []
    assert "no such invitation" in run("user", "withdraw-invitation", "ann").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("аnn", "--email", "a@example.com"), "mixes alphabets"),
        (("ann", "--email", "ann"), "no mail address"),
        (("ben", "--email", "a@example.com"), "there is a user 'ben' already"),
    ],
)
def test_what_cannot_be_is_refused_in_words(run: Run, arguments: tuple[str, ...], said: str):
    run("user", "add", "ben")
    refused = run("user", "invite", *arguments)
    assert refused.exit_code == 1
    assert said in refused.output


def test_a_common_password_is_not_taken(run: Run):
    added = CliRunner().invoke(main, ("user", "add", "ben", "--password-stdin"), input="Password2024\n")
    assert added.exit_code == 1
    assert "many people use it" in added.output


def test_an_account_that_has_to_wait_is_shown_as_locked(run: Run):
    run("user", "add", "ben")
    assert json.loads(run("user", "show", "ben", "--json").output)["state"] == "active"
    found: Deployment = create_app().extensions["authserver"]
    found.sign_in.throttles.admit({f"account:{hashlib.sha256(b'ben').hexdigest()}": lambda _: 600})
    assert json.loads(run("user", "show", "ben", "--json").output)["state"] == "locked"
    found.stores.database.close()


def test_who_gets_no_mail_is_handed_a_link_for_a_new_password(run: Run):
    run("user", "add", "ben")
    link = run("user", "reset-password", "ben").output.splitlines()[-1]
    assert link.startswith("http://localhost:9000/account/reset?secret=mcpl_")
    found: Deployment = create_app().extensions["authserver"]
    secret = link.partition("secret=")[2]
    assert found.own_account.reset(secret, "quiet otters paint fences", Origin("192.0.2.1"))
    assert not found.own_account.reset(secret, "slow herons read maps", Origin("192.0.2.1"))
    assert found.sign_in.attempt("ben", "quiet otters paint fences", Origin("192.0.2.1")).username == "ben"
    found.stores.database.close()
    run("user", "add", "--role", "owner", "root")
    run("user", "disable", "ben")
    assert "is disabled" in run("user", "reset-password", "ben").output
