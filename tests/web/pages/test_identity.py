"""Who asks, on the consent page: what vouches for a name, and which names and addresses are to be looked at twice."""

import json
from dataclasses import replace

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.domain import Decision
from tests.conformance.flow import PUBLIC, Flow

from .test_consent_page import WARNING, words
from .test_decisions import decide

CLAUDE = "https://claude.ai/api/mcp/auth_callback"
EVIL = "https://claude.ai.evil.example/callback"
DOCUMENT = "https://claude.ai/oauth/claude-code-client-metadata"
EVENT = Event("test.done", "system")


def ask(flow: Flow, visitor, name: str, uri: str):
    flow.register({**PUBLIC, "client_name": name, "redirect_uris": [uri]})
    return visitor.open(flow.url(redirect_uri=uri))


def publish(flow: Flow, url: str, name: str, uri: str) -> None:
    """Have the client be one whose metadata document is at *url*."""
    said = {"client_id": url, "client_name": name, "redirect_uris": [uri], "token_endpoint_auth_method": "none"}
    flow.site.deployment.known_clients.documents.pin(url, json.dumps(said), EVENT)
    flow.values["client_id"] = url


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    "name", ["Claude", "Сlаude", "C l a u d e", "Claude (verified)", "Cla\u200dude", "x" * 150 + " Claude"]
)
def test_a_borrowed_name_stands_out_with_where_what_is_allowed_would_go(flow, visitor, name):
    page = ask(flow, visitor, name, EVIL)
    assert "Look twice." in words(page)
    assert "It uses the name Claude , but claude.ai. evil.example would get what you allow." in words(page)
    assert "Claude is at claude.ai, claude.com, anthropic.com." in words(page)
    assert "not verified" in words(page)


@pytest.mark.requirement("AZ-8")
def test_the_part_of_an_address_that_names_its_owner_stands_out(flow, visitor):
    page = ask(flow, visitor, "Notes helper", EVIL)
    assert "<span>claude.ai.</span><strong>evil.example</strong>" in page.text
    assert "Its address has the name Claude in it, but is another’s." in words(page)


@pytest.mark.requirement("AZ-8")
def test_punycode_is_shown_as_it_is(flow, visitor):
    page = ask(flow, visitor, "Notes helper", "https://xn--clude-3ve.example/cb")
    assert "<strong>xn--clude-3ve.example</strong>" in page.text
    assert "can look like others (xn--)" in words(page)


@pytest.mark.requirement("AZ-8")
def test_an_address_that_only_the_vendor_answers_is_called_so(flow, visitor):
    page = ask(flow, visitor, "Claude", CLAUDE)
    said = words(page)
    assert "leads to Claude" in said
    assert "whoever asks, only Claude’s own website gets what you allow" in said
    assert "claude.ai a website of Claude" in said
    assert "Look twice" not in said


@pytest.mark.requirement("AZ-8")
def test_what_ends_on_the_device_is_said_to_look_like_a_client_and_no_more(flow, visitor):
    said = words(ask(flow, visitor, "Cursor", "cursor://anysphere.cursor-mcp/oauth/callback"))
    assert "It looks like Cursor, but any program on this device could look the same." in said
    assert "not verified" in said
    assert WARNING in said


@pytest.mark.requirement("AZ-8", "AZ-9")
@pytest.mark.parametrize("uri", ["https://vscode.dev/redirect", "https://vscode.dev/redirect?any=thing"])
def test_a_site_that_hands_codes_on_to_the_device_is_warned_of_and_always_asked_for(flow, visitor, uri):
    page = ask(flow, visitor, "Visual Studio Code", uri)
    assert WARNING in words(page)
    assert "a website that hands it on to a program on this device" in words(page)
    flow.answer(decide(visitor, page))
    assert "asks to go on using" in words(visitor.open(flow.url(redirect_uri=uri)))


@pytest.mark.requirement("AZ-8")
def test_a_documents_host_stands_on_the_page_and_the_device_is_warned_of_all_the_same(flow, visitor):
    publish(flow, DOCUMENT, "Claude Code", "http://localhost:3118/callback")
    said = words(visitor.open(flow.url(redirect_uri="http://localhost:3118/callback")))
    assert "published by claude.ai That is a site of Anthropic." in said
    assert WARNING in said
    assert "Look twice" not in said


@pytest.mark.requirement("AZ-8")
def test_a_strangers_document_under_a_known_name_stands_out(flow, visitor):
    publish(flow, "https://evil.example/client.json", "Claude", CLAUDE)
    said = words(visitor.open(flow.url(redirect_uri=CLAUDE)))
    assert "It uses the name Claude , but evil.example published it." in said
    assert "Its name is the word of evil.example ; nobody else has checked it." in said


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    "name",
    [
        "Notes <span class='badge live'>verified</span>",
        "Notes ✓ verified An administrator of this server registered it.",
    ],
)
def test_a_name_that_imitates_the_badge_is_text_and_stands_out(flow, visitor, name):
    page = ask(flow, visitor, name, "https://notes.example/cb")
    assert page.text.count('class="badge live"') == 0
    assert "Its name says that somebody checked it. That is its own word." in words(page)


@pytest.mark.requirement("AZ-8", "AZ-13")
def test_a_decision_counts_only_if_the_page_said_who_asks_as_it_is_now(flow, visitor):
    page = ask(flow, visitor, "Notes helper", CLAUDE)
    clients = flow.site.deployment.stores.clients
    clients.update(replace(clients.find_fresh(flow.values["client_id"]), name="ChatGPT"), EVENT)
    again = decide(visitor, page)
    assert again.status_code == 409
    assert "It uses the name ChatGPT" in words(again)


@pytest.mark.requirement("AZ-8")
def test_an_administrator_reads_what_people_are_told(flow, admin):
    uris = ["http://127.0.0.1:5000/callback", CLAUDE, EVIL]
    flow.register({**PUBLIC, "client_name": "Сlaude", "redirect_uris": uris})
    said = words(admin.open(f"/admin/client?id={flow.values['client_id']}"))
    assert "What people are told of it" in said
    assert "It uses the name Claude , but claude.ai. evil.example would get what you allow." in said
    assert "It uses the name Claude , but a program on this device would get what you allow." in said
    assert "leads to Claude" in said
    assert "What is known of Claude: Registers afresh" in said


@pytest.mark.requirement("CR-10", "AZ-8")
def test_a_documents_domain_that_an_administrator_trusts_is_called_so(flow, visitor):
    url, uri = "https://apps.trusted.example/client.json", "https://apps.trusted.example/callback"
    publish(flow, url, "Claude for us", uri)
    domains = flow.site.deployment.stores.domains
    domains.decide("trusted.example", Decision.ALLOW, EVENT)
    said = words(visitor.open(flow.url(redirect_uri=uri)))
    assert "published by apps.trusted.example An administrator of this server trusts the apps from there." in said
    assert "Look twice" not in said
