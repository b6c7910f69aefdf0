"""Tokens for clients themselves: who gets them, for what, and when they end."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from authserver.protocol import credential
from authserver.protocol.access_token import ClientAuthority
from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.protocol.resource import Resource
from authserver.protocol.scope import Scope
from authserver.store.models import AuditRow
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.signer import Signer
from tests.conformance.site import CALENDAR, NOTES, Site

pytestmark = pytest.mark.requirement("EX-1")

SECRET = "mcps_" + "s" * 43
EVENT = Event("test.done", "system")


@dataclass(frozen=True)
class Machine:
    """A client without a person."""

    site: Site
    client: Client
    signer: Signer | None = None

    def proof(self) -> dict[str, str]:
        if self.signer:
            return self.signer.form(self.client.client_id)
        return {"client_id": self.client.client_id, "client_secret": SECRET}

    def ask(self, **form: str) -> TestResponse:
        return self.site.post("/token", data={"grant_type": "client_credentials", **self.proof(), **form})

    def introspected(self, token: str) -> dict[str, Any]:
        return self.site.post("/introspect", data={"token": token, **self.proof()}).json

    def allow(self, *scopes: str, resource: Resource = NOTES) -> None:
        self.site.deployment.stores.clients.set_ceiling(self.client.client_id, resource.identifier, scopes, EVENT)


def machine(site: Site, signer: Signer | None = None, **changes: Any) -> Machine:
    client = Client(
        client_id=credential.identifier(),
        kind=ClientKind.PREREGISTERED,
        name="Indexer",
        redirect_uris=(),
        auth_method=AuthMethod.PRIVATE_KEY_JWT if signer else AuthMethod.SECRET_BASIC,
        grant_types=("client_credentials",),
        created_at=1_700_000_000,
        secret_digest=None if signer else credential.digest(SECRET),
        jwks=signer.jwks if signer else None,
        ceilings={NOTES.identifier: ("notes:read", "notes:write"), CALENDAR.identifier: ("calendar:admin",)},
    )
    client = replace(client, **changes)
    assert site.deployment.stores.clients.preregister(client, EVENT)
    return Machine(site, client, signer)


@pytest.fixture
def indexer(site: Site) -> Machine:
    return machine(site)


def payload(answer: TestResponse) -> dict[str, Any]:
    part = answer.json["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def refused(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]


@pytest.mark.requirement("TK-1")
@pytest.mark.parametrize("signer", [None, Signer.new()])
def test_a_client_gets_a_token_for_itself_and_no_refresh_token(site: Site, signer: Signer | None) -> None:
    one = machine(site, signer)
    answer = one.ask(resource=NOTES.identifier)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["scope"] == "notes:read notes:write"
    assert "refresh_token" not in answer.json
    claims = payload(answer)
    name = one.client.client_id
    assert (claims["sub"], claims["client_id"], claims["aud"]) == (name, name, NOTES.identifier)
    assert "auth_time" not in claims


@pytest.mark.requirement("AZ-4", "AZ-5")
def test_it_asks_within_its_ceiling_for_one_resource(indexer: Machine) -> None:
    assert indexer.ask(scope="notes:read").json["scope"] == "notes:read"
    assert indexer.ask(scope="notes:read notes:delete unheard:of offline_access").json["scope"] == "notes:read"
    assert indexer.ask(scope="offline_access").json["scope"] == "notes:read notes:write"
    assert payload(indexer.ask())["aud"] == NOTES.identifier
    alias = indexer.ask(resource="https://calendar.example/sse")
    assert (payload(alias)["aud"], alias.json["scope"]) == (CALENDAR.identifier, "calendar:admin")
    narrow = indexer.ask(resource=CALENDAR.identifier, scope="calendar:read")
    assert narrow.json["scope"] == "calendar:read"
    for form, error in (
        ({"scope": "notes:delete"}, "invalid_scope"),
        ({"scope": "calendar:read"}, "invalid_scope"),
        ({"resource": "https://nobody.example/mcp"}, "invalid_target"),
        ({"scope": "a\\b"}, "invalid_request"),
    ):
        assert refused(indexer.ask(**form)) == (400, error)


def test_what_the_server_lacks_is_not_given_though_it_was_allowed(site: Site) -> None:
    other = machine(site, ceilings={NOTES.identifier: ("notes:gone", "admin:users"), "https://gone.example/": ("x",)})
    assert refused(other.ask()) == (400, "invalid_scope")
    assert refused(other.ask(resource=CALENDAR.identifier)) == (400, "invalid_scope")


def test_the_scopes_of_this_server_itself_are_in_no_ceiling(site_with: Any) -> None:
    site = site_with()
    scopes = (Scope("admin:users", "x"), Scope("odd:read", "x", implies=("admin:users",)))
    odd = Resource("https://odd.example/mcp", "Odd", scopes)
    site.deployment.stores.resources.add(odd, EVENT)
    one = machine(site, ceilings={odd.identifier: ("admin:users", "odd:read")})
    assert one.ask(resource=odd.identifier).json["scope"] == "odd:read"
    assert refused(one.ask(resource=odd.identifier, scope="admin:users")) == (400, "invalid_scope")


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_types": ("authorization_code",)},
        {"grant_types": ()},
        *({"kind": kind} for kind in ClientKind if kind is not ClientKind.PREREGISTERED),
    ],
)
def test_it_is_for_clients_that_an_administrator_registered_for_it(site: Site, changes: dict[str, Any]) -> None:
    assert refused(machine(site, **changes).ask()) == (400, "unauthorized_client")


def test_a_public_client_and_one_that_registered_itself_get_none(site: Site, flow: Flow) -> None:
    flow.register({**PUBLIC, "grant_types": ["client_credentials", "authorization_code"]})
    form = {"grant_type": "client_credentials", "client_id": flow.client["client_id"]}
    assert refused(site.post("/token", data=form)) == (400, "unauthorized_client")
    public = machine(site, auth_method=AuthMethod.NONE, secret_digest=None)
    form["client_id"] = public.client.client_id
    assert refused(site.post("/token", data=form)) == (400, "unauthorized_client")


@pytest.mark.requirement("CR-12")
def test_without_proof_there_is_nothing(site: Site, indexer: Machine) -> None:
    for secret in ({}, {"client_secret": "mcps_wrong"}):
        form = {"grant_type": "client_credentials", "client_id": indexer.client.client_id, **secret}
        assert refused(site.post("/token", data=form)) == (401, "invalid_client")
    assert refused(machine(site, pending=True).ask()) == (401, "invalid_client")
    site.deployment.stores.clients.set_suspended(indexer.client.client_id, True, EVENT)
    assert refused(indexer.ask()) == (401, "invalid_client")


@pytest.fixture
def token(indexer: Machine) -> str:
    return indexer.ask().json["access_token"]


@pytest.mark.requirement("TK-9")
def test_its_token_is_introspected_by_the_resource_and_by_itself(site: Site, indexer: Machine, token: str) -> None:
    found = indexer.introspected(token)
    assert (found["active"], found["scope"], found["sub"]) == (True, "notes:read notes:write", indexer.client.client_id)
    guard = machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": NOTES.identifier})
    stranger = machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": CALENDAR.identifier})
    assert guard.introspected(token)["active"] is True
    assert stranger.introspected(token) == {"active": False}
    assert machine(site).introspected(token) == {"active": False}


@pytest.mark.requirement("TK-9")
def test_its_token_holds_no_more_than_its_ceiling_does_now(indexer: Machine, token: str) -> None:
    indexer.allow("notes:read")
    assert indexer.introspected(token)["scope"] == "notes:read"
    indexer.allow("notes:delete")
    assert indexer.introspected(token) == {"active": False}
    indexer.allow()
    assert indexer.introspected(token) == {"active": False}
    assert refused(indexer.ask()) == (400, "invalid_scope")
    indexer.allow("notes:read", "notes:write")
    assert indexer.introspected(token)["active"] is True


@pytest.mark.requirement("TK-9")
def test_its_token_ends_with_the_client(site: Site, indexer: Machine, token: str) -> None:
    guard = machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": NOTES.identifier})
    clients, name = site.deployment.stores.clients, indexer.client.client_id
    clients.set_suspended(name, True, EVENT)
    assert guard.introspected(token) == {"active": False}
    clients.set_suspended(name, False, EVENT)
    assert guard.introspected(token)["active"] is True
    clients.delete(name, EVENT)
    assert guard.introspected(token) == {"active": False}
    assert clients.preregister(replace(indexer.client, created_at=4_000_000_000), EVENT)
    assert guard.introspected(token) == {"active": False}


@pytest.mark.requirement("TK-9")
@pytest.mark.parametrize(
    "changes", [{"grant_types": ("authorization_code",)}, {"auth_method": AuthMethod.NONE, "secret_digest": None}]
)
def test_its_token_ends_when_it_may_not_act_alone_any_more(
    site: Site, indexer: Machine, token: str, changes: dict[str, Any]
) -> None:
    guard = machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": NOTES.identifier})
    site.deployment.stores.clients.update(replace(indexer.client, **changes), EVENT)
    assert guard.introspected(token) == {"active": False}


@pytest.mark.requirement("TK-8")
def test_it_revokes_one_of_its_tokens_and_the_others_live(indexer: Machine, token: str) -> None:
    other = indexer.ask().json["access_token"]
    assert indexer.site.post("/revoke", data={"token": token, **indexer.proof()}).status_code == 200
    assert indexer.introspected(token) == {"active": False}
    assert indexer.introspected(other)["active"] is True


@pytest.mark.requirement("TK-8")
def test_nobody_else_revokes_it(site: Site, indexer: Machine, token: str) -> None:
    stranger = machine(site)
    assert site.post("/revoke", data={"token": token, **stranger.proof()}).status_code == 200
    assert indexer.introspected(token)["active"] is True


@pytest.fixture
def audited(site: Site, indexer: Machine) -> Callable[[], list[Any]]:
    def events() -> list[Any]:
        wanted = select(AuditRow).where(AuditRow.client_id == indexer.client.client_id).order_by(AuditRow.id)
        with site.deployment.stores.database.reading() as connection:
            return [row for row in connection.execute(wanted) if row.name.startswith("token.")]

    return events


def test_each_token_and_its_end_are_audited(indexer: Machine, audited: Any) -> None:
    token = indexer.ask(scope="notes:read").json["access_token"]
    indexer.ask(scope="notes:delete")
    indexer.site.post("/revoke", data={"token": token, **indexer.proof()})
    issued, revoked = audited()
    assert (issued.name, issued.outcome) == ("token.issued", "success")
    assert issued.actor == f"client:{indexer.client.client_id}"
    assert (issued.resource, issued.detail, issued.user_id) == (NOTES.identifier, {"scopes": ["notes:read"]}, None)
    assert issued.correlation_id
    assert (revoked.name, revoked.user_id) == ("token.revoked", None)


def test_what_is_cached_of_a_client_gives_it_nothing(site: Site, indexer: Machine) -> None:
    tokens = site.deployment.stores.access_tokens
    name = indexer.client.client_id
    ceiling = indexer.client.ceilings[NOTES.identifier]
    authority = ClientAuthority(name, NOTES.identifier, ceiling)
    assert tokens.issue(authority, ceiling, EVENT._replace(client_id=name)) is not None
    assert tokens.issue(authority, (*ceiling, "notes:delete"), EVENT) is None
    assert tokens.issue(replace(authority, resource="https://elsewhere.example/"), ceiling, EVENT) is None
    site.deployment.stores.clients.set_suspended(name, True, EVENT)
    assert tokens.issue(authority, ceiling, EVENT) is None


@pytest.mark.requirement("DI-4")
def test_the_metadata_lists_the_grant(site: Site) -> None:
    assert "client_credentials" in site.get("/.well-known/oauth-authorization-server").json["grant_types_supported"]
