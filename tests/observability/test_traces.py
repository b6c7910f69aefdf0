"""Traces: spans go where the setting says, whose traceparent counts is as it says, and else nothing is there."""

import subprocess
import sys

import pytest

from authserver.protocol import trace_parent
from authserver.store.audit import AuditFilter
from tests.conformance.flow import Flow
from tests.conformance.visitor import Visitor

from .collector import collector
from .publishing import publishing
from .secrets import Carrier

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def spans():
    with collector() as found:
        yield found


@pytest.fixture
def traced(site_with, spans):
    """An application that sends its spans; ``sent()`` has all of them arrive."""
    site = site_with(traces_endpoint=spans.url, traceparent_from="anyone")
    tracer = site.app.extensions["authserver.tracer"]
    tracer.start()
    yield site, tracer.close
    tracer.close()


def attributes(span) -> dict[str, object]:
    kinds = {each.key: each.value for each in span.attributes}
    return {name: value.int_value or value.string_value for name, value in kinds.items()}


def test_a_refresh_is_a_span_with_the_verbs_of_stores_in_it(traced, spans):
    site, close = traced
    flow = Flow(site)
    flow.register()
    flow.tokens(Visitor(site))
    assert flow.refresh().status_code == 200
    assert flow.refresh(refresh_token="none").status_code == 400
    close()
    good, bad = spans.named("POST token")[-2:]
    assert attributes(good) == {"http.request.method": "POST", "http.route": "token", "http.response.status_code": 200}
    assert attributes(bad)["error.type"] == "invalid_grant"
    (rotated,) = (span for span in spans.named("store.refresh_tokens.rotate") if span.trace_id == good.trace_id)
    assert rotated.parent_span_id == good.span_id
    assert spans.named("POST /sign-in")
    assert spans.named("passwords.verify")


def test_a_callers_trace_goes_on_and_its_id_leads_to_the_audit_trail(traced, spans):
    site, close = traced
    flow = Flow(site)
    answer = site.post("/register", json={"redirect_uris": ["bad"]}, headers={"traceparent": PARENT})
    assert answer.headers["X-Correlation-Id"] == TRACE
    body = {"client_name": "One", "redirect_uris": ["http://127.0.0.1/"], "token_endpoint_auth_method": "none"}
    made = site.post("/register", json=body, headers={"traceparent": PARENT}).json
    close()
    told = site.deployment.stores.audit.page(AuditFilter(client_id=made["client_id"]), None, 5).lines
    assert [line.event.origin.correlation_id for line in told] == [TRACE]
    span = spans.named("POST register")[-1]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, SPAN)
    assert flow.values


def test_a_trace_goes_on_in_what_a_request_fetches(site_with, authority):
    with publishing(authority) as host:
        site = site_with(traceparent_from="anyone", **host.settings)
        assert host.ask(site, "/one.json", traceparent=PARENT).status_code == 303
        assert host.ask(site, "/two.json").status_code == 303
        assert host.ask(site_with(**host.settings), "/three.json", traceparent=PARENT).status_code == 303
        assert host.peer.connections == 3
        assert host.heard("traceparent") == [PARENT]


def test_a_fetch_is_told_the_span_that_it_is(site_with, spans, authority):
    with publishing(authority) as host:
        site = site_with(traces_endpoint=spans.url, traceparent_from="anyone", **host.settings)
        tracer = site.app.extensions["authserver.tracer"]
        tracer.start()
        assert host.ask(site, "/one.json", traceparent=PARENT).status_code == 303
        tracer.close()
        (told,) = host.heard("traceparent")
    (fetched,) = spans.named("fetch.get")
    assert told == f"00-{TRACE}-{fetched.span_id.hex()}-01"


def test_no_secret_is_in_a_span_whatever_fails(traced, spans):
    site, close = traced
    carrier = Carrier(site)
    carrier.go_well()
    carrier.go_wrong()
    close()
    assert len(spans.spans) > 50
    for kind, secret in carrier.known.items():
        assert secret.encode() not in spans.bytes, kind


@pytest.mark.parametrize(
    ("whose", "hops", "forwarded", "counts"),
    [
        ("nobody", 1, "192.0.2.1", False),
        ("proxies", 1, "192.0.2.1", True),
        ("proxies", 1, "", False),
        ("proxies", 0, "192.0.2.1", False),
        ("proxies", 2, "192.0.2.1", False),
        ("anyone", 0, "", True),
    ],
)
def test_whose_traceparent_counts_is_as_the_setting_says(site_with, whose, hops, forwarded, counts):
    site = site_with(traceparent_from=whose, trusted_proxies=hops)
    headers = {"traceparent": PARENT, **({"X-Forwarded-For": forwarded} if forwarded else {})}
    answer = site.post("/token", data={}, headers=headers)
    assert (answer.headers["X-Correlation-Id"] == TRACE) is counts


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"01-{TRACE}-{SPAN}-01more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"x00-{TRACE}-{SPAN}-01",
    ],
)
def test_what_is_no_traceparent_is_left_out(value):
    assert trace_parent.read(value) is None


@pytest.mark.parametrize("value", [PARENT, f"01-{TRACE}-{SPAN}-01-what.comes", f"00-{TRACE}-{SPAN}-03"])
def test_a_traceparent_of_any_version_is_read(value):
    found = trace_parent.read(value)
    assert found == trace_parent.TraceParent(TRACE, SPAN, sampled=True)
    assert found.header == PARENT


def test_nothing_of_tracing_is_loaded_where_nobody_wants_it(tmp_path):
    code = "import sys, authserver.app; assert not [m for m in sys.modules if m.startswith('opentelemetry')]"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=tmp_path)


def test_a_layer_is_there_only_where_traces_count(site, site_with):
    assert type(site.app.wsgi_app._inner).__name__ == "Front"
    assert type(site_with(traceparent_from="anyone").app.wsgi_app._inner).__name__ == "Traced"
