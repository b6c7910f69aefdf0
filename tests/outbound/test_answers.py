"""What an allowed host may answer, held against a real TLS server on loopback."""

import pytest

from authserver.outbound.fetch import Fetched

from .conftest import ExceptedHost
from .peer import document

pytestmark = pytest.mark.requirement("CR-8")


def test_a_document_comes_with_its_headers(excepted_host: ExceptedHost):
    with excepted_host(document(b'{"a":1}', 'ETag: "1"', "Cache-Control: max-age=60")) as host:
        found = host.fetch.get(host.url)
        assert (found.status, found.body) == (200, b'{"a":1}')
        assert (found.headers["etag"], found.headers["cache-control"]) == ('"1"', "max-age=60")
        assert host.peer.names == ["cimd.test"]
        head = host.peer.requests[0].decode()
        assert head.startswith("GET /client.json HTTP/1.1\r\n")
        assert f"Host: cimd.test:{host.peer.port}\r\n" in head


def test_an_unchanged_document_is_a_304(excepted_host: ExceptedHost):
    with excepted_host(document(b"", 'ETag: "1"', status="304 Not Modified")) as host:
        found = host.fetch.get(host.url, etag='"1"')
        assert found == Fetched(304, found.headers, b"")
        assert b'If-None-Match: "1"\r\n' in host.peer.requests[0]
