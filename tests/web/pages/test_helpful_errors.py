"""Error pages that help: what became of the app, which one it is, how to reset it, and what the log knows of it."""

import json
import re

import pytest
import structlog

from authserver.protocol.audit import Event
from authserver.protocol.registry.known import registry
from tests.conformance.flow import LOOPBACK, PUBLIC

from .conftest import HOSTED
from .test_consent_page import words

EVENT = Event("test.done", "system")
CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback"
BREAKOUT = '"><script>alert(1)</script><a href="https://evil.example">'


@pytest.fixture
def logs_restored():
    """The logs of other tests go their way again afterwards."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


def links(page) -> list[str]:
    return [link for link in re.findall(r'(?:href|src|action)="([^"]*)"', page.text) if link[0] not in "/#"]


@pytest.mark.requirement("AZ-2", "CR-15")
def test_a_client_that_never_registered_is_told_from_one_that_was_deleted(site, flow, visitor):
    flow.values["client_id"] = "nobody"
    page = visitor.open(flow.url())
    assert (page.status_code, page.location) == (400, None)
    assert "This app is not registered here" in words(page)
    flow.register()
    site.deployment.stores.clients.delete(flow.values["client_id"], EVENT)
    page = visitor.open(flow.url())
    assert (page.status_code, page.location) == (400, None)
    assert "This app’s registration was deleted" in words(page)


@pytest.mark.requirement("AZ-2", "CR-15")
def test_a_suspended_client_is_said_to_be_stopped_and_not_to_be_reset(site, flow, visitor):
    flow.register({**PUBLIC, "client_name": "My editor"})
    site.deployment.stores.clients.set_suspended(flow.values["client_id"], True, EVENT)
    page = visitor.open(flow.url())
    assert (page.status_code, page.location) == (400, None)
    assert "This app was stopped here" in words(page)
    assert "My editor" in words(page)
    assert "reset" not in words(page)


@pytest.mark.requirement("CR-15")
@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (CURSOR, ["How to reset Cursor", "log out of the server"]),
        ("http://localhost:3118/callback", ["How to reset Claude Code", "Clear authentication"]),
        ("https://vscode.dev/redirect", ["How to reset VS Code", "Remove Dynamic Authentication Providers"]),
        ("http://localhost:9999/oauth/callback", ["it may be one of these", "rm -rf ~/.mcp-auth", "/mcp auth NAME"]),
    ],
)
def test_the_page_says_how_to_reset_the_very_client_that_it_may_be(flow, visitor, uri, said):
    flow.values["client_id"] = "gone"
    text = words(visitor.open(flow.url(redirect_uri=uri)))
    assert all(one in text for one in said)


@pytest.mark.requirement("CR-15")
def test_a_client_is_known_by_its_documents_url_and_by_its_name_too(flow, visitor):
    flow.register({**PUBLIC, "client_name": "MCP CLI Proxy", "redirect_uris": [HOSTED]})
    assert "How to reset mcp-remote" in words(visitor.open(flow.url(redirect_uri="https://other.example/callback")))


@pytest.mark.requirement("CR-15")
def test_where_any_client_could_be_meant_all_are_there_to_look_up(flow, visitor):
    flow.values["client_id"] = "gone"
    text = words(visitor.open(flow.url(redirect_uri="https://unknown.example/callback")))
    assert "How to reset the app" in text
    for client in registry().clients:
        assert not client.reset or client.title in text


@pytest.mark.requirement("AZ-2", "CR-15")
@pytest.mark.parametrize(
    "wrong", ["https://evil.example/callback", "javascript:alert(1)", "https://[", "//evil.example", BREAKOUT]
)
def test_a_changed_redirect_uri_is_named_but_never_linked(flow, visitor, wrong):
    flow.register({**PUBLIC, "client_name": "My editor"})
    page = visitor.open(flow.url(redirect_uri=wrong))
    assert (page.status_code, page.location) == (400, None)
    assert "The app asked for an address that it did not register" in words(page)
    assert "My editor" in words(page)
    assert ("It asked for evil.example" in words(page)) == wrong.startswith("https://evil")
    assert links(page) == []
    assert "<script" not in page.text


@pytest.mark.requirement("AZ-2")
@pytest.mark.parametrize("parameter", ["client_id", "redirect_uri", "state", "scope"])
def test_nothing_that_a_stranger_sends_becomes_markup_or_a_link(flow, visitor, parameter):
    flow.values["client_id"] = "gone"
    for sent in (BREAKOUT, "https://evil.example/callback"):
        page = visitor.open(flow.url(**{parameter: sent}))
        assert page.status_code == 400
        assert links(page) == []
        assert "<script" not in page.text


@pytest.mark.requirement("CR-15")
@pytest.mark.parametrize(
    ("path", "logged"),
    [
        (
            f"/authorize?client_id=gone&redirect_uri={LOOPBACK}",
            {"event": "request refused", "description": "this client is not registered here"},
        ),
        ("/nothing-here", {"event": "page refused", "status": 404}),
    ],
)
@pytest.mark.usefixtures("logs_restored")
def test_the_reference_on_the_page_is_in_the_log(site_with, capfd, path, logged):
    page = site_with(log_level="INFO").get(path)
    reference = re.search(r"Reference: <code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)[1]
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("correlation_id") == reference]
    assert logged.items() <= line.items()


@pytest.mark.requirement("CR-15")
@pytest.mark.usefixtures("logs_restored")
def test_what_a_stranger_sends_is_cut_and_kept_to_one_line_in_the_log(site_with, capfd):
    site_with(log_level="INFO").get("/authorize?client_id=gone%0A%7B%22event%22%3A%22forged%22%7D" + "x" * 1000)
    found = [line for line in capfd.readouterr().err.splitlines() if "gone" in line]
    assert len(found) == 1
    assert len(found[0]) < 1000
