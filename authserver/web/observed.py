"""The outermost WSGI application: it counts requests, times them, and writes a line for each where that is wanted.

A line names a route and never a path, for some paths open something: a mailed link, a client's registration.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from ..observability.requests import Requests
from .seen import KEY, Seen

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
LONGEST = 200  # characters of what a stranger sent
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_came = threading.local()
log = structlog.get_logger("authserver.access")


def came(at: float) -> None:
    """That all of the request which this thread answers next had come at *at* (`time.perf_counter`)."""
    _came.at = at


class Observed:
    """Answers by *inner*, and tells *requests* of it; with *lines* the log too. Waiting for a thread takes time too."""

    def __init__(self, inner: WSGIApplication, requests: Requests, *, lines: bool) -> None:
        self._inner = inner
        self._requests = requests
        self._lines = lines

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        seen = environ[KEY] = Seen()

        def start(status: str, *more: Any) -> Any:  # noqa: ANN401 - PEP 3333 gives no types
            seen.status = status
            return start_response(status, *more)

        began, requests = _came.__dict__.pop("at", None) or time.perf_counter(), self._requests
        requests.began(id(seen))
        try:
            return self._inner(environ, start)
        finally:
            seconds = time.perf_counter() - began
            requests.ended(id(seen), (seen.endpoint, seen.grant, seen.status[0]), seconds, seen.error)
            if self._lines:
                _write(environ, seen, seconds)


def _write(environ: dict[str, Any], seen: Seen, seconds: float) -> None:
    method = str(environ.get("REQUEST_METHOD", ""))
    known = {
        "grant": seen.grant,
        "error": seen.error,
        "client_id": seen.client_id[:LONGEST],
        "correlation_id": seen.correlation_id,
        "trace_id": seen.trace_id,
    }
    log.info(
        "request",
        method=method if method in METHODS else "other",
        route=seen.route or seen.endpoint,
        status=int(seen.status[:3]),
        duration_ms=round(seconds * 1000, 2),
        address=environ.get("REMOTE_ADDR", ""),
        **{name: value for name, value in known.items() if value},
    )
