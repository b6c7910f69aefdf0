"""From an MCP server to its issuer, as a client goes; each planted fault reddens its own line."""

import json
import ssl
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Event
from authserver.protocol.resource import Resource
from authserver.protocol.scope import Scope
from authserver.services.doctor.examination import examine
from authserver.services.doctor.mcp_server import may_follow
from authserver.services.doctor.outcome import State
from authserver.services.doctor.registered import ServerDoctor
from authserver.store.alerts import Alert
from mcp_token_guard import Guard
from tests.conformance.site import create_site
from tests.database import Databases
from tests.journeys.ports import free_port
from tests.middleware.served import listener, serving_app

from .conftest import Examined, Place, not_well, probe
from .deployment import Fault, Front, serving
from .test_issuer import at

FAIL, WARN = State.FAIL, State.WARN
METADATA = "/.well-known/oauth-protected-resource"


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    """The application behind the guard, which nobody gets to without a token."""


@pytest.fixture(scope="module")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A guarded MCP server with something in front of it, and its authorization server."""
    url, as_port, port = databases.create(), free_port(), free_port()
    issuer, resource = f"http://127.0.0.1:{as_port}", f"http://127.0.0.1:{port}/mcp"
    site = create_site(url, tmp_path_factory.mktemp("server"), issuer=issuer)
    registered = Resource(resource, "Notes", (Scope("notes:read", "Read"),))
    site.deployment.stores.resources.add(registered, Event("resource.added", "system"))
    behind = listener()
    front = Front(passing_on(behind.getsockname()[1]))
    guarded = Guard(resource, issuer=issuer, scopes=["notes:read"]).asgi(nobody)
    with serving(site.app, as_port), serving_app(guarded, behind), serving(front, port):
        yield Place(resource, front)
    site.deployment.stores.database.close()
    databases.drop(url)


def passing_on(port: int) -> Callable[..., Iterable[bytes]]:
    """A WSGI application that passes everything on to *port* of loopback."""
    kept = ("content-type", "accept", "origin", "mcp-protocol-version")
    asked = ("access-control-request-method", "access-control-request-headers")

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        found = {name: environ.get("HTTP_" + name.upper().replace("-", "_")) for name in (*kept, *asked)}
        found["content-type"] = environ.get("CONTENT_TYPE")
        headers = {name: value for name, value in found.items() if value}
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        url = f"http://127.0.0.1:{port}{environ['PATH_INFO']}"
        answer = httpx2.request(environ["REQUEST_METHOD"], url, headers=headers, content=body)
        start_response(f"{answer.status_code} Said", list(answer.headers.items()))
        return [answer.content]

    return app


@pytest.fixture
def examined(server: Place) -> Iterator[Callable[..., Examined]]:
    def look(fault: Fault | None = None, url: str = server.issuer) -> Examined:
        server.front.fault = fault
        return {outcome.check: outcome for outcome in examine(url, probe())}

    yield look
    server.front.fault = None


def said(**changes: Any) -> Callable[..., Any]:
    def change(reply):
        if reply.status != 200:
            return reply
        found = {**json.loads(b"".join(reply.body)), **changes}
        body = json.dumps({name: value for name, value in found.items() if value is not None})
        return reply.become(200, body, "application/json").header("Access-Control-Allow-Origin", "*")

    return at(METADATA, method="GET", then=change)


@pytest.mark.requirement("DI-8", "DI-6")
def test_a_healthy_way_is_all_green_up_to_the_issuer(examined):
    found = examined()
    assert not_well(found) == {}, found
    assert found["authorization-server"].what.startswith("the authorization server is http://127.0.0.1:")
    assert {"challenge", "resource-url", "resource", "well-known", "cookies"} <= found.keys()


@pytest.mark.requirement("DI-8", "DI-6", "DI-7", "RS-4")
@pytest.mark.parametrize(("fault", "expected"), [
    (at("/mcp", method="POST", then=lambda reply: reply.header("WWW-Authenticate", "Bearer")), {"challenge": FAIL}),
    (at("/mcp", method="POST", then=lambda reply: reply.header(
        "WWW-Authenticate", 'Bearer resource_metadata="https://evil.example/x"')), {"challenge": FAIL}),
    (at("/mcp", method="POST", then=lambda reply: reply.header(
        "WWW-Authenticate", 'Bearer resource_metadata="http://[x"')), {"challenge": FAIL}),
    (at(METADATA + "/mcp", then=lambda reply: reply.become(404)), {"resource-metadata": FAIL}),
    (said(resource="http://127.0.0.1/other"), {"resource-url": FAIL}),
    (said(scopes_supported=["notes:read", "offline_access"]), {"resource-scopes": WARN}),
    (at("/mcp", method="OPTIONS", then=lambda reply: reply.become(401)), {"server-cors": FAIL}),
    (at("/mcp", method="POST", then=lambda reply: reply.header("Access-Control-Expose-Headers", None)),
     {"server-cors": FAIL}),
    (at(METADATA, then=lambda reply: reply.header("Access-Control-Allow-Origin", None)), {"server-cors": FAIL}),
    (said(authorization_servers=[]), {"authorization-server": FAIL}),
    (said(authorization_servers="x"), {"authorization-server": FAIL}),
    (said(authorization_servers=["http://10.0.0.1/"]), {"authorization-server": FAIL}),
])  # fmt: skip
def test_a_fault_reddens_its_own_line(examined, fault, expected):
    found = examined(fault)
    assert not_well(found) == expected
    assert all(found[name].why and found[name].remedy for name in expected)


@pytest.mark.requirement("DI-8", "RS-3")
@pytest.mark.parametrize("status", [200, 403, 500])
def test_a_server_that_asks_for_no_token_is_told(examined, status):
    found = examined(at("/mcp", method="POST", then=lambda reply: reply.become(status)))
    assert found["challenge"].state is FAIL
    assert f"status {status}" in found["challenge"].what


@pytest.mark.requirement("DI-8")
def test_a_server_that_the_issuer_does_not_know_is_told(examined, server):
    found = examined(said(resource=server.issuer + "x"), server.issuer + "x")
    assert "challenge" in found


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize(("url", "issuer", "followed"), [
    ("https://a.example/mcp", "https://b.example", True),
    ("http://127.0.0.1:1/mcp", "http://localhost:2", True),
    ("https://a.example/mcp", "http://localhost:2", False),
    ("http://127.0.0.1:1/mcp", "http://169.254.169.254", False),
    ("https://a.example/mcp", "file:///etc/passwd", False),
    ("https://a.example/mcp", "https://[x", False),
    ("https://a.example/mcp", "https://", False),
])  # fmt: skip
def test_the_way_leads_by_https_or_stays_on_this_machine(url, issuer, followed):
    assert may_follow(url, issuer) is followed


def test_a_registered_server_is_looked_at_in_the_networks_that_were_entered(server: Place):
    parts = urlsplit(server.issuer)
    networks = {(str(parts.hostname), int(parts.port or 0)): (ip_network("127.0.0.0/8"),)}
    resource = Resource(server.issuer, "Notes", (Scope("notes:read", "Read"),))
    named = examine(server.issuer, probe())
    issuer = next(one.what.rpartition(" ")[2] for one in named if one.check == "authorization-server")
    trust = ssl.create_default_context()
    raised: list[Alert] = []
    found = ServerDoctor(issuer, networks, trust, raised.extend).look(resource)
    assert {one.state for one in found} == {State.OK}, found
    assert not raised
    *_, last = ServerDoctor("https://auth.other.example", networks, trust, raised.extend).look(resource)
    assert last.state is FAIL
    assert "it sends clients to other authorization servers" in last.what
    (alert,) = raised
    assert (alert.kind, alert.resource) == (AlertKind.NOT_WELL, server.issuer)
    assert "other authorization servers" in alert.detail["found"]
    refused, *_ = ServerDoctor(issuer, {}, trust, raised.extend).look(resource)
    assert refused.state is FAIL
    assert "private network" in refused.what
    assert len(raised) == 1, "what was not looked at is not known to be wrong"
