"""Revocation and introspection: whose tokens, and what each caller may know of them."""

import base64
import time

import pytest
from werkzeug.test import TestResponse

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import CALENDAR, NOTES, Site
from tests.conformance.visitor import Visitor

Credentials = dict[str, str]


def basic(name: str, secret: str) -> Credentials:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def resource_server(site: Site, resource: str) -> Credentials:
    """The credentials of the MCP server at *resource*."""
    secret = credential.mint(credential.Prefix.CLIENT_SECRET)
    client = Client(
        client_id=credential.identifier(),
        kind=ClientKind.RESOURCE_SERVER,
        name="guard",
        redirect_uris=(),
        auth_method=AuthMethod.SECRET_BASIC,
        grant_types=(),
        created_at=int(time.time()),
        secret_digest=credential.digest(secret),
        metadata={"resource": resource},
    )
    site.deployment.stores.clients.register(client, Event("client.added", "system"))
    return basic(client.client_id, secret)


@pytest.fixture
def guard(site: Site) -> Credentials:
    return resource_server(site, NOTES.identifier)


def introspect(site: Site, token: str, headers: Credentials) -> TestResponse:
    return site.post("/introspect", data={"token": token}, headers=headers)


def revoke(flow: Flow, token: str) -> TestResponse:
    return flow.site.post("/revoke", data={"token": token, "client_id": flow.values["client_id"]})


@pytest.mark.requirement("TK-9")
def test_a_resource_server_learns_of_tokens_for_itself(site: Site, flow: Flow, visitor: Visitor, guard) -> None:
    found = introspect(site, flow.tokens(visitor)["access_token"], guard).json
    assert found["active"] is True
    assert (found["aud"], found["scope"]) == (NOTES.identifier, "notes:read")
    assert found["client_id"] == flow.values["client_id"]


@pytest.mark.requirement("TK-9")
def test_nobody_learns_of_tokens_that_are_not_meant_for_them(site: Site, flow: Flow, visitor: Visitor, guard) -> None:
    tokens = flow.tokens(visitor)
    stranger = resource_server(site, CALENDAR.identifier)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert introspect(site, token, stranger).json == {"active": False}
    assert introspect(site, tokens["refresh_token"], guard).json == {"active": False}
    for nonsense in ("x", tokens["access_token"][:-4] + "AAAA", "a.b.c", "mcpr_x.y", "ü\U0001f600"):
        assert introspect(site, nonsense, guard).json == {"active": False}


@pytest.mark.requirement("TK-9")
def test_introspection_is_for_authenticated_callers(site: Site, flow: Flow, visitor: Visitor) -> None:
    tokens = flow.tokens(visitor)
    public = site.post("/introspect", data={"token": tokens["access_token"], "client_id": flow.values["client_id"]})
    wrong = introspect(site, tokens["access_token"], basic("someone", "wrong"))
    for answer in (public, wrong, introspect(site, tokens["access_token"], {})):
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.requirement("TK-9")
def test_a_confidential_client_learns_of_its_own_tokens(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.register({**PUBLIC, "token_endpoint_auth_method": "client_secret_basic"})
    flow.allow(visitor)
    own = basic(flow.client["client_id"], flow.client["client_secret"])
    tokens = flow.token(client_secret=flow.client["client_secret"]).json
    assert introspect(site, tokens["access_token"], own).json["active"] is True
    assert introspect(site, tokens["refresh_token"], own).json["active"] is True


@pytest.mark.requirement("TK-8")
def test_revoking_a_refresh_token_ends_its_access_tokens_too(site: Site, flow: Flow, visitor: Visitor, guard) -> None:
    tokens = flow.tokens(visitor)
    assert revoke(flow, tokens["refresh_token"]).status_code == 200
    assert introspect(site, tokens["access_token"], guard).json == {"active": False}
    assert flow.refresh().json["error"] == "invalid_grant"


@pytest.mark.requirement("TK-8")
def test_revoking_an_access_token_ends_that_one_alone(site: Site, flow: Flow, visitor: Visitor, guard) -> None:
    first = flow.tokens(visitor)["access_token"]
    second = flow.refresh().json["access_token"]
    assert revoke(flow, first).status_code == 200
    assert introspect(site, first, guard).json == {"active": False}
    assert introspect(site, second, guard).json["active"] is True
    assert flow.refresh().status_code == 200


@pytest.mark.requirement("TK-8")
def test_a_rotated_refresh_token_still_ends_its_family(flow: Flow, visitor: Visitor) -> None:
    first = flow.tokens(visitor)["refresh_token"]
    flow.refresh()
    assert revoke(flow, first).status_code == 200
    assert flow.refresh().json["error"] == "invalid_grant"


@pytest.mark.requirement("TK-8")
def test_unknown_and_foreign_tokens_are_answered_alike_and_untouched(site: Site, flow: Flow, visitor: Visitor) -> None:
    tokens = flow.tokens(visitor)
    stranger = Flow(site)
    stranger.register()
    for token in ("nonsense", tokens["refresh_token"], tokens["access_token"]):
        answer = revoke(stranger, token)
        assert (answer.status_code, answer.data) == (200, b"")
    assert flow.refresh().status_code == 200


@pytest.mark.requirement("TK-8")
def test_revocation_wants_a_client_and_a_token(site: Site, flow: Flow) -> None:
    flow.register()
    assert site.post("/revoke", data={"token": "x"}).status_code == 401
    assert site.post("/revoke", data={"client_id": flow.values["client_id"]}).json["error"] == "invalid_request"
