"""A healthy deployment is all green; each planted fault reddens its own line, with a remedy."""

import json

import pytest

from authserver.services.doctor.examination import examine
from authserver.services.doctor.outcome import State
from tests.journeys.ports import free_port

from .conftest import not_well, probe
from .deployment import Fault, Front, serving

FAIL, WARN = State.FAIL, State.WARN


def at(*paths: str, method: str = "", then) -> Fault:
    """Do *then* to what is answered at *paths*."""

    def fault(environ, reply):
        here = any(path in environ["PATH_INFO"] for path in paths)
        return then(reply) if here and method in ("", environ["REQUEST_METHOD"]) else reply

    return fault


def documents(**changes) -> Fault:
    """The metadata with other members; None leaves one out."""

    def change(reply):
        found = {**json.loads(b"".join(reply.body) or b"{}"), **changes}
        body = json.dumps({name: value for name, value in found.items() if value is not None})
        return (
            reply.become(200, body, "application/json").header("Access-Control-Allow-Origin", "*").header("ETag", '"x"')
        )

    def fault(environ, reply):
        if environ.get("HTTP_IF_NONE_MATCH") == '"x"':
            return reply.become(304)
        return change(reply) if ".well-known" in environ["PATH_INFO"] and reply.status == 200 and \
            environ["REQUEST_METHOD"] == "GET" else reply  # fmt: skip

    return fault


def follows_the_host(header):
    def fault(environ, reply):
        claimed = environ.get(header)
        if not claimed or environ["REQUEST_METHOD"] != "GET" or ".well-known" not in environ["PATH_INFO"]:
            return reply
        issuer = json.loads(b"".join(reply.body) or b'{"issuer": "//"}')["issuer"]
        return reply.swap(issuer.removeprefix("http://"), claimed)

    return fault


def without_cors(reply):
    return reply.header("Access-Control-Allow-Origin", None)


def private(reply):
    return reply.swap('"kty": "EC"', '"d": "AAAA", "kty": "EC"')


@pytest.mark.requirement("DI-8")
def test_a_healthy_deployment_is_all_green(examined):
    found = examined()
    assert not_well(found) == {}, found
    assert len(found) >= 20


@pytest.mark.requirement("DI-8", "DI-1", "DI-3", "DI-7")
@pytest.mark.parametrize(("fault", "expected"), [
    (documents(issuer="https://other.example"), {"issuer": FAIL}),
    (documents(issuer=None), {"issuer": FAIL}),
    (at("openid-configuration", then=lambda reply: reply.become(404)), {"well-known": FAIL}),
    (at("oauth-authorization-server",
        then=lambda reply: reply.become(301).header("Location", "http://other.example/x")), {"well-known": FAIL}),
    (at("openid-configuration", then=lambda reply: reply.header("Content-Type", "text/html")), {"json": FAIL}),
    (at("openid-configuration", method="GET", then=lambda reply:
        reply.become(200, "<p>hello", "application/json").header("Access-Control-Allow-Origin", "*")), {"json": FAIL}),
    (at("/.well-known/", then=lambda reply: reply.header("ETag", None)), {"caching": WARN}),
    (follows_the_host("HTTP_HOST"), {"forged-host": FAIL}),
    (follows_the_host("HTTP_X_FORWARDED_HOST"), {"forged-host": FAIL}),
    (at("/.well-known/", "/jwks", "/token", then=without_cors), {"cors": FAIL}),
    (at("/token", method="OPTIONS", then=without_cors), {"cors": FAIL}),
    (at("/register", method="OPTIONS", then=lambda reply: reply.become(401)), {"cors": FAIL}),
    (at("/jwks", method="OPTIONS", then=lambda reply:
        reply.header("Access-Control-Allow-Headers", "Authorization, Content-Type")), {"cors": FAIL}),
    (documents(token_endpoint="https://evil.example/token"), {"endpoints": FAIL}),
    (documents(jwks_uri=None), {"endpoints": FAIL}),
    (documents(token_endpoint_auth_methods_supported=["client_secret_basic"]), {"public-clients": FAIL}),
    (documents(client_id_metadata_document_supported=False), {"public-clients": WARN}),
    (documents(code_challenge_methods_supported=["plain"]), {"pkce": FAIL}),
    (documents(authorization_response_iss_parameter_supported=None), {"iss": WARN}),
    (documents(scopes_supported=["notes:read"]), {"refresh": WARN}),
])  # fmt: skip
def test_a_fault_in_the_documents_reddens_its_own_line(examined, fault, expected):
    found = examined(fault)
    assert not_well(found) == expected
    assert all(found[name].why and found[name].remedy for name in expected)


@pytest.mark.requirement("DI-8", "DI-5", "AZ-2", "AZ-10", "CR-1", "TK-7")
@pytest.mark.parametrize(("fault", "expected"), [
    (at("/jwks", method="GET", then=private), {"keys": FAIL}),
    (at("/jwks", method="GET", then=lambda reply: reply.swap('"RS256"', '"RS512"')), {"keys": WARN}),
    (at("/jwks", method="GET", then=lambda reply: reply.become(404)), {"keys": FAIL}),
    (at("/token", method="GET", then=lambda reply: reply.become(200, "{}")), {"token-get": FAIL}),
    (at("/revoke", method="POST", then=lambda reply: reply.become(404, "<p>")), {"oauth-errors": FAIL}),
    (at("/register", method="POST", then=lambda reply: reply.become(502, "<p>")), {"registration": FAIL}),
    (at("/register", method="POST", then=lambda reply: reply.become(201, "{}")), {"registration": FAIL}),
    (at("/register", method="POST", then=lambda reply: reply.header("X-Correlation-Id", None)),
     {"correlation-id": WARN}),
    (at("/authorize", then=lambda reply: reply.become(302).header("Location", "/x").header("X-Frame-Options", "DENY")
        .header("Content-Security-Policy", "default-src 'none'")), {"unknown-client": FAIL}),
    (at("/authorize", then=lambda reply: reply.header("Access-Control-Allow-Origin", "*")), {"pages-cors": FAIL}),
    (at("/authorize", then=lambda reply: reply.header("Content-Security-Policy", None)
        .header("X-Frame-Options", None)), {"framing": FAIL}),
    (at("/authorize", then=lambda reply: reply.header("Content-Security-Policy", None)), {"framing": WARN}),
    (at("/sign-in", then=lambda reply: reply.header("Set-Cookie", "session=x; Path=/; SameSite=Lax")),
     {"cookies": FAIL}),
])  # fmt: skip
def test_a_fault_in_endpoints_or_pages_reddens_its_own_line(examined, fault, expected):
    found = examined(fault)
    assert not_well(found) == expected
    assert all(found[name].why and found[name].remedy for name in expected)


@pytest.mark.requirement("DI-8", "DI-2")
def test_an_issuer_with_a_path_is_looked_for_at_every_address(site_with):
    port = free_port()
    issuer = f"http://127.0.0.1:{port}/tenant1"
    front = Front(site_with(issuer=issuer).app)
    with serving(front, port):
        found = {outcome.check: outcome for outcome in examine(issuer, probe())}
        assert not_well(found) == {}
        assert "all 4 addresses" in found["well-known"].what
        front.fault = at("/.well-known/openid-configuration/tenant1", then=lambda reply: reply.become(404))
        assert not_well({outcome.check: outcome for outcome in examine(issuer, probe())}) == {"well-known": FAIL}


@pytest.mark.requirement("DI-8", "CR-2")
@pytest.mark.parametrize(("settings", "expected", "told"), [
    ({"registration": "token"}, {}, "under conditions (status 401)"),
    ({"registration": "approval"}, {}, "clients can register"),
    ({"registration": "closed"}, {}, "registration is closed"),
    ({"registration": "closed", "metadata_documents": False}, {"registration": WARN, "public-clients": WARN}, ""),
    ({"metadata_documents": False}, {"public-clients": WARN}, "clients can register"),
])  # fmt: skip
def test_a_policy_is_not_a_fault(site_with, settings, expected, told):
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with serving(site_with(issuer=issuer, **settings).app, port):
        found = {outcome.check: outcome for outcome in examine(issuer, probe())}
    assert not_well(found) == expected
    assert told in found["registration"].what


@pytest.mark.requirement("DI-8")
def test_the_doctor_goes_nowhere_else_and_creates_nothing(examined, place):
    before = len(place.front.asked)
    examined(documents(token_endpoint="http://127.0.0.1:1/token", registration_endpoint="http://127.0.0.1:1/x"))
    assert "POST /token" not in place.front.asked[before:]
    assert not any(asked.startswith(("PUT", "DELETE")) for asked in place.front.asked)


@pytest.mark.requirement("DI-8")
def test_nothing_there_is_one_red_line():
    found = list(examine(f"http://127.0.0.1:{free_port()}", probe()))
    assert [(outcome.check, outcome.state) for outcome in found] == [("reachable", FAIL)]
    assert "refused" in found[0].what
    assert found[0].remedy
