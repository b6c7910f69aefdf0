"""What was verified lately is not verified again, and tells nothing that a fresh look would not tell."""

import time

import pytest
import time_machine

from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor

from .test_revocation import Credentials, introspect, resource_server, revoke

pytestmark = pytest.mark.requirement("TK-9")
INACTIVE = {"active": False}


@pytest.fixture
def guard(site: Site) -> Credentials:
    return resource_server(site, NOTES.identifier)


@pytest.fixture
def token(site: Site, flow: Flow, visitor: Visitor, guard: Credentials) -> str:
    """One that was asked about, so that it is known."""
    found: str = flow.tokens(visitor)["access_token"]
    assert introspect(site, found, guard).json["active"]
    return found


def hits(site: Site) -> int:
    return site.deployment.introspection.formats.lately.counts()["hit"]


def test_a_token_that_is_asked_about_again_is_not_verified_again(site: Site, token: str, guard) -> None:
    before, first = hits(site), introspect(site, token, guard).json
    assert introspect(site, token, guard).json == first
    assert hits(site) == before + 2


def test_of_one_that_differs_in_one_letter_nothing_is_known(site: Site, token: str, guard) -> None:
    for place in (3, token.index(".") + 5, -30):
        other = "A" if token[place] != "A" else "B"
        forged = token[:place] + other + token[place:][1:]
        assert introspect(site, forged, guard).json == INACTIVE
    assert introspect(site, token, guard).json["active"]


def test_one_that_has_expired_since_is_inactive(site: Site, token: str, guard) -> None:
    with time_machine.travel(time.time() + 601, tick=True):
        assert introspect(site, token, guard).json == INACTIVE


def test_one_that_was_revoked_since_is_inactive(site: Site, flow: Flow, token: str, guard) -> None:
    assert revoke(flow, token).status_code == 200
    assert introspect(site, token, guard).json == INACTIVE


def test_an_emergency_ends_it_at_once(site: Site, token: str, guard) -> None:
    site.deployment.rotation.replace_all()
    assert introspect(site, token, guard).json == INACTIVE


def test_nobody_changes_what_is_kept(site: Site, token: str) -> None:
    formats = site.deployment.introspection.formats
    formats.read(token)["scope"] = "everything"
    assert formats.read(token)["scope"] == "notes:read"
