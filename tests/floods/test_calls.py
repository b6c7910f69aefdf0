"""Floods of calls: who sends too many is asked to wait, in OAuth's form, and nobody else pays for it."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authserver.protocol import own_api
from authserver.protocol.client import ClientKind
from authserver.protocol.role import Permission
from authserver.services.own_api import enable
from authserver.web.admin.roles import ACTS
from tests.conformance.flow import Flow
from tests.conformance.site import CALENDAR, ISSUER, NOTES, Site
from tests.conformance.visitor import Visitor
from tests.web.api.conftest import EVENT, robot_of
from tests.web.backchannel.test_client_credentials import Machine, machine

SiteWith = Callable[..., Site]
UNKNOWN = {"grant_type": "refresh_token", "client_id": "nobody", "refresh_token": "mcpr_guess.family"}


def is_slowed_down(answer: TestResponse) -> bool:
    """Whether *answer* asks to come later, in OAuth's form."""
    if answer.status_code != 429:
        return False
    assert answer.json["error"] == "temporarily_unavailable"
    assert answer.json["error_description"].startswith("too many requests from this ")
    assert int(answer.headers["Retry-After"]) > 0
    return True


def strange(site: Site, address: str = "127.0.0.1", **form: str) -> TestResponse:
    return site.post("/token", data={**UNKNOWN, **form}, environ_base={"REMOTE_ADDR": address})


def connected(site: Site) -> Flow:
    found = Flow(site)
    found.tokens(Visitor(site))
    return found


@pytest.mark.requirement("EX-1")
def test_a_client_that_floods_for_itself_is_slowed_down_alone(site_with: SiteWith) -> None:
    site = site_with(own_tokens_per_client="3 per hour")
    one, other = machine(site), machine(site)
    assert [one.ask(resource=NOTES.identifier).status_code for _ in range(3)] == [200] * 3
    assert is_slowed_down(one.ask(resource=NOTES.identifier))
    assert other.ask(resource=NOTES.identifier).status_code == 200


@pytest.mark.requirement("EX-1")
def test_nobody_uses_up_a_clients_share_by_its_id(site_with: SiteWith) -> None:
    site = site_with(own_tokens_per_client="1 per hour")
    one = machine(site)
    for secret in ({}, {"client_secret": "mcps_guess"}):
        form = {"grant_type": "client_credentials", "client_id": one.client.client_id, **secret}
        assert site.post("/token", data=form).status_code == 401
    assert one.ask(resource=NOTES.identifier).status_code == 200


@pytest.mark.requirement("TK-3")
def test_a_family_that_is_refreshed_without_end_is_slowed_down_alone(site_with: SiteWith) -> None:
    site = site_with(refreshes_per_grant="2 per hour")
    one, other = connected(site), connected(site)
    assert [one.refresh().status_code for _ in range(2)] == [200, 200]
    assert is_slowed_down(one.refresh())
    assert other.refresh().status_code == 200


@pytest.mark.requirement("TK-4")
def test_who_names_a_family_without_its_token_uses_up_nothing_of_it(site_with: SiteWith) -> None:
    site = site_with(refreshes_per_grant="2 per hour")
    one = connected(site)
    family = one.values["refresh_token"].rpartition(".")[2]
    for _ in range(5):
        assert one.refresh(refresh_token=f"mcpr_guess.{family}").json["error"] == "invalid_grant"
    assert [one.refresh().status_code for _ in range(2)] == [200, 200]


def test_strangers_who_flood_from_one_address_are_slowed_down_there_alone(site_with: SiteWith) -> None:
    site = site_with(failures_per_address="3 per hour")
    assert [strange(site).status_code for _ in range(3)] == [401] * 3
    assert is_slowed_down(strange(site))
    assert is_slowed_down(site.post("/introspect", data={"client_id": "nobody", "token": "x"}))
    assert strange(site, "203.0.113.5").status_code == 401


def test_one_customers_ipv6_network_is_one_address(site_with: SiteWith) -> None:
    site = site_with(failures_per_address="3 per hour")
    assert [strange(site, f"2001:db8::{number:x}").status_code for number in range(3)] == [401] * 3
    assert is_slowed_down(strange(site, "2001:db8::ffff"))
    assert strange(site, "2001:db8:0:1::1").status_code == 401


@pytest.mark.requirement("TK-3", "TK-4")
def test_a_strangers_flood_from_the_same_address_locks_out_no_live_grant(site_with: SiteWith) -> None:
    site = site_with(failures_per_address="2 per hour")
    one, waiting, own = connected(site), Flow(site), machine(site)
    waiting.register()
    waiting.allow(Visitor(site))
    client_id = one.values["client_id"]
    while not is_slowed_down(strange(site, client_id=client_id)):
        pass
    assert is_slowed_down(site.post("/token", data={**one.fill(WRONG_CODE), "code": "mcpc_guess"}))
    assert waiting.token().status_code == 200, "a code that is known is exchanged"
    assert one.refresh().status_code == 200, "a token that is known is rotated"
    assert own.ask(resource=NOTES.identifier).status_code == 200, "who proves itself is answered"
    assert own.introspected("mcpa_guess") == {"active": False}
    assert one.site.post("/revoke", data=one.fill(REVOCATION)).status_code == 200


@pytest.mark.requirement("TK-4")
def test_a_token_that_was_stolen_ends_its_family_in_a_flood_too(site_with: SiteWith) -> None:
    site = site_with(failures_per_address="2 per hour", refresh_retry_window=0)
    one = connected(site)
    stolen = one.values["refresh_token"]
    assert one.refresh().status_code == 200
    while not is_slowed_down(strange(site)):
        pass
    assert one.refresh(refresh_token=stolen).json["error"] == "invalid_grant"
    assert one.refresh().json["error"] == "invalid_grant"
    assert is_slowed_down(strange(site, client_id=one.values["client_id"]))


WRONG_CODE = {"grant_type": "authorization_code", "client_id": "${client_id}", "code_verifier": "${code_verifier}"}
REVOCATION = {"client_id": "${client_id}", "token": "${refresh_token}"}


@pytest.mark.requirement("TK-9")
def test_guards_have_their_shares_each_for_itself(site_with: SiteWith) -> None:
    site = site_with(calls_per_client="3 per hour")
    one, other = (guard(site, at) for at in (NOTES.identifier, CALENDAR.identifier))

    def asks(who: Machine) -> TestResponse:
        return site.post("/introspect", data={"token": "x", **who.proof()})

    assert [asks(one).status_code for _ in range(3)] == [200] * 3
    assert is_slowed_down(asks(one))
    assert asks(other).status_code == 200
    revoked = [site.post("/revoke", data={"token": "x", **one.proof()}) for _ in range(4)]
    assert [answer.status_code for answer in revoked[:3]] == [200] * 3, "another endpoint, another share"
    assert is_slowed_down(revoked[3])


@pytest.mark.requirement("RS-11")
@pytest.mark.parametrize("path", ["/tool-receipts", "/tool-permission", "/tool-challenge"])
def test_a_guard_that_runs_wild_is_slowed_down(site_with: SiteWith, path: str) -> None:
    site = site_with(calls_per_client="2 per hour")
    one = guard(site, NOTES.identifier)
    answers = [site.post(path, data=one.proof()) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [400, 400]
    assert is_slowed_down(answers[2])


def guard(site: Site, at: str) -> Machine:
    """The guard of the MCP server *at*."""
    return machine(site, kind=ClientKind.RESOURCE_SERVER, metadata={"resource": at}, grant_types=())


@pytest.mark.requirement("EX-1")
def test_the_api_slows_a_client_down_in_its_own_form(site_with: SiteWith) -> None:
    site = site_with(api_calls_per_client="2 per hour", failures_per_address="1 per hour")
    enable(site.deployment.stores.resources, ISSUER, ACTS, EVENT)
    one, other = robot_of(site, Permission.OVERVIEW_READ), robot_of(site, Permission.OVERVIEW_READ)
    assert [one.get("/overview").status_code for _ in range(2)] == [200, 200]
    found = one.get("/overview")
    assert (found.status_code, found.mimetype) == (429, "application/problem+json")
    assert int(found.headers["Retry-After"]) > 0
    assert other.get("/overview").status_code == 200
    strangers: list[Any] = [
        site.get(own_api.PATH + "/overview", headers={"Authorization": "Bearer x"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in strangers] == [401, 429]
    assert other.get("/overview").status_code == 200


def test_ceilings_can_be_taken_away(site_with: SiteWith) -> None:
    site = site_with(failures_per_address="0", own_tokens_per_client="")
    assert {strange(site).status_code for _ in range(20)} == {401}
    own = machine(site)
    assert {own.ask(resource=NOTES.identifier).status_code for _ in range(5)} == {200}
