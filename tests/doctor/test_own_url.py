"""A server that looks at its own public URL: warnings in the log, and it goes on."""

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from authserver.observability import logs
from authserver.protocol.alert import AlertKind
from authserver.services.doctor.own_url import OwnUrl
from authserver.store.alerts import Alert
from tests.journeys.ports import free_port

from .conftest import Place
from .deployment import Fault
from .test_hostile import saying, slow_drip
from .test_issuer import at, documents


@pytest.fixture
def looked(place: Place) -> Iterator[object]:
    """The log lines of a look at the deployment with a fault in front of it."""

    def look(fault: Fault | None = None, url: str = place.issuer) -> list[Any]:
        place.front.fault = fault
        place.front.asked.clear()
        with capture_logs() as lines:
            OwnUrl(url, ssl.create_default_context(), lambda _: None, pause=0, seconds=2.0).start().join()
        return lines

    logs.configure("WARNING")
    yield look
    logs.configure("ERROR")
    place.front.fault = None


@pytest.mark.requirement("DI-8")
def test_a_healthy_url_is_not_worth_a_line_and_is_only_read(looked, place):
    assert looked() == []
    methods = {asked.split()[0] for asked in place.front.asked}
    assert methods == {"GET", "OPTIONS"}


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize(("fault", "check"), [
    (documents(issuer="https://other.example"), "issuer"),
    (documents(token_endpoint_auth_methods_supported=["client_secret_basic"]), "public-clients"),
    (at("openid-configuration", then=lambda reply: reply.become(404)), "well-known"),
    (at("/token", method="OPTIONS", then=lambda reply: reply.become(403)), "cors"),
])  # fmt: skip
def test_what_is_wrong_is_a_warning_with_its_remedy(looked, fault, check):
    (line,) = looked(fault)
    assert (line["log_level"], line["check"]) == ("warning", check)
    assert line["what"]
    assert line["remedy"]


@pytest.mark.requirement("DI-8")
def test_nothing_there_and_no_end_are_warnings_too(looked):
    assert [line["check"] for line in looked(url=f"http://127.0.0.1:{free_port()}")] == ["reachable"]
    with saying(slow_drip) as url:
        assert {line["log_level"] for line in looked(url=url)} == {"warning"}


@pytest.mark.requirement("DI-8")
def test_not_even_a_mistake_of_its_own_gets_out(looked):
    lines = looked(url="https://[")
    assert [line["event"] for line in lines] == ["the public URL could not be looked at"]


@pytest.mark.requirement("DI-8")
def test_what_is_wrong_is_one_alert_and_what_is_well_is_none(place):
    raised: list[Alert] = []
    for url in (f"http://127.0.0.1:{free_port()}", place.issuer):
        OwnUrl(url, ssl.create_default_context(), raised.extend, seconds=30.0).look()
    (alert,) = raised
    assert (alert.kind, alert.resource) == (AlertKind.NOT_WELL, "")
    assert alert.detail["found"].startswith("nothing to look at")
