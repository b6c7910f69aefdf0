"""The registry of real clients, and what it makes of those that say they are one of them (AZ-8, CR-16)."""

from pathlib import Path

import pytest

from authserver.protocol import redirect_uri
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.protocol.registry.known import registry
from authserver.protocol.registry.recognition import Doubt, Proof, Recognition, recognise, stays_on_device

CONNECT = Path(__file__).parents[3].joinpath("docs", "connect.md").read_text("utf-8")
EVIL = "https://evil.example/callback"
CLAUDE = "https://claude.ai/api/mcp/auth_callback"
CLAUDE_DOCUMENT = "https://claude.ai/oauth/mcp-oauth-client-metadata"
CODE_DOCUMENT = "https://claude.ai/oauth/claude-code-client-metadata"
CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback"


def made(name: str, uri: str, *, document: str | None = None, kind: ClientKind = ClientKind.DYNAMIC) -> Recognition:
    kind = ClientKind.METADATA_DOCUMENT if document else kind
    return recognise(Client(document or "an-id", kind, name, (uri,), AuthMethod.NONE, (), 0), uri)


@pytest.mark.parametrize("client", registry().clients, ids=lambda client: client.id)
def test_each_entry_is_sound(client):
    assert client.title
    assert set(client.registers) <= {"metadata_document", "dynamic"}
    for uri in client.redirects:
        redirect_uri.check(uri.replace(":*", ":1").replace("*", "x"))
        assert client.sends_to(uri.replace(":*", ":1").replace("*", "x"))
    assert set(client.relays) <= set(client.redirects)
    assert all(host == host.lower() for host in client.domains)
    assert all(client.owns(host) for host in client.hosts)
    assert all(step.endswith(".") or step.startswith(("Run:", "Then:")) for step in client.reset)


@pytest.mark.requirement("CR-15")
@pytest.mark.parametrize("client", registry().clients, ids=lambda client: client.id)
def test_the_page_on_connecting_says_of_each_client_how_to_reset_it(client):
    part = CONNECT.partition(f"\n## {client.title}\n")[2].partition("\n## ")[0]
    assert part
    for step in client.reset:
        assert f"\n- {step}\n" in part
    assert ("\n- " in part) == bool(client.reset)


def test_ids_are_unique_and_the_file_says_when_it_was_looked_at():
    ids = [client.id for client in registry().clients]
    assert len(ids) == len(set(ids))
    assert registry().seen >= "2026-11-22"
    assert registry().version == 1


@pytest.mark.requirement("AZ-8")
def test_a_vendors_own_document_proves_its_client():
    found = made("Claude", CLAUDE, document=CLAUDE_DOCUMENT)
    assert (found.known.id, found.proof, found.publisher, found.doubts) == ("claude", Proof.DOCUMENT, "claude.ai", ())
    chatgpt = made(
        "ChatGPT", "https://chatgpt.com/connector/oauth/a1", document="https://chatgpt.com/oauth/a1/client.json"
    )
    assert (chatgpt.known.id, chatgpt.proof) == ("chatgpt", Proof.DOCUMENT)


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    "document",
    [
        "https://evil.example/oauth/mcp-oauth-client-metadata",
        "https://claude.ai.evil.example/oauth/mcp-oauth-client-metadata",
        f"{CLAUDE_DOCUMENT}?a=b",
        f"{CLAUDE_DOCUMENT}/",
        "https://claude.ai:8443/oauth/mcp-oauth-client-metadata",
        "http://claude.ai/oauth/mcp-oauth-client-metadata",
        "https://chatgpt.com/oauth/a/../client.json",
        "https://chatgpt.com/oauth/../client.json",
        "https://chatgpt.com/oauth/%2e%2e/client.json",
        "https://chatgpt.com/oauth/a/b/client.json",
    ],
)
def test_another_document_proves_nothing(document):
    assert made("Claude", CLAUDE, document=document).proof is Proof.NONE


@pytest.mark.requirement("AZ-8")
def test_where_only_the_vendor_gets_the_code_that_is_said_whatever_the_client_calls_itself():
    for name in ("Claude", "Somebody"):
        found = made(name, CLAUDE)
        assert (found.known.id, found.proof, found.on_device) == ("claude", Proof.REDIRECT, False)


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    "uri",
    [
        f"{CLAUDE}/../../evil",
        f"{CLAUDE}?next=https://evil.example",
        "https://claude.ai/other",
        "https://claude.ai:444/api/mcp/auth_callback",
        "https://chatgpt.com/connector/oauth/",
        "https://chatgpt.com/connector/oauth/a/b",
        "https://chatgpt.com/connector/oauth/..",
        "https://chatgpt.com/connector/oauth/.",
    ],
)
def test_another_address_of_the_same_host_proves_nothing(uri):
    found = made("Somebody", uri)
    assert (found.proof, found.known) == (Proof.NONE, None)


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    ("name", "uri", "known"),
    [
        ("Cursor", CURSOR, "cursor"),
        ("Claude Code (notes)", "http://localhost:49152/callback", "claude-code"),
        ("Visual Studio Code", "http://127.0.0.1:51234/", "vscode"),
        ("Visual Studio Code", "https://vscode.dev/redirect", "vscode"),
        ("MCP Inspector", "http://localhost:6274/oauth/callback", "mcp-inspector"),
    ],
)
def test_what_ends_on_the_device_is_never_proven_and_never_doubted_if_the_client_works_so(name, uri, known):
    found = made(name, uri)
    assert (found.known.id, found.proof, found.on_device, found.doubts) == (known, Proof.NONE, True, ())


@pytest.mark.requirement("AZ-8")
def test_a_document_does_not_prove_which_program_on_the_device_asks():
    found = made("Claude Code", "http://localhost:3118/callback", document=CODE_DOCUMENT)
    assert (found.proof, found.on_device) == (Proof.DOCUMENT, True)


@pytest.mark.requirement("AZ-8", "AZ-9")
def test_a_site_that_hands_the_code_on_to_the_device_counts_as_the_device():
    assert stays_on_device("https://vscode.dev/redirect")
    for disguise in ("?", "?state=x", "/", "/../redirect", "%2f", "/x"):
        assert stays_on_device(f"https://vscode.dev/redirect{disguise}")
    for other in ("https://vscode.dev:443/redirect", "https://VSCode.dev/redirect", "https://vscode.dev./redirect"):
        assert stays_on_device(other)
    assert not stays_on_device("https://evil.vscode.dev.example/redirect")


@pytest.mark.requirement("AZ-8", "AZ-9")
@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8443",
        "app.localhost",
        "127.0.0.1:1",
        "127.0.0.2",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ],
)
def test_a_program_on_the_device_that_speaks_https_is_one_all_the_same(host: str):
    assert stays_on_device(f"https://{host}/cb")
    assert not stays_on_device(f"https://x.example/{host}")
    assert not stays_on_device("https://localhost.example/cb")
    assert not stays_on_device(CLAUDE)


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    ("name", "uri", "brand"),
    [
        ("Claude", EVIL, "Claude"),
        ("Сlаude", EVIL, "Claude"),
        ("Claude", "https://claude.ai.evil.example/api/mcp/auth_callback", "Claude"),
        ("Claude", "https://claude.ai./api/mcp/auth_callback", "Claude"),
        ("Claude", "https://notclaude.ai/api/mcp/auth_callback", "Claude"),
        ("Claude", "http://127.0.0.1:5000/callback", "Claude"),
        ("ChatGPT", CLAUDE, "ChatGPT"),
        ("Cursor", "evil://anysphere.cursor-mcp/oauth/callback", "Cursor"),
        ("Claude by Anthropic", EVIL, "Anthropic"),
        ("Slack", "http://127.0.0.1:5000/callback", "Slack"),
        ("x" * 190 + " Claude", EVIL, "Claude"),
    ],
)
def test_a_borrowed_name_is_doubted(name, uri, brand):
    found = made(name, uri)
    assert Doubt.BRAND in found.doubts
    assert found.brand.title == brand
    assert found.known is None or (name, uri) == ("ChatGPT", CLAUDE)


@pytest.mark.requirement("AZ-8")
def test_a_strangers_document_is_doubted_even_if_the_code_goes_to_the_vendor():
    found = made("Claude", CLAUDE, document="https://evil.example/client.json")
    assert (found.proof, found.publisher, found.doubts) == (Proof.NONE, "evil.example", (Doubt.BRAND,))


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize(
    ("name", "uri", "doubt"),
    [
        ("Notes", "https://claude.ai.evil.example/cb", Doubt.BRAND_IN_ADDRESS),
        ("Notes", "https://claude-login.example/cb", Doubt.BRAND_IN_ADDRESS),
        ("Notes", "https://xn--clude-3ve.example/cb", Doubt.STRANGE_ADDRESS),
        ("Notes (verified)", EVIL, Doubt.CLAIM),
        ("Nоtes", EVIL, Doubt.STRANGE_LETTERS),
        ("No\u200btes", EVIL, Doubt.HIDDEN),
        ("Go to mybank.com", EVIL, Doubt.ADDRESS_IN_NAME),
    ],
)
def test_other_tricks_are_doubted(name, uri, doubt):
    assert made(name, uri).doubts == (doubt,)


@pytest.mark.parametrize(
    ("name", "uri"),
    [("Notes", EVIL), ("evil.example", EVIL), ("127.0.0.1", "http://127.0.0.1:1/cb"), ("日本語 ✨", EVIL), ("", EVIL)],
)
def test_an_ordinary_stranger_is_not_doubted(name, uri):
    assert made(name, uri).doubts == ()


@pytest.mark.requirement("AZ-8")
def test_what_an_administrator_registered_is_not_doubted():
    found = made("Claude (verified)", EVIL, kind=ClientKind.PREREGISTERED)
    assert (found.proof, found.doubts, found.brand) == (Proof.ADMINISTRATOR, (), None)


@pytest.mark.requirement("CR-15")
@pytest.mark.parametrize(
    ("client_id", "uri", "name", "likely"),
    [
        ("", CURSOR, "", ["cursor"]),
        ("", "http://localhost:3118/callback", "", ["claude-code"]),
        ("", "http://localhost:9999/oauth/callback", "", ["mcp-remote", "gemini-cli"]),
        ("https://claude.ai/oauth/claude-code-client-metadata", EVIL, "", ["claude-code"]),
        ("", EVIL, "MCP CLI Proxy (notes.example)", ["mcp-remote"]),
        ("", EVIL, "", []),
        ("", "", "", []),
        ("", "\0[", "", []),
    ],
)
def test_which_client_it_may_be_is_guessed_from_what_was_sent(client_id, uri, name, likely):
    assert [client.id for client in registry().likely(client_id, uri, name)] == likely
