"""Signing keys by the API: they are rotated and withdrawn once, however often the request for it is repeated."""

import pytest

from authserver.keys.life import State
from authserver.protocol.role import Permission
from authserver.services.own_api import enable
from authserver.web.admin.roles import ACTS
from tests.conformance.site import ISSUER, Site
from tests.web.api.conftest import EVENT, RESOURCE, Robot, robot_of

KEY = {"Idempotency-Key": "after-the-leak"}


@pytest.fixture
def robot(site_with) -> Robot:
    """A client that may do everything, at a site whose keys are its own."""
    site: Site = site_with()
    enable(site.deployment.stores.resources, ISSUER, ACTS, EVENT)
    return robot_of(site, *Permission)


def again(robot: Robot) -> Robot:
    """The same client with another token: the keys that signed the one before are gone."""
    answer = robot.machine.ask(resource=RESOURCE)
    assert answer.status_code == 200, answer.text
    return Robot(robot.site, robot.machine, answer.json["access_token"])


def kids(robot: Robot) -> set[str]:
    return {key["kid"] for key in robot.get("/keys").json["items"]}


@pytest.mark.requirement("TK-12")
def test_a_repeated_rotation_lets_no_further_key_sign(robot: Robot) -> None:
    first = robot.post("/keys/rotate", headers=KEY)
    known = kids(robot)
    repeated = robot.post("/keys/rotate", headers=KEY)
    assert (repeated.status_code, repeated.json) == (200, first.json)
    assert kids(robot) == known
    assert robot.post("/keys/rotate", headers={"Idempotency-Key": "next"}).json != first.json


@pytest.mark.requirement("TK-12")
def test_a_repeated_emergency_does_not_withdraw_the_new_keys(robot: Robot) -> None:
    first = robot.post("/keys/withdraw", headers=KEY)
    assert first.json["withdrawn"] > 0
    assert robot.post("/keys/withdraw", headers=KEY).status_code == 401, "the token went with its key"
    robot = again(robot)
    assert robot.post("/keys/withdraw", headers=KEY).json == first.json
    states = {key["kid"]: key["state"] for key in robot.get("/keys").json["items"]}
    assert set(first.json["kids"]) <= states.keys()
    assert State.WITHDRAWN not in {states[kid] for kid in first.json["kids"]}
