"""A real client's way up to the sign-in page, played at a deployment; what it registers is removed."""

import json
import shlex
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

import pytest

from authserver.protocol.registry.recordings import names, recording
from authserver.services.doctor.dance import dance
from authserver.services.doctor.outcome import State
from tests.conformance.site import CALENDAR, NOTES

from .conftest import Examined, Place, not_well, probe
from .deployment import Fault
from .test_issuer import at, documents

FAIL, WARN = State.FAIL, State.WARN
REGISTERING = [name for name in names() if "register" in recording(name)]


@pytest.fixture
def danced(place: Place) -> Iterator[Callable[..., Examined]]:
    """What the doctor says of a client's way, with a fault in front of the deployment."""
    place.front.asked.clear()

    def look(name: str = "cursor", fault: Fault | None = None) -> Examined:
        place.front.fault = fault
        return {outcome.check: outcome for outcome in dance(name, place.issuer, probe())}

    yield look
    place.front.fault = None


def removed(place: Place) -> bool:
    return any(asked.startswith("DELETE /register/") for asked in place.front.asked)


@pytest.mark.requirement("DI-8", "CR-16")
@pytest.mark.parametrize("name", REGISTERING)
def test_each_known_client_gets_to_the_sign_in_page_and_leaves_nothing_behind(danced, place, name):
    found = danced(name)
    assert not_well(found) == {}, found
    assert list(found) == ["reachable", "register", "authorize", "remove"]
    assert removed(place)


@pytest.mark.requirement("DI-8")
@pytest.mark.parametrize(("fault", "expected", "told"), [
    (at("/register", method="POST", then=lambda reply: reply.become(
        400, '{"error": "invalid_redirect_uri", "error_description": "no\\u001b[31m"}', "application/json")),
     {"register": FAIL}, "invalid_redirect_uri: no?"),
    (at("/register", method="POST", then=lambda reply: reply.become(201, "{}")), {"register": FAIL}, "status 201"),
    (documents(registration_endpoint=None), {"register": FAIL}, "no registration"),
    (documents(registration_endpoint="http://127.0.0.1:1/register"), {"register": FAIL}, "at its own address"),
    (documents(authorization_endpoint="https://evil.example/"), {"authorize": FAIL}, "no authorization endpoint"),
    (at("/authorize", then=lambda reply: reply.become(400)), {"authorize": FAIL}, "no sign-in form (status 400)"),
    (at("/authorize", then=lambda reply: reply.become(302).header("Location", "https://evil.example/?error=x")),
     {"authorize": FAIL}, "sent on to https://evil.example/?error=x"),
    (at("/authorize", then=lambda reply: reply.become(302).header("Location", "/authorize")), {"authorize": FAIL}, ""),
    (at("/authorize", then=lambda reply: reply.become(302).header("Location", "http://[x")), {"authorize": FAIL}, ""),
    (at("/register/", method="DELETE", then=lambda reply: reply.become(401)), {"remove": WARN}, "authserver"),
])  # fmt: skip
def test_where_the_way_ends_is_told_and_the_client_is_removed(danced, place, fault, expected, told):
    found = danced(fault=fault)
    assert not_well(found) == expected
    bad = found[next(iter(expected))]
    assert told in bad.what + bad.remedy
    assert bad.why
    assert bad.remedy
    assert removed(place) == ("remove" in found)


@pytest.mark.requirement("DI-8")
def test_the_registration_access_token_goes_home_only(danced, place):
    def fault(environ, reply):
        if environ["PATH_INFO"] != "/register":
            return reply
        found = {**json.loads(b"".join(reply.body)), "registration_client_uri": "http://127.0.0.1:1/register/x"}
        return reply.become(201, json.dumps(found), "application/json")

    assert not_well(danced(fault=fault)) == {"remove": WARN}
    assert not removed(place)


@pytest.mark.requirement("DI-8")
def test_a_command_to_copy_is_one_word_to_a_shell_wherever_it_has_a_servers_words(danced):
    def fault(environ, reply):
        if environ["PATH_INFO"] != "/register":
            return reply
        found = {**json.loads(b"".join(reply.body)), "client_id": "x; rm -rf ~ #'", "registration_client_uri": None}
        return reply.become(201, json.dumps(found), "application/json")

    remedy = danced(fault=fault)["remove"].remedy
    assert shlex.split(remedy.partition(": ")[2]) == ["authserver", "client", "remove", "x; rm -rf ~ #'"]


@pytest.mark.requirement("DI-8")
def test_a_client_that_others_may_share_is_left_alone(danced, place):
    def fault(environ, reply):
        if environ["PATH_INFO"] != "/register":
            return reply
        found = json.loads(b"".join(reply.body))
        del found["registration_access_token"]
        return reply.become(201, json.dumps(found), "application/json")

    found = danced(fault=fault)
    assert not_well(found) == {}
    assert "it stays" in found["remove"].what
    assert not removed(place)


@pytest.mark.requirement("DI-8")
def test_a_client_asks_for_the_deployments_own_resource_and_scopes(danced, place):
    asked = []

    def fault(environ, reply):
        if environ["PATH_INFO"] == "/authorize":
            asked.append(environ["QUERY_STRING"])
        return reply

    danced("claude", fault)
    sent = dict(parse_qsl(asked[0], strict_parsing=True))
    assert sent["resource"] in (NOTES.identifier, CALENDAR.identifier)
    assert {"calendar:read", "notes:read", "offline_access"} == set(sent["scope"].split())


def test_a_recording_is_not_a_way_into_the_file_system():
    for name in ("", "..", "../clients", "/etc/passwd", "cursor.json"):
        with pytest.raises(LookupError):
            recording(name)
