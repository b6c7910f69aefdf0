"""Rules over the trail and the state of the server: each raises one alert for its subject and day."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, update

from authserver.accounts.errors import TooManyAttempts, WrongCredentials
from authserver.protocol.audit import Event, Origin
from authserver.services.alerts.networks import network_of
from authserver.services.alerts.state_rules import TRIES
from authserver.services.attention import Attention, Matter
from authserver.store.audit import AuditFilter
from authserver.store.models import AuditRow, NoticeMessageRow, StreamRow
from tests.conformance.site import Site
from tests.store.scene import a_client

SERVER = "https://notes.example/mcp"


@pytest.fixture
def site(site_with: Callable[..., Site]) -> Site:
    made = site_with(failed_sign_in_delay=0)
    look(made)
    return made


def look(site: Site) -> None:
    """Seal what has happened, and look at all of it."""
    site.seal()
    while site.deployment.watch.look():
        pass


def write(site: Site, name: str, address: str, **about: Any) -> None:
    site.deployment.stores.audit.write(Event(name, "system", Origin(address), **about))


def write_ago(site: Site, seconds: int) -> None:
    """An event that was written *seconds* ago."""
    nothing = dict.fromkeys(("actor", "outcome", "address", "correlation_id"), "")
    made = insert(AuditRow).values(name="a", at_ms=int(time.time() - seconds) * 1000, detail={}, **nothing)
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(made)


def told(site: Site) -> list[tuple[str, str | None, dict[str, object]]]:
    lines = site.deployment.stores.alerts.standing(None, 50)
    return [(line.kind, line.user_id, line.detail) for line in sorted(lines, key=lambda line: line.kind)]


def kinds(site: Site) -> list[str]:
    return [kind for kind, _, _ in told(site)]


def test_failed_sign_ins_of_one_person_are_told_once_however_many(site: Site):
    ada = site.deployment.stores.users.by_name("ada")
    for number in range(12):
        with pytest.raises((WrongCredentials, TooManyAttempts)):
            site.deployment.sign_in.attempt("ada", "wrong", Origin(f"192.0.2.{number}"))
        if number in {6, 7, 9, 11}:
            look(site)
            assert kinds(site) == ([] if number == 6 else ["failed_sign_ins_of_account"])
    [(_, user_id, detail)] = told(site)
    assert (user_id, detail) == (ada.id, {"failures": 8, "minutes": 10, "today": 8})
    assert len(site.deployment.stores.audit.page(AuditFilter(name="alert.raised"), None, 10).lines) == 1


def test_one_source_is_told_whoever_it_tries_and_of_ipv6_the_customers_network(site: Site):
    for number in range(20):
        write(site, "sign_in.failed", f"2001:db8:1:2::{number:x}")
        write(site, "sign_in.failed", f"198.51.100.{number}")
    look(site)
    [(kind, _, detail)] = told(site)
    assert (kind, detail["source"]) == ("failed_sign_ins_of_source", "2001:db8:1:2::/64")
    for number in range(60):
        write(site, "sign_in.failed", f"203.0.113.{number}")
    look(site)
    assert kinds(site) == ["failed_sign_ins_of_source", "failed_sign_ins_overall"]


def test_four_times_as_many_on_the_same_day_are_told_again_though_the_first_were_dismissed(
    site_with: Callable[..., Site],
):
    site = site_with(failed_sign_ins_overall=3, failed_sign_ins_of_source=1000)
    for failures, expected in ((3, [3]), (8, [3]), (1, [3, 12]), (35, [3, 12]), (1, [3, 12, 48])):
        for _ in range(failures):
            write(site, "sign_in.failed", "192.0.2.7")
        look(site)
        raised = site.deployment.stores.audit.page(AuditFilter(name="alert.raised"), None, 50)
        assert len(raised.lines) == len(expected)
        for line in site.deployment.stores.alerts.standing(None, 50):
            assert line.detail["today"] == expected[-1]
            site.deployment.stores.alerts.dismiss(line.id, Event("alert.dismissed", "system"))


def rise(site: Site, failures: int) -> None:
    for number in range(failures):
        write(site, "sign_in.failed", f"203.0.113.{number}")
    look(site)


def test_far_more_failures_than_in_the_day_before_are_told_though_they_are_few(site_with: Callable[..., Site]):
    site = site_with(failed_sign_ins_least=6)
    rise(site, 5)
    assert told(site) == []
    rise(site, 1)
    assert kinds(site) == ["failed_sign_ins_overall"]


def test_what_is_usual_is_no_rise(site_with: Callable[..., Site]):
    site = site_with(failed_sign_ins_least=6)
    hours_ago = int(time.time()) // 60 - 600
    site.deployment.stores.watch.count({("all", hours_ago): 144})
    rise(site, 9)
    assert told(site) == []
    rise(site, 1)
    assert kinds(site) == ["failed_sign_ins_overall"]


@pytest.mark.parametrize(
    ("whom", "kind"), [("sources", "failed_sign_ins_of_source"), ("people", "failed_sign_ins_of_account")]
)
def test_of_many_sources_or_people_so_many_are_told_a_day_and_that_there_are_more(
    site_with: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, whom: str, kind: str
):
    monkeypatch.setattr("authserver.services.alerts.sign_in_rules.MOST_A_DAY", 3)
    site = site_with(failed_sign_ins_of_account=2, failed_sign_ins_of_source=2)
    for count, more in ((2, 0), (3, 0), (5, 1), (9, 1)):
        for number in range(count):
            where = f"192.0.2.{number}" if whom == "sources" else f"198.51.100.{count * 10 + number}"
            about = {} if whom == "sources" else {"user_id": f"usr_{number}"}
            for address in (where, where if whom == "sources" else f"203.0.113.{count * 10 + number}"):
                write(site, "sign_in.failed", address, **about)
        look(site)
        assert kinds(site) == sorted(["failed_sign_ins_of_many"] * more + [kind] * min(count, 3))
    [detail] = [detail for kind, _, detail in told(site) if kind == "failed_sign_ins_of_many"]
    assert detail == {"most": 3, "whom": whom}


def test_failures_that_lie_far_apart_are_no_burst(site: Site):
    for _ in range(19):
        write(site, "sign_in.failed", "192.0.2.7")
    look(site)
    with site.deployment.stores.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE failure_counts SET minute = minute - 11")
    write(site, "sign_in.failed", "192.0.2.7")
    look(site)
    assert told(site) == []


def test_what_was_used_twice_is_told_with_its_grant(site: Site):
    about = {"client_id": "editor", "user_id": None, "grant_id": "g1", "resource": SERVER}
    for name in ("token.reused", "token.reused", "code.replayed"):
        write(site, name, "203.0.113.9", **about)
    look(site)
    [(kind, _, detail)] = told(site)
    assert kind == "token_reused"
    assert (detail["grant"], detail["source"]) == ("g1", "203.0.113.9")


def test_a_copy_of_what_keeps_a_browser_signed_in_is_told(site: Site):
    ada = site.deployment.stores.users.by_name("ada")
    for _ in range(2):
        write(site, "session.copied", "203.0.113.9", user_id=ada.id)
    look(site)
    assert told(site) == [("sign_in_copied", ada.id, {"source": "203.0.113.9"})]


@pytest.mark.parametrize(("uri", "expected"), [("http://127.0.0.1/cb", 1), ("https://app.example/cb", 0)])
def test_a_grant_from_a_new_network_is_told_for_apps_on_devices(site: Site, uri: str, expected: int):
    client = a_client(redirect_uris=(uri,))
    site.deployment.stores.clients.register(client, Event("client.registered", "system"))
    for address in ("192.0.2.7", "192.0.2.200", "198.51.100.1", "198.51.100.2", "203.0.113.1"):
        write(site, "token.refreshed", address, client_id=client.client_id, grant_id="g1", resource=SERVER)
        look(site)
    assert kinds(site) == ["new_network"] * 2 * expected
    networks = {detail["network"] for _, _, detail in told(site)}
    assert networks == ({"198.51.100.0/24", "203.0.113.0/24"} if expected else set())


def test_two_new_networks_within_one_stretch_are_two_alerts(site_with: Callable[..., Site]):
    site = site_with(new_network_of="all")
    for addresses in (["192.0.2.7"], ["198.51.100.1", "203.0.113.1"], ["198.51.100.2", "203.0.113.2"]):
        for address in addresses:
            write(site, "token.refreshed", address, client_id="gone", grant_id="g1", resource=SERVER)
        look(site)
    assert kinds(site) == ["new_network"] * 2


def test_of_very_many_new_networks_of_a_grant_some_are_told_and_how_many_more(site_with: Callable[..., Site]):
    site = site_with(new_network_of="all")
    stretches = (["192.0.2.7"], [f"10.0.{n}.1" for n in range(3)], [f"10.0.{n}.2" for n in range(8)])
    for addresses in (*stretches, ["10.1.1.1"], ["10.1.1.2", "10.1.2.1"]):
        for address in addresses:
            for grant in ("g1", "g2"):
                write(site, "token.refreshed", address, client_id="gone", grant_id=grant, resource=SERVER)
        look(site)
    assert kinds(site) == ["many_new_networks"] * 2 + ["new_network"] * 10
    counted = {(detail["grant"], detail["more"]) for kind, _, detail in told(site) if kind == "many_new_networks"}
    assert counted == {("g1", 5), ("g2", 5)}
    networks = {(detail["grant"], detail["network"]) for kind, _, detail in told(site) if kind == "new_network"}
    assert networks == {(grant, f"10.0.{n}.0/24") for grant in ("g1", "g2") for n in range(5)}


def test_of_all_grants_where_that_is_asked_for_and_none_where_it_is_off(site_with: Callable[..., Site]):
    for settings, expected in (({"new_network_of": "all"}, 1), ({"alerts_off": ["new_network"]}, 0)):
        site = site_with(**settings)
        for address in ("2001:db8:1::1", "2001:db8:1:ffff::1", "2001:db8:2::1"):
            write(site, "token.refreshed", address, client_id="gone", grant_id="g1", resource=SERVER)
            look(site)
        assert len(told(site)) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("root@host", None),
        ("", None),
    ],
)
def test_networks_are_those_of_addresses(address: str, network: str | None):
    assert network_of(address) == network


def test_a_trail_that_is_not_sealed_is_told(site: Site):
    site.deployment.watch.look_at_state()
    assert told(site) == []
    write_ago(site, 601)
    site.deployment.watch.look_at_state()
    site.deployment.watch.look_at_state()
    assert kinds(site) == ["trail_unsealed"]


def test_a_target_that_lags_behind_and_fails_is_told(site_with: Callable[..., Site]):
    site = site_with(audit_file="/nowhere/audit.jsonl", stream_down_after=60)
    look(site)
    streams = site.deployment.stores.streams
    head = site.deployment.stores.seals.head()
    assert head
    streams.claim("file", "me", 60)
    streams.advance("file", "me", head.last)
    streams.fail("file", "me", "no such folder")
    site.deployment.watch.look_at_state()
    assert told(site) == [], "it has all"
    write_ago(site, 61)
    look(site)
    site.deployment.watch.look_at_state()
    [(kind, _, detail)] = told(site)
    assert (kind, detail["target"], detail["failure"]) == ("stream_down", "file", "no such folder")


def test_a_target_that_is_gone_from_the_settings_is_no_concern(site_with: Callable[..., Site]):
    mail = {"mail_directory": "/nowhere", "mail_from": "a@auth.example", "notice_mail": ["ann@admin.example"]}
    site = site_with(audit_file="/nowhere/audit.jsonl", stream_down_after=1, **mail)
    stores = site.deployment.stores
    for target in ("file", "webhook"):
        stores.streams.claim(target, "me", 60)
        stores.streams.fail(target, "me", "it is not there")
    for target in ("mail:ann@admin.example", "mail:bob@admin.example"):
        stores.notices.failed(stores.notices.send("a", {}, target, 60), "it is not there", 60)
    with stores.database.transaction() as connection:
        connection.execute(update(NoticeMessageRow).values(tries=TRIES))
    write_ago(site, 3600)
    site.deployment.watch.look_at_state()
    targets = {kind: detail["target"] for kind, _, detail in told(site) if "target" in detail}
    assert targets == {"stream_down": "file", "notices_undelivered": "mail:ann@admin.example"}
    concerns = Attention(stores, site.deployment.rotation, 1000, site.deployment.settings.audit_targets).concerns()
    assert [concern.about for concern in concerns if concern.matter is Matter.STREAM] == ["file"]


def test_one_process_looks_at_a_time_and_the_next_goes_on_where_it_was(site: Site, site_with: Callable[..., Site]):
    write(site, "token.reused", "192.0.2.7", grant_id="g1")
    look(site)
    other = replace(site.deployment.watch, holder="another process")
    write(site, "token.reused", "192.0.2.7", grant_id="g2")
    site.seal()
    assert not other.look()
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(StreamRow).values(leased_until=0))
    assert other.look()
    assert not site.deployment.watch.look()
    assert kinds(site) == ["token_reused", "token_reused"]
