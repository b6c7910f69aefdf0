"""Who may register: anyone, who has an initial access token, anyone subject to approval, nobody (CR-2)."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.store.audit import AuditFilter
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor

EVENT = Event("test.done", "system")
BAD = {**PUBLIC, "redirect_uris": ["javascript:alert(1)"]}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ticket(site: Site, uses: int | None = None, lifetime: int | None = None) -> str:
    token = credential.mint(credential.Prefix.INITIAL_ACCESS)
    site.deployment.stores.initial_access_tokens.add(credential.digest(token), "CI", uses, lifetime, EVENT)
    return token


def register(site: Site, token: str | None, body: dict[str, Any] | None = None) -> TestResponse:
    return site.post("/register", json=body or PUBLIC, headers=bearer(token) if token else {})


def uses_left(site: Site) -> list[int | None]:
    return [token.uses_left for token in site.deployment.stores.initial_access_tokens.all()]


@pytest.mark.requirement("CR-2", "DI-4")
@pytest.mark.parametrize(("mode", "listed"), [("open", True), ("token", True), ("approval", True), ("closed", False)])
def test_the_registration_endpoint_is_listed_and_there_unless_closed(site_with: Any, mode: str, listed: bool) -> None:
    site = site_with(registration=mode)
    metadata = site.get("/.well-known/oauth-authorization-server").json
    assert ("registration_endpoint" in metadata) is listed
    assert (site.post("/register", json=PUBLIC).status_code != 404) is listed


@pytest.mark.requirement("CR-2")
def test_with_an_initial_access_token_a_client_registers_and_gets_its_tokens(site_with: Any) -> None:
    site = site_with(registration="token")
    flow, token = Flow(site), ticket(site)
    flow.client = register(site, token).json
    flow.values["client_id"] = flow.client["client_id"]
    assert "access_token" in flow.tokens(Visitor(site))
    (listed,) = site.deployment.stores.initial_access_tokens.all()
    wanted = AuditFilter(name="client.registered", client_id=flow.values["client_id"])
    (line,) = site.deployment.stores.audit.page(wanted, None, 9)
    assert line.event.detail["registration_token"] == listed.id, "a token that leaks can be followed"


@pytest.mark.requirement("CR-2", "TK-6")
def test_no_other_token_opens_registration(site_with: Any) -> None:
    site = site_with(registration="token")
    good = ticket(site)
    registration = register(site, good).json["registration_access_token"]
    for wrong in (None, "x", registration, good + "x", good[:-1], credential.digest(good).hex(), "mcpi_"):
        answer = register(site, wrong)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    basic = site.post("/register", json=PUBLIC, headers={"Authorization": f"Basic {good}"})
    assert basic.status_code == 401
    assert site.post(f"/register?access_token={good}", json={**PUBLIC, "access_token": good}).status_code == 401


@pytest.mark.requirement("CR-2")
def test_who_has_no_token_is_told_nothing_about_what_would_be_taken(site_with: Any) -> None:
    site = site_with(registration="token")
    assert register(site, None, BAD).status_code == 401


@pytest.mark.requirement("CR-2")
def test_a_refused_registration_costs_no_use_and_an_accepted_one_costs_one(site_with: Any) -> None:
    site = site_with(registration="token")
    token = ticket(site, uses=2)
    assert register(site, token, BAD).status_code == 400
    assert uses_left(site) == [2]
    assert [register(site, token).status_code for _ in range(3)] == [201, 201, 401]
    assert uses_left(site) == [0]


@pytest.mark.requirement("CR-2")
def test_a_revoked_token_admits_nobody_and_its_clients_stay(site_with: Any) -> None:
    site = site_with(registration="token")
    token = ticket(site)
    made = register(site, token).json
    (listed,) = site.deployment.stores.initial_access_tokens.all()
    assert site.deployment.stores.initial_access_tokens.revoke(listed.id, EVENT) is True
    assert site.deployment.stores.initial_access_tokens.revoke(listed.id, EVENT) is False
    assert register(site, token).status_code == 401
    own = bearer(made["registration_access_token"])
    assert site.get(f"/register/{made['client_id']}", headers=own).status_code == 200


@pytest.mark.requirement("CR-2")
def test_open_registration_takes_no_offence_at_a_token(site: Site) -> None:
    assert register(site, "whatever").status_code == 201


@pytest.mark.requirement("CR-2", "CR-4")
def test_a_closed_server_lets_clients_read_and_remove_their_registration_but_not_change_it(
    site_with: Any,
) -> None:
    site = site_with(registration="closed")
    deployment = site.deployment
    made = deployment.registration.register(b'{"redirect_uris": ["https://a.example/cb"]}', EVENT.origin)
    path, own = f"/register/{made['client_id']}", bearer(made["registration_access_token"])
    assert site.get(path, headers=own).status_code == 200
    changed = site.app.test_client().put(path, headers=own, json=PUBLIC)
    assert (changed.status_code, changed.json["error"]) == (403, "access_denied")
    assert site.app.test_client().put(path, headers=bearer("x"), json=PUBLIC).status_code == 401
    assert site.app.test_client().delete(path, headers=own).status_code == 204
