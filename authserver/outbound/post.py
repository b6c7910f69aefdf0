"""Sending to a URL that an administrator entered: over HTTPS, to what was judged, and nobody is followed elsewhere."""

import ssl
from collections.abc import Iterable
from contextlib import closing

from httpcore2 import URL, HTTP11Connection, NetworkError, Origin, ProtocolError, Request, TimeoutException

from .addresses import Entered, Pins
from .deadline import Deadline
from .fetch import SafeFetch, reason
from .refusal import FetchRefused, Refusal
from .urls import check_client_url, parse

MOST_ANSWER = 64 * 1024
CONTENT_TOO_LARGE = 413


class EnteredPost(SafeFetch):
    """Posts to one *url* alone; ``networks`` are the private ones that the operator chose, by host and port."""

    def __init__(self, url: str, networks: Pins, *, proxy: str, trust: ssl.SSLContext, seconds: float = 10.0) -> None:
        target = parse(url)
        policy = Entered(target.host, target.port, networks.get((target.host, target.port), ()))
        super().__init__(policy, proxy=proxy, trust=trust, most_bytes=MOST_ANSWER, seconds=seconds)
        self._target = check_client_url(url, policy)

    def post(self, body: bytes, headers: Iterable[tuple[str, str]]) -> None:
        """Send *body*, and see that it was taken: the answer has a status of 2xx. Raises `FetchRefused`."""
        target, deadline = self._target, Deadline(self._seconds)
        url = URL(scheme=b"https", host=target.host.encode(), port=target.port, target=target.target.encode())
        told = [("Host", target.authority), ("User-Agent", "mcp-authserver"), ("Connection", "close"), *headers]
        request = Request("POST", url, headers=[*told, ("Content-Length", str(len(body)))], content=body)
        way = self._way(target, self._judged(target, deadline), deadline)
        try:
            stream = way.open().start_tls(self._trust, target.host)
            origin = Origin(b"https", target.host.encode(), target.port)
            with closing(HTTP11Connection(origin, stream)) as connection:
                status = connection.handle_request(request).status
        except TimeoutException:
            raise FetchRefused(Refusal.TIMEOUT, "it did not answer in time") from None
        except (NetworkError, ProtocolError) as failed:
            raise FetchRefused(reason(failed)) from None
        if not 200 <= status < 300:
            refusal = Refusal.TOO_MUCH if status == CONTENT_TOO_LARGE else Refusal.STATUS
            raise FetchRefused(refusal, f"it answered with status {status}")
