"""Refresh tokens over HTTP: rotation, lost answers, theft, narrowing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from sqlalchemy import text

from authserver.protocol import credential
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import CALENDAR, NOTES, Site
from tests.conformance.visitor import Visitor

from .clock import passes


def rotated_long_ago(site: Site, token: str, seconds: int = 31) -> None:
    passes(site, "refresh_tokens", "rotated_at", seconds, digest=credential.digest(token))


@pytest.mark.requirement("TK-3")
@pytest.mark.parametrize(
    ("grants", "scope", "expected"),
    [
        (["authorization_code"], "notes:read", False),
        (["authorization_code"], "notes:read offline_access", True),
        (["authorization_code", "refresh_token"], "notes:read", True),
    ],
)
def test_a_refresh_token_is_given_where_it_is_asked_for(
    flow: Flow, visitor: Visitor, grants: list[str], scope: str, expected: bool
) -> None:
    flow.register({**PUBLIC, "grant_types": grants})
    assert ("refresh_token" in flow.tokens(visitor, scope=scope)) is expected


@pytest.mark.requirement("TK-3", "TK-1")
def test_each_use_gives_a_new_pair(flow: Flow, visitor: Visitor) -> None:
    first = flow.tokens(visitor)
    second = flow.refresh().json
    third = flow.refresh().json
    assert len({found["refresh_token"] for found in (first, second, third)}) == 3
    ids = {jwt.decode(found["access_token"], options={"verify_signature": False})["jti"] for found in (first, second)}
    assert len(ids) == 2
    assert third["scope"] == "notes:read"


@pytest.mark.requirement("TK-4")
def test_a_lost_answer_is_given_again(flow: Flow, visitor: Visitor) -> None:
    first = flow.tokens(visitor)["refresh_token"]
    lost = flow.refresh().json
    again = flow.refresh(refresh_token=first)
    assert again.status_code == 200
    assert again.json["refresh_token"] == lost["refresh_token"]
    assert again.json["access_token"] != lost["access_token"]
    assert flow.refresh().status_code == 200


@pytest.mark.requirement("TK-4")
def test_once_the_successor_was_used_a_repeat_is_refused_and_revokes_nothing(flow: Flow, visitor: Visitor) -> None:
    first = flow.tokens(visitor)["refresh_token"]
    flow.refresh()
    flow.refresh()
    current = flow.values["refresh_token"]
    assert flow.refresh(refresh_token=first).json["error"] == "invalid_grant"
    assert flow.refresh(refresh_token=current).status_code == 200


@pytest.mark.requirement("TK-3", "TK-4")
def test_a_token_that_comes_back_late_ends_its_family_and_is_audited(site: Site, flow: Flow, visitor: Visitor) -> None:
    first = flow.tokens(visitor)["refresh_token"]
    flow.refresh()
    current = flow.values["refresh_token"]
    rotated_long_ago(site, first)
    assert flow.refresh(refresh_token=first).json["error"] == "invalid_grant"
    assert flow.refresh(refresh_token=current).json["error"] == "invalid_grant"
    statement = text("SELECT count(*) FROM audit_events WHERE name = 'token.reused' AND client_id = :client_id")
    with site.deployment.stores.database.reading() as connection:
        assert connection.execute(statement, {"client_id": flow.values["client_id"]}).scalar() == 1


@pytest.mark.requirement("TK-4")
def test_a_window_of_zero_allows_no_repeat(site_with: Callable[..., Site]) -> None:
    site = site_with(refresh_retry_window=0)
    flow = Flow(site)
    first = flow.tokens(Visitor(site))["refresh_token"]
    flow.refresh()
    assert flow.refresh(refresh_token=first).json["error"] == "invalid_grant"


@pytest.mark.requirement("TK-4")
def test_presentations_at_one_instant_all_get_the_same_successor(flow: Flow, visitor: Visitor) -> None:
    token = flow.tokens(visitor)["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: flow.refresh(refresh_token=token), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    assert flow.refresh().status_code == 200


@pytest.mark.requirement("TK-3")
def test_another_client_gains_and_harms_nothing_with_a_stolen_token(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.tokens(visitor)
    thief = Flow(site)
    thief.register()
    stolen = thief.refresh(refresh_token=flow.values["refresh_token"])
    assert (stolen.status_code, stolen.json["error"]) == (400, "invalid_grant")
    assert flow.refresh().status_code == 200


@pytest.mark.requirement("TK-5")
def test_a_refresh_narrows_for_one_token_and_widens_never(flow: Flow, visitor: Visitor) -> None:
    flow.tokens(visitor, scope="notes:read notes:write")
    assert flow.refresh(scope="notes:read").json["scope"] == "notes:read"
    assert flow.refresh(scope="notes:read notes:delete").json["scope"] == "notes:read"
    assert flow.refresh().json["scope"] == "notes:read notes:write"
    foreign = flow.refresh(scope="notes:delete")
    assert (foreign.status_code, foreign.json["error"]) == (400, "invalid_scope")
    assert flow.refresh().status_code == 200


@pytest.mark.requirement("TK-5", "AZ-4")
def test_a_refresh_is_for_its_own_resource_only(flow: Flow, visitor: Visitor) -> None:
    flow.tokens(visitor)
    assert flow.refresh(resource=CALENDAR.identifier).json["error"] == "invalid_target"
    assert flow.refresh(resource=None).status_code == 200
    claims = jwt.decode(flow.refresh().json["access_token"], options={"verify_signature": False})
    assert claims["aud"] == NOTES.identifier


@pytest.mark.requirement("TK-5")
@pytest.mark.parametrize(("table", "key"), [("refresh_tokens", "digest"), ("refresh_families", "id")])
def test_both_lifetimes_end_a_refresh_token(site: Site, flow: Flow, visitor: Visitor, table: str, key: str) -> None:
    token = flow.tokens(visitor)["refresh_token"]
    value = credential.digest(token) if key == "digest" else token.rpartition(".")[2]
    passes(site, table, "expires_at", 400 * 86_400, **{key: value})
    assert flow.refresh().json["error"] == "invalid_grant"


@pytest.mark.requirement("AZ-14")
def test_a_new_sign_in_widens_the_grant_and_ends_no_other_family(flow: Flow, visitor: Visitor) -> None:
    earlier = flow.tokens(visitor)["refresh_token"]
    later = flow.tokens(visitor, scope="notes:write")
    assert set(later["scope"].split()) == {"notes:read", "notes:write"}
    assert flow.refresh(refresh_token=earlier).json["scope"] == "notes:read"


@pytest.mark.requirement("AZ-14")
def test_another_device_is_another_grant(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.tokens(visitor, scope="notes:write notes:read")
    elsewhere = flow.tokens(Visitor(site), scope="notes:read")
    assert elsewhere["scope"] == "notes:read"


@pytest.mark.requirement("TK-6")
def test_no_secret_is_stored_in_clear(site: Site, flow: Flow, visitor: Visitor) -> None:
    flow.register({**PUBLIC, "token_endpoint_auth_method": "client_secret_post"})
    flow.allow(visitor)
    flow.token(client_secret=flow.client["client_secret"])
    secrets = [flow.values["code"], flow.values["refresh_token"].partition(".")[0], flow.client["client_secret"]]
    secrets.append(flow.client["registration_access_token"])
    assert [secret[:5] for secret in secrets] == ["mcpc_", "mcpr_", "mcps_", "mcpg_"]
    assert all(len(secret) >= 48 for secret in secrets)
    stored = "\n".join(_rows(site))
    assert flow.values["client_id"] in stored
    assert not [secret for secret in secrets if secret in stored]


def _rows(site: Site) -> list[str]:
    found = []
    with site.deployment.stores.database.reading() as connection:
        for table in ("clients", "authorization_codes", "refresh_tokens", "audit_events", "grants", "sessions"):
            found += [repr(tuple(row)) for row in connection.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608
    return found
