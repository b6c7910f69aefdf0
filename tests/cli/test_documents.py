"""The command line on clients that name themselves by a URL: domains, and documents that an administrator gives."""

import json

import pytest
from click.testing import CliRunner

from authserver.app import create_app
from authserver.cli import main
from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.settings import load

URL = "https://app.example/client.json"
DOCUMENT = {"client_id": URL, "client_name": "App", "redirect_uris": ["https://app.example/callback"]}


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "client.json"
    made.write_text(json.dumps(DOCUMENT))
    return made


@pytest.mark.requirement("CR-10")
def test_domains_are_decided_about_listed_and_forgotten(run):
    assert run("domain", "allow", "Good.Example").output == "allow: good.example\n"
    assert run("domain", "deny", "bücher.example").output == "deny: xn--bcher-kva.example\n"
    assert run("domain", "ask", "good.example").exit_code == 0
    assert run("domain", "list").output == "DECISION  DOMAIN\nask       good.example\ndeny      xn--bcher-kva.example\n"
    assert run("domain", "forget", "good.example").exit_code == 0
    assert run("domain", "forget", "good.example").exit_code == 1


@pytest.mark.parametrize("name", ["", "https://a.example", "a..example", "*.example", "a example"])
def test_what_is_no_domain_is_refused(run, name):
    assert run("domain", "deny", name).exit_code != 0
    assert run("domain", "list").output == ""


@pytest.mark.requirement("CR-9")
def test_a_document_is_pinned_shown_and_given_back(run, file):
    assert "nothing was ever fetched" in run("document", "show", URL).output
    assert run("document", "pin", URL, str(file)).output == f"pinned {URL}\n"
    shown = run("document", "show", URL).output
    assert "state: pinned" in shown
    assert '"client_name": "App"' in shown
    assert run("document", "unpin", URL).exit_code == 0
    assert run("document", "unpin", URL).exit_code == 1
    assert "no change" in run("document", "accept", URL).output


@pytest.mark.requirement("CR-7")
@pytest.mark.parametrize(
    ("url", "change"),
    [
        ("http://app.example/client.json", {}),
        ("https://localhost/client.json", {}),
        (URL, {"client_id": "https://else.example/client.json"}),
        (URL, {"client_secret": "hunter2"}),
    ],
)
def test_a_document_that_could_not_be_fetched_cannot_be_pinned_either(run, file, url, change):
    file.write_text(json.dumps({**DOCUMENT, **change}))
    refused = run("document", "pin", url, str(file))
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
    assert "nothing was ever fetched" in run("document", "show", url).output


def test_a_file_that_is_no_text_or_too_large_is_refused_in_words(run, file):
    file.write_bytes(b"\xff\xfe")
    assert "UTF-8" in run("document", "pin", URL, str(file)).output
    file.write_bytes(b" " * 70_000)
    assert "larger" in run("document", "pin", URL, str(file)).output


def test_where_documents_are_switched_off_the_command_says_so(run, file, monkeypatch):
    monkeypatch.setenv("AUTHSERVER_METADATA_DOCUMENTS", "false")
    assert "switched off" in run("document", "pin", URL, str(file)).output


@pytest.mark.requirement("CR-9")
def test_a_change_is_shown_before_it_is_let_in(run, file):
    assert run("document", "pin", URL, str(file)).exit_code == 0
    former = Client(
        client_id=URL,
        kind=ClientKind.METADATA_DOCUMENT,
        name="Former\x1b[2J",
        redirect_uris=tuple(DOCUMENT["redirect_uris"]),
        auth_method=AuthMethod.NONE,
        grant_types=("authorization_code",),
        created_at=1,
        metadata={"document": "former", "held_document": "newer"},
    )
    stores = create_app(load()).extensions["authserver"].stores
    stores.clients.preregister(former, Event("client.discovered", "system"))
    stores.database.close()
    refused = CliRunner().invoke(main, ("document", "accept", URL), input="n\n")
    assert "waits: name: Former?[2J -> App" in refused.output
    assert refused.exit_code == 1
    assert "accepted" in run("document", "accept", URL, "--yes").output
    assert "name: App" in run("client", "show", URL).output
    assert "no change" in run("document", "accept", URL).output
