"""Which MCP server a request is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol.errors import InvalidTarget
from authserver.protocol.resource import Resource, canonical, match
from authserver.protocol.scope import Scope

pytestmark = pytest.mark.requirement("AZ-4")

READ = Scope("mcp:read", "Read", is_default=True)
NOTES = Resource("https://mcp.example.com/notes", "Notes", (READ,))
FILES = Resource("https://files.example.com/mcp", "Files", (READ,), aliases=("https://f.example.com/mcp",))


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        ("HTTPS://MCP.Example.com/notes", "https://mcp.example.com/notes"),
        ("https://mcp.example.com:443/notes/", "https://mcp.example.com/notes"),
        ("http://localhost:80/", "http://localhost"),
        ("http://[::1]:9001/mcp", "http://[::1]:9001/mcp"),
        ("https://mcp.example.com/Case", "https://mcp.example.com/Case"),
        ("https://mcp.example.com/a//", "https://mcp.example.com/a/"),
    ],
)
def test_canonical_form_folds_only_what_means_the_same(given_as, expected):
    assert canonical(given_as) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "mcp.example.com",
        "https://x.example/#f",
        "https://u@x.example/",
        "ftp://x.example",
        "https://",
        "http://[",
        "a\nb",
    ],
)
def test_what_is_no_resource_identifier_is_an_invalid_target(uri):
    with pytest.raises(InvalidTarget):
        canonical(uri)


@given(st.text())
def test_any_text_has_one_canonical_form_or_none(text):
    try:
        once = canonical(text)
    except InvalidTarget:
        return
    assert canonical(once).rstrip("/") == once.rstrip("/")


def test_trailing_slash_case_and_aliases_mean_the_registered_server():
    for asked in ("https://mcp.example.com/notes/", "https://MCP.example.com/notes"):
        assert match((asked,), (NOTES, FILES)) is NOTES
    assert match(("https://f.example.com/mcp",), (NOTES, FILES)) is FILES


def test_a_bare_origin_means_the_only_server_there():
    assert match(("https://mcp.example.com/",), (NOTES, FILES)) is NOTES
    other = Resource("https://mcp.example.com/other", "Other", (READ,))
    with pytest.raises(InvalidTarget):
        match(("https://mcp.example.com",), (NOTES, other))


def test_this_servers_own_api_is_meant_only_where_it_is_named():
    api = Resource("https://mcp.example.com/api/v1", "API", (Scope("admin:clients.read", "See clients"),))
    assert match((), (NOTES, api)) is NOTES
    assert match(("https://mcp.example.com",), (NOTES, api)) is NOTES
    assert match((api.identifier,), (NOTES, api)) is api
    for asked in ((), ("https://mcp.example.com",)):
        with pytest.raises(InvalidTarget):
            match(asked, (api,))


@pytest.mark.parametrize("asked", ["https://evil.example/notes", "https://mcp.example.com/notes/deeper"])
def test_an_unknown_server_is_an_invalid_target(asked):
    with pytest.raises(InvalidTarget):
        match((asked,), (NOTES, FILES))


def test_the_same_server_named_twice_is_one_and_two_servers_are_refused():
    assert match((NOTES.identifier, NOTES.identifier + "/"), (NOTES, FILES)) is NOTES
    with pytest.raises(InvalidTarget):
        match((NOTES.identifier, FILES.identifier), (NOTES, FILES))


def test_without_a_resource_the_only_or_the_default_server_is_meant():
    chosen = Resource("https://d.example/mcp", "Default", (READ,), is_default=True)
    assert match((), (NOTES,)) is NOTES
    assert match((), (NOTES, FILES, chosen)) is chosen
    for known in ((NOTES, FILES), ()):
        with pytest.raises(InvalidTarget):
            match((), known)
