"""The front: what every request passes before back channel or pages see it.

Scheme and host are those of the configured issuer, whatever the request's headers claim (DI-3); the issuer's path
is taken off; the client's address is found behind the trusted proxies. Then the back channel answers its own paths,
and Flask the rest; but for the authorization requests of those who have nothing to look at.
"""

import re
import string
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import quote, urlsplit

from werkzeug.exceptions import BadRequest

from ..protocol.metadata import base_path
from .attempt import PAGE
from .backchannel.application import Backchannel, Responder, StartResponse
from .oauth.at_once import AtOnce

WSGIApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
PRINTABLE = string.punctuation  # what a query may hold as it is; raw bytes (PEP 3333: latin-1) become %80
WELL_KNOWN = "/.well-known/"
WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](:\d+)?|(?P<four>[\d.]+):\d+")  # as some proxies write it


class Body:
    """A request's body; what the server cannot read of it (a broken chunk, an early end) is the client's mistake."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - PEP 3333 gives no type
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """At most *size* bytes. Raises `BadRequest`."""
        try:
            found: bytes = self._stream.read(size) if size >= 0 else self._stream.read()
        except Exception as broken:
            raise BadRequest("the body is malformed") from broken
        return found

    def readline(self, size: int = -1) -> bytes:
        """At most *size* bytes of a line. Raises `BadRequest`."""
        try:
            found: bytes = self._stream.readline(size) if size >= 0 else self._stream.readline()
        except Exception as broken:
            raise BadRequest("the body is malformed") from broken
        return found


class Front:
    """The outermost WSGI application."""

    def __init__(
        self, pages: WSGIApplication, back: Backchannel, at_once: AtOnce, *, issuer: str, trusted_proxies: int
    ) -> None:
        """*pages* is Flask's own ``wsgi_app``; *trusted_proxies* is how many hops of X-Forwarded-For to believe."""
        self._pages = pages
        self._back = back
        self._at_once = at_once
        self._base = base_path(issuer)
        self._authorize = self._base + PAGE
        parts = urlsplit(issuer)
        self._scheme, self._host = parts.scheme, parts.netloc
        self._hops = trusted_proxies

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        full = str(environ.get("PATH_INFO", ""))
        self._settle(environ)
        inside = self._inside(full)
        route = self._route(full)
        if inside is not None:
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = self._base, inside
        if route is not None:
            return self._back.serve(route, environ, start_response)
        if inside == PAGE and (answer := self._at_once.answer(environ)) is not None:
            start_response(answer.status_line, answer.headers)
            return [answer.body]
        if inside is None:
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "10")])
            return [b"Not found\n"]
        return self._pages(environ, start_response)

    def answers_in_one_piece(self, path: str) -> bool:
        """Whether *path*, as it was sent, is the back channel's, or that of an authorization request."""
        return self._route(path) is not None or path == self._authorize

    def _settle(self, environ: dict[str, Any]) -> None:
        environ["SCRIPT_NAME"] = ""
        if query := environ.get("QUERY_STRING", ""):
            environ["QUERY_STRING"] = quote(query, safe=PRINTABLE, encoding="latin-1")
        environ["wsgi.input"] = Body(environ["wsgi.input"])
        environ["wsgi.url_scheme"] = self._scheme
        environ["HTTP_HOST"] = self._host
        environ["REMOTE_ADDR"] = _address(self._hop(environ))

    def _hop(self, environ: dict[str, Any]) -> str:
        """Where the request came from, as the outermost trusted proxy says; nowhere known, if it came past some."""
        if not self._hops:
            return str(environ.get("REMOTE_ADDR", ""))
        hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        return hops[-self._hops] if len(hops) >= self._hops else ""

    def _route(self, full: str) -> Responder | None:
        inside = self._inside(full)
        if inside is None and not full.startswith(WELL_KNOWN):
            return None
        return self._back.find(full if inside is None or WELL_KNOWN in full else inside)

    def _inside(self, full: str) -> str | None:
        """The path below the issuer's own; None for another one."""
        if not self._base:
            return full
        if full != self._base and not full.startswith(self._base + "/"):
            return None
        return full.removeprefix(self._base) or "/"


@lru_cache(maxsize=4096)
def _address(said: str) -> str:
    """The IP address that *said* is, in its one spelling: limits and rules go by it. Empty for what is none."""
    found = WITH_PORT.fullmatch(said)
    try:
        address = ip_address((found["six"] or found["four"]) if found else said)
    except ValueError:
        return ""
    return str(address.ipv4_mapped or address) if isinstance(address, IPv6Address) else str(address)
