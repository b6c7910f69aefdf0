"""A layer around all requests where traces count: it takes a caller's ``traceparent``, and makes spans.

It is not there where nobody's counts and nothing is traced.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..protocol import trace_parent
from ..protocol.trace_parent import TraceParent
from ..settings import Settings
from . import seen
from .observed import METHODS, WSGIApplication

if TYPE_CHECKING:
    from ..observability.tracing import Tracer


class Traced:
    """Answers by *inner*; *tracer* None makes no spans, and hands on what came."""

    def __init__(self, inner: WSGIApplication, settings: Settings, tracer: "Tracer | None") -> None:
        self._inner = inner
        self._from = settings.traceparent_from
        self._hops = settings.trusted_proxies
        self._tracer = tracer

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        with self._part_of(self._parent(environ), environ) as own:
            seen.of(environ).trace_id = own.trace_id if own else ""
            return self._inner(environ, start_response)

    def _parent(self, environ: dict[str, Any]) -> TraceParent | None:
        value = environ.get("HTTP_TRACEPARENT")
        if value is None or self._from == "nobody" or (self._from == "proxies" and not self._came_by_proxies(environ)):
            return None
        return trace_parent.read(value)

    def _came_by_proxies(self, environ: dict[str, Any]) -> bool:
        hops = [hop for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        return 0 < self._hops <= len(hops)

    @contextmanager
    def _part_of(self, parent: TraceParent | None, environ: dict[str, Any]) -> Iterator[TraceParent | None]:
        if self._tracer is None:
            token = trace_parent.running.set(parent)
            try:
                yield parent
            finally:
                trace_parent.running.reset(token)
            return
        with self._tracer.request(parent) as (own, span):
            yield own
            found = seen.of(environ)
            method = str(environ.get("REQUEST_METHOD", ""))
            said = method if method in METHODS else "other"
            self._tracer.describe(span, said, found.route or found.endpoint, int(found.status[:3]), found.error)
