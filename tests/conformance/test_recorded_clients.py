"""What real clients were seen to send (`authserver.protocol.registry.recordings`), replayed word for word."""

from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.protocol.registry.known import registry
from authserver.protocol.registry.recognition import Proof, recognise
from tests.web.pages.test_consent_page import words

from .flow import Flow
from .recorded import Recorded, recordings
from .site import NOTES
from .visitor import Visitor

RECORDED = recordings()
KNOWN = {client.id: client for client in registry().clients}


def having(member: str) -> pytest.MarkDecorator:
    """For the recordings that have *member*."""
    found = [one for one in RECORDED if member in one.content]
    return pytest.mark.parametrize("recorded", found, ids=[one.name for one in found])


@pytest.fixture(params=RECORDED, ids=lambda one: one.name)
def recorded(request: pytest.FixtureRequest) -> Recorded:
    return request.param


@pytest.mark.requirement("CR-16")
def test_each_client_of_the_registry_is_recorded_in_each_way_that_it_registers() -> None:
    played = {(one.client_id, "metadata_document" if one.has_document else "dynamic") for one in RECORDED}
    assert {name for name, _ in played} == set(KNOWN)
    for client in KNOWN.values():
        assert (client.id, "dynamic") in played
        if client.documents:
            assert (client.id, "metadata_document") in played


@pytest.mark.requirement("CR-16")
@pytest.mark.parametrize("recorded", RECORDED, ids=[one.name for one in RECORDED])
def test_the_registry_knows_each_recorded_client_by_what_it_sends(recorded: Recorded) -> None:
    known, uri = KNOWN[recorded.client_id], recorded["authorize"]["redirect_uri"]
    assert not known.redirects or known.sends_to(uri)
    if recorded.has_document:
        assert known.publishes(recorded["document"]["client_id"])
    elif known.names:
        assert recorded["register"]["client_name"].startswith(known.names)


@pytest.mark.requirement("AZ-8", "CR-16")
@pytest.mark.parametrize("recorded", RECORDED, ids=[one.name for one in RECORDED])
def test_no_real_client_is_doubted(recorded: Recorded) -> None:
    said = recorded["document" if recorded.has_document else "register"]
    kind = ClientKind.METADATA_DOCUMENT if recorded.has_document else ClientKind.DYNAMIC
    client = Client(said.get("client_id", "id"), kind, said["client_name"], (), AuthMethod.NONE, (), 0)
    for uri in (*recorded.redirect_uris, recorded["authorize"]["redirect_uri"]):
        found = recognise(client, uri)
        assert not found.doubts
        assert (found.proof is Proof.DOCUMENT) == recorded.has_document
        assert KNOWN[recorded.client_id].redirects == () or found.known is KNOWN[recorded.client_id]


@pytest.mark.requirement("CR-1", "CR-5", "CR-6", "CR-14", "CR-16")
@having("register")
def test_each_recorded_client_can_register_as_it_does(flow: Flow, recorded: Recorded) -> None:
    recorded.enrol(flow)
    assert flow.client["redirect_uris"] == recorded.redirect_uris
    assert flow.client["grant_types"] == ["authorization_code", "refresh_token"]


@pytest.mark.requirement(
    "CR-6", "CR-7", "CR-12", "CR-13", "CR-14", "CR-16", "AZ-3", "AZ-4", "AZ-5", "TK-1", "TK-3", "TK-7"
)
def test_each_recorded_client_gets_from_registration_to_refresh(
    flow: Flow, visitor: Visitor, recorded: Recorded
) -> None:
    recorded.enrol(flow)
    returned = flow.answer(visitor.decide(flow.url(recorded["authorize"])))
    assert returned["state"] == flow.values["state"]
    assert returned["iss"] == "http://localhost:9000"
    tokens = flow.token(recorded["token"])
    assert tokens.status_code == 200, tokens.text
    first = flow.values["refresh_token"]
    refreshed = flow.refresh(recorded["refresh"])
    assert refreshed.status_code == 200, refreshed.text
    assert flow.values["refresh_token"] != first
    for found in (tokens.json, refreshed.json):
        assert found["scope"] == "notes:read"
        assert found["token_type"] == "Bearer"
        assert found["expires_in"] > 0
        assert jwt.decode(found["access_token"], options={"verify_signature": False})["aud"] == NOTES.identifier


@pytest.mark.requirement("CR-6", "CR-16", "AZ-2")
def test_a_recorded_client_is_never_sent_anywhere_but_its_own_redirect(
    flow: Flow, visitor: Visitor, recorded: Recorded
) -> None:
    recorded.enrol(flow)
    stolen = {**recorded["authorize"], "redirect_uri": "https://evil.example/callback"}
    page = visitor.decide(flow.url(stolen))
    assert page.status_code == 400
    assert page.location is None


@pytest.mark.requirement("AZ-14", "CR-16")
@having("step_up")
def test_a_step_up_keeps_what_was_allowed(flow: Flow, visitor: Visitor, recorded: Recorded) -> None:
    recorded.enrol(flow)
    flow.answer(visitor.decide(flow.url(recorded["authorize"])))
    flow.token(recorded["token"])
    more = {**recorded["authorize"], "scope": recorded["step_up"]}
    assert "Already allowed on this device" in words(visitor.open(flow.url(more)))
    flow.answer(visitor.decide(flow.url(more)))
    assert flow.token(recorded["token"]).json["scope"] == "notes:read notes:write"
    assert flow.refresh(recorded["refresh"]).json["scope"] == "notes:read notes:write"


@pytest.mark.requirement("TK-4", "CR-16")
@having("refreshes")
def test_refreshes_at_once_all_get_a_working_answer(flow: Flow, visitor: Visitor, recorded: Recorded) -> None:
    recorded.enrol(flow)
    flow.answer(visitor.decide(flow.url(recorded["authorize"])))
    flow.token(recorded["token"])
    request, times = flow.fill(recorded["refresh"]), recorded["refreshes"]
    with ThreadPoolExecutor(times) as pool:
        answers = list(pool.map(lambda _: flow.site.post("/token", data=request), range(times)))
    assert [answer.status_code for answer in answers] == [200] * times
    assert len({answer.json["refresh_token"] for answer in answers}) == 1


@pytest.mark.requirement("DI-7", "CR-16")
@having("browser")
def test_a_client_in_a_browser_may_make_each_of_its_requests(flow: Flow, recorded: Recorded) -> None:
    origin = {"Origin": recorded["browser"]["origin"]}
    for method, path, names in recorded["browser"]["preflights"]:
        asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": names}
        answer = flow.site.http().options(path, headers={**origin, **asked})
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert method in answer.headers["Access-Control-Allow-Methods"]
        assert set(names.split(", ")) <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
        sent = flow.site.http().open(path, method=method, headers=origin)
        assert sent.headers["Access-Control-Allow-Origin"] == "*"
        assert "WWW-Authenticate" in sent.headers["Access-Control-Expose-Headers"]
