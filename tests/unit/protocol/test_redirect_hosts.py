"""The allow-list of redirect hosts (CR-2)."""

import pytest

from authserver.protocol.errors import RedirectHostNotAllowed
from authserver.protocol.registration.redirect_hosts import RedirectHosts, check_entry

LIST = RedirectHosts(("claude.ai", "*.example.com", "other.example:8443", "localhost", "cursor:", "[2001:db8::1]"))


@pytest.mark.requirement("CR-2")
@pytest.mark.parametrize(
    "uri",
    [
        "https://claude.ai/api/mcp/auth_callback",
        "https://CLAUDE.ai:443/cb",
        "https://a.example.com/",
        "https://a.b.example.com/",
        "https://other.example:8443/cb",
        "http://127.0.0.1:5000/cb",
        "http://[::1]/cb",
        "http://localhost:1/cb",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "CURSOR://x/y",
        "https://[2001:db8::1]/cb",
    ],
)
def test_what_is_listed_may_be_registered(uri):
    assert LIST.allows(uri)
    LIST.check([uri])


@pytest.mark.requirement("CR-2")
@pytest.mark.parametrize(
    "uri",
    [
        "https://claude.ai.evil.example/cb",
        "https://evilclaude.ai/cb",
        "https://claude.ai.:443/cb",
        "https://claude.ai:8443/cb",
        "https://www.claude.ai/cb",
        "https://evil.example/claude.ai",
        "https://evil.example/?x=.example.com",
        "https://example.com/",
        "https://evilexample.com/",
        "https://.example.com.evil.example/",
        "https://a.example.com.evil.example/",
        "https://a.example.com:8443/",
        "https://other.example/cb",
        "https://127.0.0.2/cb",
        "cursors://x/y",
        "vscode://cursor:/x",
        "com.example.app:/cb",
        "https://xn--clude-3ve.ai/cb",
    ],
)
def test_what_only_looks_like_it_may_not(uri):
    assert not LIST.allows(uri)
    with pytest.raises(RedirectHostNotAllowed, match=r"redirect_uris\[1\]"):
        LIST.check(["https://claude.ai/cb", uri])


@pytest.mark.requirement("CR-2")
def test_without_an_entry_everything_may_be_registered():
    RedirectHosts().check(["https://anything.example/cb", "app://host/cb"])


@pytest.mark.parametrize(
    "entry", ["", "*", "*.", "https://a.example", "a.example/cb", "a..b", "a b", "1:", ":", "*:", "x:y:"]
)
def test_an_entry_that_means_nothing_does_not_start(entry):
    with pytest.raises(ValueError, match="is not a host"):
        check_entry(entry)


def test_an_entry_is_taken_in_lower_case():
    assert check_entry("*.Example.COM") == "*.example.com"
