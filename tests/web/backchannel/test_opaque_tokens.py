"""Opaque access tokens (TK-2): nobody reads them but this server, which tells the same of them as of JWTs."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.resource import TokenFormat
from tests.conformance.flow import Flow
from tests.conformance.site import CALENDAR, NOTES, Site
from tests.conformance.visitor import Visitor

from .test_client_credentials import machine
from .test_revocation import Credentials, introspect, resource_server, revoke

pytestmark = pytest.mark.requirement("TK-2")
EVENT = Event("test.done", "system")
INACTIVE = {"active": False}


def choose(site: Site, token_format: TokenFormat) -> None:
    site.deployment.stores.resources.replace(replace(NOTES, token_format=token_format), EVENT)


@pytest.fixture
def opaque(site: Site) -> Iterator[None]:
    choose(site, TokenFormat.OPAQUE)
    yield
    choose(site, TokenFormat.JWT)


@pytest.fixture
def guard(site: Site) -> Credentials:
    return resource_server(site, NOTES.identifier)


def test_a_token_says_nothing_to_who_has_it(opaque, flow: Flow, visitor: Visitor) -> None:
    answer = flow.tokens(visitor)
    token = answer["access_token"]
    assert token.startswith("mcpa_")
    assert "." not in token
    assert NOTES.identifier.encode() not in base64.urlsafe_b64decode(token.removeprefix("mcpa_") + "==")
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 600, "notes:read")
    assert flow.refresh().json["access_token"].startswith("mcpa_")


@pytest.mark.requirement("TK-9")
def test_introspection_tells_of_it_what_it_tells_of_a_jwt(
    opaque, site: Site, flow: Flow, visitor: Visitor, guard
) -> None:
    sealed = introspect(site, flow.tokens(visitor)["access_token"], guard).json
    choose(site, TokenFormat.JWT)
    signed = introspect(site, flow.refresh().json["access_token"], guard).json
    assert signed.pop("status")
    assert list(sealed) == list(signed)
    assert {name for name in sealed if sealed[name] != signed[name]} <= {"jti", "iat", "exp"}


@pytest.mark.requirement("TK-9")
def test_nobody_learns_of_one_that_is_not_meant_for_them(opaque, site: Site, flow: Flow, visitor: Visitor) -> None:
    token = flow.tokens(visitor)["access_token"]
    assert introspect(site, token, resource_server(site, CALENDAR.identifier)).json == INACTIVE
    form = {"token": token, "client_id": flow.values["client_id"]}
    assert site.post("/introspect", data=form).status_code == 401


@pytest.mark.requirement("TK-9")
def test_one_that_was_changed_cut_or_made_elsewhere_is_not_active(
    opaque, site: Site, flow: Flow, visitor: Visitor, guard, site_with
) -> None:
    token = flow.tokens(visitor)["access_token"]
    changed = [token[:-1], token[:60], "mcpa_", token + "A", token.replace("mcpa_", "mcpr_"), token[5:]]
    changed += [token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :] for place in (5, 40, 90)]
    for one in changed:
        assert introspect(site, one, guard).json == INACTIVE
    elsewhere = site_with(issuer="http://localhost:9002").deployment.token.formats
    claims = site.deployment.token.formats.read(token)
    assert claims
    assert elsewhere.opaque.open(elsewhere.opaque.seal(claims)) == claims
    assert introspect(site, elsewhere.opaque.seal(claims), guard).json == INACTIVE


@pytest.mark.requirement("TK-8")
def test_it_is_revoked_alone_and_with_its_family(opaque, site: Site, flow: Flow, visitor: Visitor, guard) -> None:
    first = flow.tokens(visitor)["access_token"]
    second = flow.refresh().json["access_token"]
    stranger = Flow(site)
    stranger.register()
    revoke(stranger, first)
    assert introspect(site, first, guard).json["active"] is True
    assert revoke(flow, first).status_code == 200
    assert introspect(site, first, guard).json == INACTIVE
    assert introspect(site, second, guard).json["active"] is True
    revoke(flow, flow.refresh().json["refresh_token"])
    assert introspect(site, second, guard).json == INACTIVE


@pytest.mark.requirement("EX-1")
def test_a_client_without_a_person_gets_one_too(opaque, site: Site) -> None:
    indexer = machine(site)
    token = indexer.ask().json["access_token"]
    assert token.startswith("mcpa_")
    assert indexer.introspected(token)["active"] is True
    assert indexer.ask(resource=CALENDAR.identifier).json["access_token"].count(".") == 2
    site.post("/revoke", data={"token": token, **indexer.proof()})
    assert indexer.introspected(token) == INACTIVE


def test_tokens_of_the_former_format_stay_good(opaque, site: Site, flow: Flow, visitor: Visitor, guard) -> None:
    sealed = flow.tokens(visitor)["access_token"]
    choose(site, TokenFormat.JWT)
    signed = flow.refresh().json["access_token"]
    assert signed.count(".") == 2
    choose(site, TokenFormat.OPAQUE)
    for token in (sealed, signed):
        assert introspect(site, token, guard).json["active"] is True


def test_a_server_that_is_suspended_gets_no_tokens_also_of_grants_that_it_has(
    site: Site, flow: Flow, visitor: Visitor
) -> None:
    flow.tokens(visitor)
    resources = site.deployment.stores.resources
    resources.set_suspended(NOTES.identifier, True, EVENT)
    try:
        assert flow.refresh(resource=None).json["error"] == "invalid_target"
    finally:
        resources.set_suspended(NOTES.identifier, False, EVENT)
