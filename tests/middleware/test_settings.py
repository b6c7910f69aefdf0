"""A guard that cannot be right does not start."""

from typing import Any

import pytest

from mcp_token_guard import Guard

GOOD: dict[str, Any] = {"resource": "https://notes.example/mcp", "issuer": "https://as.example", "scopes": ["a"]}


def test_https_and_loopback_urls_are_accepted() -> None:
    for url in ("https://x.example", "http://localhost:1/mcp", "http://127.0.0.1/mcp", "http://[::1]:9/mcp"):
        assert Guard(**{**GOOD, "resource": url, "issuer": url}).resource == url


@pytest.mark.requirement("RS-1", "DI-6")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "/mcp",
        "http://notes.example/mcp",
        "http://localhost.evil.example/mcp",
        "http://0.0.0.0/mcp",
        "ftp://localhost/mcp",
        "https:///mcp",
        "https://user@x.example/",
        "https://user:pw@x.example/",
        "https://x.example/#f",
        "https://x.example/?a=b",
        "https://x.example/a b",
        'https://x.example/"',
        "https://x.example/\r\nX: y",
        "https://x.example:0/",
        "https://x.example:99999/",
        "https://é.example/",
        "https://[::1/",
    ],
)
@pytest.mark.parametrize("setting", ["resource", "issuer"])
def test_a_url_that_is_not_plain_and_safe_is_refused(setting: str, url: str) -> None:
    with pytest.raises(ValueError, match=r"must|port|Port|IPv6"):
        Guard(**{**GOOD, setting: url})


@pytest.mark.requirement("RS-3")
@pytest.mark.parametrize("scopes", ['a"b', ["a b"], ["é"], [""], "a\\", "a\x7f", "a offline_access"])
def test_scopes_follow_their_grammar_and_are_never_offline_access(scopes: object) -> None:
    with pytest.raises(ValueError, match=r"scope"):
        Guard(**{**GOOD, "scopes": scopes})


@pytest.mark.parametrize(
    "settings",
    [
        {"tools": {"t": 'a"'}},
        {"default": ["a b"]},
        {"implies": {"a": "é"}},
        {"algorithms": ()},
        {"algorithms": ("HS256",)},
        {"algorithms": ("none", "ES256")},
        {"leeway": -1},
        {"leeway": 3600},
        {"keys_interval": 0},
        {"keys_interval": 300, "keys_bound": 300},
        {"max_body": 0},
        {"public_paths": ["/.well-known/oauth-protected-resource"]},
    ],
    ids=str,
)
def test_a_setting_out_of_range_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".{10}"):
        Guard(**{**GOOD, **settings})


def test_a_guard_is_not_changed_once_made() -> None:
    guard = Guard(**GOOD)
    with pytest.raises(AttributeError):
        guard.resource = "https://other.example"  # type: ignore[misc]
