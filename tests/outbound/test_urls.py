"""URLs that strangers supply: one strict reading, and a refusal without a look-up for everything else."""

import ssl

import pytest

from authserver.outbound.addresses import ClientSupplied
from authserver.outbound.fetch import FetchRefused, Refusal, SafeFetch
from authserver.outbound.urls import check_client_id, check_client_url, parse

from .conftest import Names, Watch

pytestmark = pytest.mark.requirement("CR-8")

REFUSED = {
    "http": ("http://client.example/c", Refusal.SCHEME),
    "upper-case scheme": ("HTTPS://client.example/c", Refusal.SCHEME),
    "file": ("file:///etc/passwd", Refusal.SCHEME),
    "gopher": ("gopher://127.0.0.1:6379/_", Refusal.SCHEME),
    "ftp": ("ftp://client.example/c", Refusal.SCHEME),
    "data": ("data:application/json,{}", Refusal.SCHEME),
    "no scheme": ("//client.example/c", Refusal.SCHEME),
    "one slash": ("https:/client.example/c", Refusal.SCHEME),
    "leading space": (" https://client.example/c", Refusal.SCHEME),
    "nothing": ("", Refusal.SCHEME),
    "no host": ("https:///c", Refusal.URL),
    "three slashes": ("https:///client.example/c", Refusal.URL),
    "no path": ("https://client.example", Refusal.URL),
    "query for a path": ("https://client.example?c", Refusal.URL),
    "userinfo": ("https://user:secret@client.example/c", Refusal.URL),
    "empty userinfo": ("https://@client.example/c", Refusal.URL),
    "userinfo that looks like a host": ("https://client.example@127.0.0.1/c", Refusal.URL),
    "encoded userinfo": ("https://client.example%40127.0.0.1/c", Refusal.URL),
    "backslash before another host": ("https://client.example\\@127.0.0.1/c", Refusal.URL),
    "backslash for a slash": ("https://client.example\\c", Refusal.URL),
    "fragment": ("https://client.example/c#x", Refusal.URL),
    "empty fragment": ("https://client.example/c#", Refusal.URL),
    "fragment before another host": ("https://client.example#@127.0.0.1/c", Refusal.URL),
    "dot segment": ("https://client.example/./c", Refusal.URL),
    "two dots": ("https://client.example/a/../c", Refusal.URL),
    "two dots at the end": ("https://client.example/a/..", Refusal.URL),
    "encoded dots": ("https://client.example/%2e%2E/c", Refusal.URL),
    "half encoded dots": ("https://client.example/.%2e/c", Refusal.URL),
    "space": ("https://client.example/a b", Refusal.URL),
    "space in the host": ("https://client.example 127.0.0.1/c", Refusal.URL),
    "trailing newline": ("https://client.example/c\n", Refusal.URL),
    "newline and header": ("https://client.example/c\r\nX: y", Refusal.URL),
    "tab in the host": ("https://client\t.example/c", Refusal.URL),
    "zero byte": ("https://client.example/c\0", Refusal.URL),
    "stray percent": ("https://client.example/%zz", Refusal.URL),
    "not ASCII": ("https://client.example/ü", Refusal.URL),
    "other port": ("https://client.example:8443/c", Refusal.URL),
    "port of http": ("https://client.example:80/c", Refusal.URL),
    "port zero": ("https://client.example:0/c", Refusal.URL),
    "port with zeros": ("https://client.example:00443/c", Refusal.URL),
    "port with sign": ("https://client.example:+443/c", Refusal.URL),
    "port too large": ("https://client.example:65536/c", Refusal.URL),
    "port that wraps": ("https://client.example:65979/c", Refusal.URL),
    "empty port": ("https://client.example:/c", Refusal.URL),
    "two ports": ("https://client.example:443:443/c", Refusal.URL),
    "trailing dot": ("https://client.example./c", Refusal.URL),
    "localhost, trailing dot": ("https://localhost./c", Refusal.URL),
    "address, trailing dot": ("https://127.0.0.1./c", Refusal.URL),
    "empty label": ("https://client..example/c", Refusal.URL),
    "label with a hyphen first": ("https://-client.example/c", Refusal.URL),
    "label too long": (f"https://{'a' * 64}.example/c", Refusal.URL),
    "name too long": (f"https://{'a.' * 127}example/c", Refusal.URL),
    "underscore": ("https://a_b.example/c", Refusal.URL),
    "encoded host": ("https://127.0.0%2e1/c", Refusal.URL),
    "full-width digits": ("https://１２７.0.0.1/c", Refusal.URL),
    "circled digits": ("https://①②⑦.⓪.⓪.①/c", Refusal.URL),
    "ideographic dot": ("https://127。0。0。1/c", Refusal.URL),
    "letters that fold": ("https://ⓛocalhost/c", Refusal.URL),
    "sharp s": ("https://straße.example/c", Refusal.URL),
    "soft hyphen": ("https://local\xadhost/c", Refusal.URL),
    "Kelvin sign": ("https://\u212aey.example/c", Refusal.URL),
    "one number": ("https://2130706433/c", Refusal.URL),
    "one octal number": ("https://017700000001/c", Refusal.URL),
    "one hex number": ("https://0x7f000001/c", Refusal.URL),
    "two parts": ("https://127.1/c", Refusal.URL),
    "three parts": ("https://127.0.1/c", Refusal.URL),
    "hex part": ("https://0x7f.1/c", Refusal.URL),
    "octal parts": ("https://0177.0.0.01/c", Refusal.URL),
    "empty hex at the end": ("https://127.0.0.0x/c", Refusal.URL),
    "five parts": ("https://127.0.0.0.1/c", Refusal.URL),
    "part over 255": ("https://127.0.0.257/c", Refusal.URL),
    "number as top-level domain": ("https://client.1/c", Refusal.URL),
    "IPv4 in brackets": ("https://[127.0.0.1]/c", Refusal.URL),
    "IPv6 without brackets": ("https://::1/c", Refusal.URL),
    "zone": ("https://[fe80::1%25eth0]/c", Refusal.URL),
    "zone, not encoded": ("https://[fe80::1%eth0]/c", Refusal.URL),
    "future address": ("https://[v1.fe80::a]/c", Refusal.URL),
    "open bracket": ("https://[::1/c", Refusal.URL),
    "text after bracket": ("https://[::1].client.example/c", Refusal.URL),
}


@pytest.mark.parametrize(("url", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_without_asking_anybody(watch: Watch, trust: ssl.SSLContext, url: str, reason: Refusal):
    names = Names(["93.184.215.14"])
    fetch = SafeFetch(ClientSupplied(), trust=trust, resolver=names)
    with pytest.raises(FetchRefused) as refused:
        fetch.get(url)
    assert refused.value.reason == reason
    assert (watch.connections, names.asked) == ([], [])


def test_a_url_has_at_most_2048_characters():
    longest = "https://client.example/".ljust(2048, "a")
    assert check_client_url(longest).host == "client.example"
    with pytest.raises(FetchRefused, match="2048"):
        check_client_url(longest + "a")


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_an_entered_port_is_a_port_too(port: str):
    with pytest.raises(FetchRefused):
        parse(f"https://keys.intranet:{port}/jwks")
    assert parse("https://keys.intranet:65535/jwks").port == 65_535


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://client.example/", "client.example", "/"),
        ("https://Client.Example:443/C", "client.example", "/C"),
        ("https://claude.ai/oauth/mcp-oauth-client-metadata", "claude.ai", "/oauth/mcp-oauth-client-metadata"),
        ("https://client.example/@user/c.json?v=1&w=/a?b@c", "client.example", "/@user/c.json?v=1&w=/a?b@c"),
        ("https://client.example/a..b/.well-known/...", "client.example", "/a..b/.well-known/..."),
        ("https://xn--bcher-kva.example/%C3%BC", "xn--bcher-kva.example", "/%C3%BC"),
        ("https://1.example/c", "1.example", "/c"),
        ("https://127.0.0.1.nip.io/c", "127.0.0.1.nip.io", "/c"),
        ("https://93.184.215.14/c", "93.184.215.14", "/c"),
        ("https://[2606:2800:21F::1]/c", "2606:2800:21f::1", "/c"),
    ],
)
def test_good_urls_are_read_to_the_letter(url: str, host: str, target: str):
    found = check_client_url(url)
    assert (found.host, found.port, found.target) == (host, 443, target)


@pytest.mark.parametrize("url", ["https://client.example/", "https://client.example/?c"])
def test_the_url_of_a_client_has_a_path(url: str):
    assert check_client_url(url)
    with pytest.raises(FetchRefused, match="path"):
        check_client_id(url)
    assert check_client_id("https://client.example/c").target == "/c"


@pytest.mark.parametrize("url", ["https://10.0.0.1/c", "https://[::1]/c", "https://client.example:8443/c"])
def test_a_url_is_judged_without_a_fetch(url: str):
    with pytest.raises(FetchRefused):
        check_client_url(url)
