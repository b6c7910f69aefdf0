"""TLS as clients see it: who is trusted, for how long, and what else people must be told by https."""

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from authserver.services.doctor.examination import examine
from authserver.services.doctor.outcome import State
from authserver.services.doctor.transport import judge_plain_http
from authserver.services.doctor.visit import Visit
from tests.conformance.site import Site
from tests.journeys.ports import free_port
from tests.journeys.tls_proxy import make_certificates, trusting

from .conftest import Examined, not_well, probe
from .deployment import Fault, Front, serving

YEAR = datetime.timedelta(days=365)


@pytest.fixture
def by_https(site_with: Callable[..., Site], tmp_path: Path) -> Callable[..., Examined]:
    """What the doctor says of a deployment by https, whose certificate lasts so long."""

    def look(
        lasting: datetime.timedelta = YEAR, fault: Fault | None = None, trusted: bool = True, host: str = "localhost"
    ) -> Examined:
        make_certificates(tmp_path, lasting)
        port = free_port()
        issuer = f"https://{host}:{port}"
        front = Front(site_with(issuer=issuer).app)
        front.fault = fault
        trust = trusting(tmp_path) if trusted else ssl.create_default_context()
        with serving(front, port, (str(tmp_path / "server.pem"), str(tmp_path / "server.key")), host):
            return {outcome.check: outcome for outcome in examine(issuer, probe(trust))}

    return look


@pytest.mark.requirement("DI-8", "AZ-10")
def test_a_healthy_deployment_by_https_is_all_green(by_https):
    found = by_https()
    assert not_well(found) == {}, found
    assert found["certificate"].what == "the TLS certificate is good for 364 days"
    assert "Secure" in found["cookies"].what
    assert "hsts" in found


@pytest.mark.requirement("DI-8")
def test_a_certificate_that_ends_soon_is_a_warning(by_https):
    found = by_https(datetime.timedelta(days=3))
    assert not_well(found) == {"certificate": State.WARN}
    assert "ends in 2 days" in found["certificate"].what


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize(("given", "told"), [
    ({"lasting": -datetime.timedelta(days=1)}, "expired"),
    ({"trusted": False}, "unable to get local issuer certificate"),
    ({"host": "[::1]"}, "IP address mismatch"),
])  # fmt: skip
def test_a_certificate_that_is_not_good_is_one_red_line_and_the_rest_is_looked_at(by_https, given, told):
    found = by_https(**given)
    assert not_well(found) == {"certificate": State.FAIL}
    assert told in found["certificate"].what
    assert found["certificate"].remedy
    assert len(found) > 20


@pytest.mark.requirement("DI-8")
def test_missing_hsts_and_cookies_that_go_by_http_are_told(by_https):
    def fault(environ, reply):
        cookies = [value.replace("Secure; ", "") for name, value in reply.headers if name == "Set-Cookie"]
        reply = reply.header("Strict-Transport-Security", None)
        return reply.header("Set-Cookie", cookies[0]) if cookies else reply

    assert not_well(by_https(fault=fault)) == {"hsts": State.WARN, "cookies": State.FAIL}


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize(("status", "location", "state"), [
    (301, "https://auth.example/", State.OK),
    (301, "http://auth.example/x", State.FAIL),
    (200, None, State.FAIL),
    (404, None, State.OK),
])  # fmt: skip
def test_plain_http_leads_to_https_or_nowhere(status, location, state):
    def app(environ, start_response):
        start_response(f"{status} Said", [("Location", location)] if location else [])
        return [b""]

    port = free_port()
    with serving(app, port):
        found = judge_plain_http(Visit("https://127.0.0.1", probe()), f"http://127.0.0.1:{port}/")
    assert found.state is state
    assert judge_plain_http(Visit("https://127.0.0.1", probe()), f"http://127.0.0.1:{port}/").state is State.OK
