"""What real clients were seen to send (``clients/*.json``), replayed word for word."""

import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from .flow import Flow
from .site import NOTES
from .visitor import Visitor

RECORDED = sorted(Path(__file__).parent.joinpath("clients").glob("*.json"))


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text())


@pytest.mark.requirement("CR-1", "CR-5", "CR-6", "CR-14")
def test_each_recorded_client_can_register_as_it_does(flow: Flow, recorded: dict[str, Any]) -> None:
    answer = flow.register(recorded["register"])
    assert answer.status_code == 201, answer.text
    assert answer.json["redirect_uris"] == recorded["register"]["redirect_uris"]
    assert answer.json["grant_types"] == ["authorization_code", "refresh_token"]


@pytest.mark.requirement("CR-6", "CR-14", "AZ-3", "AZ-4", "AZ-5", "TK-1", "TK-3", "TK-7")
def test_each_recorded_client_gets_from_registration_to_refresh(
    flow: Flow, visitor: Visitor, recorded: dict[str, Any]
) -> None:
    flow.register(recorded["register"])
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
        assert jwt.decode(found["access_token"], options={"verify_signature": False})["aud"] == NOTES.identifier


@pytest.mark.requirement("CR-6", "AZ-2")
def test_a_recorded_client_is_never_sent_anywhere_but_its_own_redirect(
    flow: Flow, visitor: Visitor, recorded: dict[str, Any]
) -> None:
    flow.register(recorded["register"])
    stolen = {**recorded["authorize"], "redirect_uri": "https://evil.example/callback"}
    page = visitor.decide(flow.url(stolen))
    assert page.status_code == 400
    assert page.location is None
