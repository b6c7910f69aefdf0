"""How a person stands to a client: asked for alone, or beside the session in which they are signed in (AZ-9, AZ-14)."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from authserver.protocol import credential
from authserver.store.models import ConsentRow
from authserver.store.standing import Place, Standing

from .scene import EVENT, HOST, RESOURCE, Scene

SECRET = credential.digest("session")
ELSEWHERE: dict[str, Any] = {
    "client_id": "another client",
    "redirect_host": "elsewhere.example",
    "resource": "https://elsewhere.example/mcp",
    "device_digest": credential.digest("another device"),
}


@pytest.fixture
def place(scene: Scene) -> Place:
    scene.stores.sessions.open(SECRET, scene.user_id, 3600, "192.0.2.7", EVENT)
    return Place(scene.client.client_id, HOST, RESOURCE, scene.device)


def standing(scene: Scene, place: Place) -> Standing:
    """How Alice stands at *place*, which both statements say."""
    alone = scene.stores.grants.standing(scene.user_id, place)
    session = scene.stores.sessions.find(SECRET, place)
    assert session is not None
    assert session.user.id == scene.user_id
    assert session.stood is not None
    assert session.stood.lately_at(place) == alone
    assert session.stood.lately_at(place._replace(resource="https://no.example/mcp")) is None
    return alone


def allow(scene: Scene, **changes: object) -> str | None:
    approval = scene.approval("notes:read", "notes:write", **changes)
    return scene.stores.grants.approve(approval, scene.new_code(credential.identifier()), EVENT)


def at(scene: Scene, host: str, moment: int) -> None:
    """Have the decision about *host* have been made at *moment*."""
    with scene.stores.database.transaction() as connection:
        decided = update(ConsentRow).where(ConsentRow.redirect_host == host)
        connection.execute(decided.values(decided_at=1_700_000_000 + moment))


def test_whoever_allowed_nothing_stands_nowhere(scene: Scene, place: Place):
    nothing = Standing(None, frozenset(), frozenset(), False, None, None)
    assert standing(scene, place) == nothing


@pytest.mark.requirement("AZ-9")
def test_what_is_allowed_stands_where_it_was_allowed(scene: Scene, place: Place):
    grant_id = allow(scene)
    found, both = standing(scene, place), frozenset({"notes:read", "notes:write"})
    assert (found.grant_id, found.granted, found.consented, found.seen_before) == (grant_id, both, both, True)
    assert (found.client_name, found.client_identity) == (scene.client.name, scene.client.identity)


@pytest.mark.requirement("AZ-14")
@pytest.mark.parametrize("what", ELSEWHERE)
def test_and_nowhere_else(scene: Scene, place: Place, what: str):
    allow(scene)
    found = standing(scene, place._replace(**{what: ELSEWHERE[what]}))
    assert (found.grant_id, found.granted) == (None, frozenset())
    is_remembered = what == "device_digest"
    assert bool(found.consented) is is_remembered
    assert found.seen_before is (what != "client_id")


@pytest.mark.requirement("AZ-8")
def test_a_client_is_known_as_what_it_was_here_and_else_as_what_it_was_last(scene: Scene, place: Place):
    hosts = {"older.example": "Older", HOST: "Here", "newer.example": "Newer"}
    for moment, (host, name) in enumerate(hosts.items()):
        allow(scene, redirect_host=host, client_name=name)
        at(scene, host, moment)
    assert standing(scene, place).client_name == "Here"
    assert standing(scene, place._replace(redirect_host="never.example")).client_name == "Newer"


def test_a_grant_that_has_ended_stands_no_more_and_its_person_is_known(scene: Scene, place: Place):
    grant_id = allow(scene)
    scene.stores.grants.revoke(str(grant_id), EVENT)
    found = standing(scene, place)
    assert (found.grant_id, found.granted, found.consented) == (None, frozenset(), frozenset())
    assert found.seen_before


def test_a_session_that_has_ended_says_nothing_of_its_person(scene: Scene, place: Place):
    allow(scene)
    scene.stores.sessions.end(SECRET, EVENT)
    assert scene.stores.sessions.find(SECRET, place) is None


def test_a_session_of_whom_nobody_asks_says_nothing_of_any_client(scene: Scene, place: Place):
    allow(scene)
    session = scene.stores.sessions.find(SECRET)
    assert session is not None
    asked = scene.stores.sessions.find(SECRET, place)
    assert asked is not None
    assert session.stood is None
    assert replace(asked, stood=None) == session
