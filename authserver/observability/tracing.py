"""Spans by OpenTelemetry, for who installed the extra ``mcp-authserver[otel]`` and said where they go.

Nothing of this is imported otherwise, and nothing calls it: what is traced is wrapped when the application is made. A
span has words of ours and no text of an exception, so nothing secret is in one.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from ..protocol.trace_parent import TraceParent, running

NAME = "authserver"


class Tracer:
    """Makes spans, which go to *endpoint* (OTLP over HTTP) once it is started.

    Of the traces that begin here the *share* from 0 to 1 is recorded.
    """

    def __init__(self, endpoint: str, share: float, version: str) -> None:
        told = Resource.create({"service.name": NAME, "service.version": version})
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)), resource=told, shutdown_on_exit=False
        )
        self._endpoint = endpoint
        self._tracer = self._provider.get_tracer(NAME, version)

    def start(self) -> None:
        """Send spans from a thread of its own; in a worker, since a thread does not outlive a fork."""
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(self._endpoint)))

    def close(self) -> None:
        """Send what waits, and end the thread that does."""
        self._provider.shutdown()

    @contextmanager
    def request(self, parent: TraceParent | None) -> Iterator[tuple[TraceParent, Span]]:
        """A span of a request, whose caller's is *parent*; with it, as others call it."""
        with self._span("request", SpanKind.SERVER, _remote(parent) if parent else Context()) as (own, span):
            yield own, span

    @staticmethod
    def describe(span: Span, method: str, route: str, status: int, error: str | None) -> None:
        """Tell in *span* what the request was and how it ended, by the names of OpenTelemetry's conventions."""
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if error is not None:
            span.set_attribute("error.type", error)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))

    def watch(self, owner: object, name: str, methods: Iterable[str]) -> None:
        """Have each call of *methods* of *owner* that is part of a request make a span ``name.method``."""
        for method in methods:
            setattr(owner, method, self._watched(getattr(owner, method), f"{name}.{method}"))

    def _watched(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(call)
        def watched(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it takes and returns
            # What goes on beside requests, each second for some of it, would bury their traces.
            if running.get() is None:
                return call(*given, **named)
            with self._span(name, SpanKind.INTERNAL):
                return call(*given, **named)

        return watched

    @contextmanager
    def _span(self, name: str, kind: SpanKind, parent: Context | None = None) -> Iterator[tuple[TraceParent, Span]]:
        with self._tracer.start_as_current_span(
            name,
            parent,
            kind,
            record_exception=False,  # its text may tell too much
            set_status_on_exception=False,
        ) as span:
            context = span.get_span_context()
            own = TraceParent(f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags.sampled)
            token = running.set(own)
            try:
                yield own, span
            except BaseException:
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                running.reset(token)


def _remote(parent: TraceParent) -> Context:
    flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
    context = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(context), Context())
