"""Tokens that clients have for themselves are on the status lists: what ends them is told to every guard (TK-10)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.site import NOTES, Site

from .listed import claims, look_each_time
from .test_client_credentials import EVENT, Machine, machine
from .test_status import invalid, place

__all__ = ["look_each_time"]

pytestmark = [pytest.mark.requirement("TK-10", "EX-1"), pytest.mark.usefixtures("look_each_time")]


def _delete(one: Machine) -> None:
    one.site.deployment.stores.clients.delete(one.client.client_id, EVENT)


def _suspend(one: Machine) -> None:
    one.site.deployment.stores.clients.set_suspended(one.client.client_id, True, EVENT)


def _update(one: Machine) -> None:
    narrower = replace(one.client, ceilings={NOTES.identifier: ("notes:read",)})
    one.site.deployment.stores.clients.update(narrower, EVENT)


@pytest.mark.parametrize(
    "end", [_delete, _suspend, _update, lambda one: one.allow("notes:read"), lambda one: one.allow()]
)
def test_whatever_ends_it_the_next_list_says_so_and_no_other_token_is_touched(
    site: Site, end: Callable[[Machine], None]
) -> None:
    one, other = machine(site), machine(site)
    token, another = (each.ask(resource=NOTES.identifier).json["access_token"] for each in (one, other))
    assert (invalid(site, token), invalid(site, another)) == (False, False)
    end(one)
    assert invalid(site, token)
    assert not invalid(site, another)


def test_a_client_that_is_allowed_less_gets_the_rest_elsewhere(site: Site) -> None:
    one = machine(site)
    token = one.ask().json["access_token"]
    assert place(one.ask().json["access_token"]) == place(token)
    one.allow("notes:read")
    renewed = one.ask().json["access_token"]
    assert claims(renewed)["scope"] == "notes:read"
    assert place(renewed) != place(token)
    assert not invalid(site, renewed)


def test_tokens_of_a_suspended_client_come_back_with_it(site: Site) -> None:
    one = machine(site)
    token = one.ask().json["access_token"]
    _suspend(one)
    assert invalid(site, token)
    site.deployment.stores.clients.set_suspended(one.client.client_id, False, EVENT)
    assert not invalid(site, token)


def test_a_removed_server_ends_them(site_with: Callable[..., Site]) -> None:
    site = site_with()
    token = machine(site).ask(resource=NOTES.identifier).json["access_token"]
    site.deployment.stores.resources.remove(NOTES.identifier, EVENT)
    assert invalid(site, token)
