"""Redirect URIs: what may be registered, and what counts as one of the registered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import Response

from authserver.protocol import redirect_uri
from authserver.protocol.errors import InvalidRedirectURI, OAuthError

pytestmark = pytest.mark.requirement("CR-6")


@pytest.mark.parametrize(
    "uri",
    [
        "https://claude.ai/api/mcp/auth_callback",
        "http://localhost/callback",
        "http://127.0.0.1:33418/",
        "http://[::1]:8080/cb",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "com.example.app:/cb",
        "https://xn--bcher-kva.example/cb",
        "https://under_score.example./cb",
        "https://192.0.2.1/cb",
        "https://[2001:db8::1]/cb",
        "https://host.example/cb?keep=this",
        f"https://{'a' * 63}.example/cb",
    ],
)
def test_what_real_clients_register_is_accepted(uri):
    assert redirect_uri.check(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JaVaScRiPt://x/%0aalert(1)",
        "data:text/html,hi",
        "file:///etc/passwd",
        "vbscript://x/y",
        "blob:https://x/y",
        "about:blank",
        "filesystem:https://x/y",
        "ws://localhost/cb",
        "wss://host.example/cb",
        "ftp://host.example/cb",
        "http://host.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "https://user@host.example/cb",
        "https://host.example/cb#fragment",
        "https://host.example/cb#",
        "https://*.example/cb",
        "https:///cb",
        "https://host.example/a b",
        "https://host.example/\ncb",
        "https://host.example\\@evil.example/",
        "https://ho\u0455t.example/cb",
        "https://host.example:port/cb",
        "https://claude.ai%2eevil.example/cb",
        "https://claude.ai%2f.evil.example/cb",
        "https://claude.ai%00.evil.example/cb",
        "https://claude.ai&evil.example/cb",
        "https://claude.ai;evil.example/cb",
        "https://2130706433/cb",
        "https://0x7f.1/cb",
        "https://0X7F000001/cb",
        "https://127.1/cb",
        "https://0300.0250.0.1/cb",
        "https://192.0.2.1./cb",
        "https://claude.ai.1/cb",
        f"https://{'a' * 64}.example/cb",
        f"app://{'a' * 64}/cb",
        "app://a..b/cb",
        "app://.a/cb",
        "/relative",
        "myapp:cb",
        "",
        "https://host.example/" + "a" * 2048,
        None,
        7,
        ["https://host.example/cb"],
    ],
)
def test_what_could_harm_a_person_is_refused(uri):
    with pytest.raises(InvalidRedirectURI):
        redirect_uri.check(uri)


@given(st.one_of(st.text(), st.from_regex(r"[a-z]{1,8}:(//)?[\x00-\x7f]{0,40}")))
def test_any_text_is_either_accepted_as_it_is_or_refused_in_words(text):
    try:
        assert redirect_uri.check(text) == text
    except OAuthError as refused:
        assert refused.description


@given(st.from_regex(r"(https|app|com\\.x)://[a-z.:-]{0,9}([a-z.-]{60,70})?[a-z.:%]{0,9}/c", fullmatch=True))
def test_whatever_is_accepted_a_response_can_lead_to(uri):
    try:
        redirect_uri.check(uri)
    except InvalidRedirectURI:
        return
    assert Response(headers={"Location": uri}).get_wsgi_headers({})["Location"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_the_port_of_a_public_clients_loopback_uri_is_free(host):
    registered = (f"http://{host}/callback",)
    assert redirect_uri.find(f"http://{host}:49152/callback", registered, public=True)
    assert not redirect_uri.find(f"http://{host}:49152/callback", registered, public=False)


@pytest.mark.parametrize(
    "requested",
    [
        "http://localhost:1/other",
        "http://localhost:1/callback/",
        "http://localhost:1/callback?x=1",
        "http://127.0.0.1:1/callback",
        "https://localhost:1/callback",
        "http://localhost:1@evil.example/callback",
        "http://localhost:99999999/callback",
        "http://LOCALHOST:1/callback#x",
    ],
)
def test_only_the_port_is_free_and_nothing_else(requested):
    assert not redirect_uri.find(requested, ("http://localhost:3118/callback",), public=True)


def test_other_uris_match_to_the_letter():
    registered = ("https://claude.ai/cb",)
    assert redirect_uri.find("https://claude.ai/cb", registered, public=True)
    for other in ("https://claude.ai/cb/", "https://CLAUDE.ai/cb", "https://claude.ai:443/cb", "https://claude.ai/cb?"):
        assert not redirect_uri.find(other, registered, public=True)


def test_parameters_join_the_query_that_was_registered():
    assert (
        redirect_uri.with_parameters("https://a.example/cb?x=1", {"code": "a b"}) == "https://a.example/cb?x=1&code=a+b"
    )


def test_people_are_told_the_host_that_their_browser_goes_to():
    assert redirect_uri.host("https://claude.ai/cb") == "claude.ai"
    assert redirect_uri.host("cursor://anysphere.cursor-mcp/oauth/callback") == "cursor://anysphere.cursor-mcp"
    assert redirect_uri.host("com.example.app:/cb") == "com.example.app:"
