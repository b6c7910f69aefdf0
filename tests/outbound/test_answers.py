"""What an allowed host may answer, held against a real TLS server on loopback."""

import gzip
import itertools
import socket
import ssl
from collections.abc import Callable

import pytest

from authserver.outbound.fetch import Fetched, FetchRefused, Refusal, SafeFetch

from .conftest import HOST, ExceptedHost, Names
from .peer import Answer, document, endlessly, head, peer, says

pytestmark = pytest.mark.requirement("CR-8")


def refusal(fetch: Callable[[], Fetched]) -> Refusal:
    with pytest.raises(FetchRefused) as refused:
        fetch()
    return refused.value.reason


def test_a_document_comes_with_its_headers(excepted_host: ExceptedHost):
    with excepted_host(document(b'{"a":1}', 'ETag: "1"', "Cache-Control: max-age=60", "CACHE-CONTROL: public")) as host:
        found = host.fetch.get(host.url)
        assert (found.status, found.body) == (200, b'{"a":1}')
        assert (found.headers["etag"], found.headers["cache-control"]) == ('"1"', "max-age=60, public")
        assert host.peer.names == [HOST]


def test_the_request_says_what_it_must_and_no_more(excepted_host: ExceptedHost):
    with excepted_host(document(b"{}", "Set-Cookie: a=b; Path=/")) as host:
        host.fetch.get(host.url)
        host.fetch.get(host.url)
        lines = host.peer.requests[1].decode().rstrip().split("\r\n")
    assert lines[0] == "GET /client.json HTTP/1.1"
    assert sorted(lines[1:]) == [
        "Accept-Encoding: identity",
        "Accept: application/json, */*;q=0.1",
        "Connection: close",
        f"Host: cimd.test:{host.peer.port}",
        "User-Agent: mcp-authserver",
    ]


def test_an_unchanged_document_is_a_304(excepted_host: ExceptedHost):
    with excepted_host(says(head('ETag: "1"', status="304 Not Modified"))) as host:
        found = host.fetch.get(host.url, etag='"1"', last_modified="Sun, 22 Nov 2026 20:00:00 GMT")
        assert (found.status, found.body, found.headers["etag"]) == (304, b"", '"1"')
        assert b'If-None-Match: "1"\r\n' in host.peer.requests[0]
        assert b"If-Modified-Since: Sun, 22 Nov 2026 20:00:00 GMT\r\n" in host.peer.requests[0]


@pytest.mark.parametrize("start", [head(), head().replace(b"1.1", b"1.0")], ids=["1.1", "1.0"])
def test_a_document_may_end_with_the_connection(excepted_host: ExceptedHost, start: bytes):
    def politely(stream: socket.socket, _head: bytes) -> None:
        assert isinstance(stream, ssl.SSLSocket)
        stream.sendall(start + b"{}")
        stream.unwrap()

    for answer in (politely, says(start, b"{}")):
        with excepted_host(answer) as host:
            assert host.fetch.get(host.url).body == b"{}"


@pytest.mark.parametrize("etag", ['"é"', '"a\r\nX: y"', f'"{"a" * 5000}"', "", "\0"])
def test_a_validator_that_is_unfit_to_be_said_back_is_left_out(excepted_host: ExceptedHost, etag: str):
    with excepted_host(document(b"{}")) as host:
        assert host.fetch.get(host.url, etag=etag, last_modified=etag).status == 200
        assert b"If-" not in host.peer.requests[0]


def test_a_304_that_nobody_asked_for_is_refused(excepted_host: ExceptedHost):
    with excepted_host(says(head(status="304 Not Modified"))) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.STATUS


@pytest.mark.parametrize("status", ["300 x", "301 x", "302 x", "303 x", "307 x", "308 x"])
def test_redirects_are_not_followed(excepted_host: ExceptedHost, status: str):
    with excepted_host(document(b"{}", "Location: /other.json", status=status)) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.REDIRECT
        assert len(host.peer.requests) == 1


@pytest.mark.parametrize("status", ["201 x", "204 x", "206 x", "400 x", "401 x", "404 x", "429 x", "500 x", "503 x"])
def test_other_statuses_are_refused_without_being_told(excepted_host: ExceptedHost, status: str):
    with excepted_host(document(b"{}", status=status.replace("x", "banner of the inside"))) as host:
        with pytest.raises(FetchRefused) as refused:
            host.fetch.get(host.url)
        assert refused.value.reason == Refusal.STATUS
        assert "banner" not in str(refused.value)
        assert status[:3] not in str(refused.value)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", "application/jwk-set+json", "application/vnd.a.b+json"],
)
def test_json_is_taken_under_its_names(excepted_host: ExceptedHost, content_type: str):
    with excepted_host(document(b"{}", content_type=content_type)) as host:
        assert host.fetch.get(host.url).body == b"{}"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "text/json",
        "text/plain",
        "",
        "application/octet-stream",
        "application/json, text/html",
        "application/jsonp",
        "application/+json",
        "text/x+json",
        "application/a/b+json",
        "image/svg+xml",
    ],
)
def test_other_content_types_are_refused(excepted_host: ExceptedHost, content_type: str):
    with excepted_host(document(b"{}", content_type=content_type)) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.TYPE


def test_two_content_types_are_none(excepted_host: ExceptedHost):
    with excepted_host(document(b"{}", "Content-Type: text/html")) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.TYPE


def test_only_the_types_asked_for_are_taken(excepted_host: ExceptedHost):
    with excepted_host(document(b"{}", content_type="application/jwk-set+json")) as host:
        assert refusal(lambda: host.fetch.get(host.url, types=("application/jwt",))) == Refusal.TYPE
        assert host.fetch.get(host.url, types=("application/jwk-set+json",)).body == b"{}"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, gzip", "x"])
def test_compressed_documents_are_refused_unread(excepted_host: ExceptedHost, encoding: str):
    bomb = gzip.compress(bytes(4_000_000))
    with excepted_host(document(bomb[:4000], f"Content-Encoding: {encoding}")) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.ENCODING


def test_a_body_may_be_as_large_as_agreed_and_not_a_byte_larger(excepted_host: ExceptedHost):
    with excepted_host(document(bytes(5 * 1024))) as host:
        assert len(host.fetch.get(host.url).body) == 5 * 1024
    with excepted_host(document(bytes(5 * 1024 + 1))) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.SIZE
    with excepted_host(document(bytes(100)), most_bytes=99) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.SIZE


@pytest.mark.parametrize("start", [head("Transfer-Encoding: chunked"), head()], ids=["chunked", "until the end"])
def test_a_body_that_announces_nothing_is_counted(excepted_host: ExceptedHost, start: bytes):
    with excepted_host(says(start, b"65\r\n" + bytes(101) + b"\r\n0\r\n\r\n"), most_bytes=100) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.SIZE


def test_a_body_that_announces_too_much_is_not_waited_for(excepted_host: ExceptedHost):
    with excepted_host(endlessly([head("Content-Length: 5000000")]), seconds=60) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.SIZE


CHUNK = b"400\r\n" + bytes(1024) + b"\r\n"
ENDLESS: dict[str, Answer] = {
    "chunks": endlessly(itertools.chain([head("Transfer-Encoding: chunked")], itertools.repeat(CHUNK))),
    "one chunk": endlessly(
        itertools.chain([head("Transfer-Encoding: chunked"), b"fffffff\r\n"], itertools.repeat(CHUNK))
    ),
    "body until the end": endlessly(itertools.chain([head()], itertools.repeat(CHUNK))),
    "chunk extensions": endlessly(
        itertools.chain([head("Transfer-Encoding: chunked"), b"1;"], itertools.repeat(b"a=b;" * 256))
    ),
    "small chunks with long extensions": endlessly(
        itertools.chain([head("Transfer-Encoding: chunked")], itertools.repeat(b"1;" + b"a" * 1024 + b"\r\nx\r\n"))
    ),
    "trailers": endlessly(
        itertools.chain([head("Transfer-Encoding: chunked"), b"2\r\n{}\r\n0\r\n"], itertools.repeat(b"X: y\r\n" * 256))
    ),
    "headers": endlessly(itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X: y\r\n" * 256))),
    "one header": endlessly(itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], itertools.repeat(b"y" * 1024))),
    "status line": endlessly(itertools.chain([b"HTTP/1.1 200 "], itertools.repeat(b"y" * 1024))),
    "interim answers": endlessly(itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")),
}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS.keys())
def test_endless_answers_are_cut_off_long_before_the_deadline(excepted_host: ExceptedHost, answer: Answer):
    with excepted_host(answer, seconds=60) as host:
        assert refusal(lambda: host.fetch.get(host.url)) in (Refusal.SIZE, Refusal.CONNECTION)


def test_one_length_said_twice_is_one_length(excepted_host: ExceptedHost):
    with excepted_host(says(head("Content-Length: 2, 2"), b"{}")) as host:
        assert host.fetch.get(host.url).body == b"{}"


def test_many_headers_are_refused(excepted_host: ExceptedHost):
    with excepted_host(document(b"{}", *[f"X-{number}: {'y' * 100}" for number in range(800)])) as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.SIZE


BROKEN = {
    "silence": says(),
    "no HTTP": says(b"220 mail.inside ESMTP\r\n"),
    "half a head": says(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"),
    "half a body": says(head("Content-Length: 10"), b"{}"),
    "half a chunk": says(head("Transfer-Encoding: chunked"), b"10\r\n{}"),
    "two lengths": says(head("Content-Length: 2", "Content-Length: 3"), b"{}"),
    "two lengths in one": says(head("Content-Length: 2, 3"), b"{}"),
    "negative length": says(head("Content-Length: -1"), b"{}"),
    "huge length": says(head(f"Content-Length: {'9' * 5000}"), b"{}"),
    "no chunk": says(head("Transfer-Encoding: chunked"), b"zz\r\n"),
    "compressed transfer": says(head("Transfer-Encoding: gzip, chunked"), b"0\r\n\r\n"),
    "folded header": says(b"HTTP/1.1 200 OK\r\nX: y\r\n\0z: w\r\n\r\n{}"),
    "HTTP/2": says(b"\0\0\x12\x04\0\0\0\0\0"),
    "status of no kind": says(b"HTTP/1.1 999999 OK\r\n\r\n"),
    "switched protocols": says(head("Upgrade: x", status="101 Switching Protocols")),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_broken_answers_are_refused_and_not_repeated(excepted_host: ExceptedHost, answer: Answer):
    with excepted_host(answer) as host:
        with pytest.raises(FetchRefused) as refused:
            host.fetch.get(host.url)
        assert refused.value.reason in (Refusal.CONNECTION, Refusal.STATUS, Refusal.SIZE)
        assert "ESMTP" not in str(refused.value)


def test_a_certificate_for_another_name_is_refused(excepted_host: ExceptedHost):
    with excepted_host(document(b"{}"), certified_as="other.test") as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.TLS
        assert host.peer.requests == []


def test_a_certificate_for_the_address_does_not_do_for_the_name(excepted_host: ExceptedHost):
    with excepted_host(document(b"{}"), certified_as="127.0.0.1") as host:
        assert refusal(lambda: host.fetch.get(host.url)) == Refusal.TLS


def test_an_authority_that_is_not_trusted_is_refused(excepted_host: ExceptedHost):
    with excepted_host(document(b"{}")) as host:
        fetch = SafeFetch(host.policy, trust=ssl.create_default_context(), resolver=Names(["127.0.0.1"]))
        assert refusal(lambda: fetch.get(host.url)) == Refusal.TLS
        assert host.peer.requests == []


def test_a_host_that_does_not_speak_tls_is_refused(excepted_host: ExceptedHost, trust: ssl.SSLContext):
    with excepted_host(document(b"{}")) as host, peer(document(b"{}")) as plain:
        policy = type(host.policy)({(HOST, plain.port): host.policy.exceptions[HOST, host.peer.port]})
        fetch = SafeFetch(policy, trust=trust, resolver=Names(["127.0.0.1"]))
        assert refusal(lambda: fetch.get(f"https://{HOST}:{plain.port}/c")) == Refusal.TLS


def test_an_address_as_host_is_proved_by_a_certificate_for_it(excepted_host: ExceptedHost, trust: ssl.SSLContext):
    with excepted_host(document(b"{}"), certified_as="127.0.0.1") as host:
        policy = type(host.policy)({("127.0.0.1", host.peer.port): host.policy.exceptions[HOST, host.peer.port]})
        fetch = SafeFetch(policy, trust=trust)
        assert fetch.get(f"https://127.0.0.1:{host.peer.port}/c").body == b"{}"
        assert f"Host: 127.0.0.1:{host.peer.port}".encode() in host.peer.requests[0]
