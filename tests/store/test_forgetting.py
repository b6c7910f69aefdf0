"""Grants that ended and clients that were deleted go, long after nobody can present anything of theirs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text, update

from authserver.protocol import credential
from authserver.protocol.errors import InvalidGrant
from authserver.store.approval import change_grant, hold_grant, hold_to_what_stands, remember_consent
from authserver.store.audit import AuditFilter
from authserver.store.database import Database
from authserver.store.forgetting import DELETED_SECONDS, ENDED_SECONDS, ended_for
from authserver.store.models import ClientRow, ConsentRow, FamilyRow, GrantRow
from authserver.store.purge import purge_all
from authserver.store.standing import Place
from tests.purging import purge

from .scene import EVENT, HOST, LIFETIME, RESOURCE, Scene, a_client, let_pass
from .test_plans import noted, plans, scans
from .test_purge import count, purge_until_done

DAY = 86_400


def on(scene: Scene, device: str) -> Scene:
    """The same person and client on another device."""
    return replace(scene, device=credential.digest(device))


def ended(scene: Scene) -> str:
    """The id of a grant of whom nothing is left but itself, which was just ended."""
    scene.approve()
    (grant,) = scene.stores.grants.for_user(scene.user_id)
    assert scene.stores.grants.revoke(grant.id, EVENT)
    return grant.id


def forget(scene: Scene, limit: int = 1000) -> dict[str, int]:
    return purge(scene.stores.database, limit)


def somebody_waits(database: Database) -> bool:
    """Asked in a transaction of its own: in one, the answer stays the same."""
    here = "FROM pg_stat_activity WHERE datname = current_database()"
    with database.reading() as connection:
        return bool(connection.scalar(text(f"SELECT count(*) {here} AND wait_event_type = 'Lock'")))


def refused(scene: Scene, token: str) -> tuple[str, str]:
    with pytest.raises(InvalidGrant) as found:
        scene.refresh(token)
    return found.value.error, found.value.description


def is_first(scene: Scene) -> bool:
    place = Place(scene.client.client_id, HOST, RESOURCE, scene.device)
    return not scene.stores.grants.standing(scene.user_id, place).seen_before


@pytest.mark.requirement("AZ-8", "AZ-9")
def test_a_grant_goes_with_its_consent_long_after_its_end_and_its_person_is_asked_anew(scene: Scene):
    ended(scene)
    let_pass(scene.stores.database, ENDED_SECONDS - 60)
    assert forget(scene)["grants"] == 0
    assert (count(scene, GrantRow), count(scene, ConsentRow), is_first(scene)) == (1, 1, False)
    let_pass(scene.stores.database, 60)
    assert forget(scene)["grants"] == 1
    assert (count(scene, GrantRow), count(scene, ConsentRow), is_first(scene)) == (0, 0, True)
    assert scene.first_token()


@pytest.mark.requirement("TK-3")
def test_a_refresh_token_of_a_forgotten_grant_is_refused_as_one_of_an_ended_grant(scene: Scene):
    token = scene.first_token()
    (grant,) = scene.stores.grants.for_user(scene.user_id)
    scene.stores.grants.revoke(grant.id, EVENT)
    let_pass(scene.stores.database, LIFETIME)
    before = refused(scene, token)
    let_pass(scene.stores.database, ENDED_SECONDS)
    while any(forget(scene).values()):
        pass
    assert count(scene, GrantRow) == 0
    assert refused(scene, token) == before


def test_a_grant_stays_while_a_code_or_a_token_of_it_is_kept(scene: Scene):
    token = scene.first_token()
    (grant,) = scene.stores.grants.for_user(scene.user_id)
    scene.stores.grants.revoke(grant.id, EVENT)
    let_pass(scene.stores.database, 5)
    done = purge_all(scene.stores.database, 9, receipts_for=9 * DAY, ended_for=1, seconds=60, wait=lambda pause: False)
    assert (done.rows["grants"], done.left) == (0, False)
    assert (count(scene, GrantRow), count(scene, FamilyRow)) == (1, 1)
    assert refused(scene, token)


def test_ended_grants_are_kept_until_the_last_refresh_token_is_purged_and_for_90_days():
    assert ended_for(30 * DAY, DAY) == 90 * DAY
    assert ended_for(180 * DAY, DAY) == 181 * DAY


@pytest.mark.requirement("AZ-9")
def test_what_lives_stays_and_so_does_a_consent_that_another_device_stands_on(scene: Scene):
    ended(scene)
    on(scene, "another").approve()
    let_pass(scene.stores.database, 10 * ENDED_SECONDS)
    assert forget(scene)["grants"] == 1
    assert (count(scene, GrantRow), count(scene, ConsentRow)) == (1, 1)
    assert not is_first(scene)


def test_forgetting_grants_is_bounded_and_finished_by_repeating_it(scene: Scene):
    for number in range(5):
        ended(on(scene, str(number)))
    let_pass(scene.stores.database, ENDED_SECONDS)
    assert [forget(scene, 2)["grants"] for _ in range(4)] == [2, 2, 1, 0]
    assert count(scene, ConsentRow) == 0


def test_a_purge_tells_of_the_grants_and_clients_that_it_forgot(scene: Scene):
    for number in range(3):
        ended(on(scene, str(number)))
    scene.stores.clients.delete(scene.client.client_id, EVENT)
    let_pass(scene.stores.database, DELETED_SECONDS)
    done, _ = purge_until_done(scene, 9)
    assert (done.rows["grants"], done.rows["clients"], done.left) == (3, 1, False)


@pytest.mark.requirement("CR-15")
def test_a_deleted_client_is_known_as_one_for_a_year_and_then_its_id_is_free(scene: Scene):
    stores, client_id = scene.stores, scene.client.client_id
    stores.clients.delete(client_id, EVENT)
    let_pass(stores.database, DELETED_SECONDS - 60)
    assert forget(scene)["clients"] == 0
    assert stores.clients.tombstoned(client_id)
    let_pass(stores.database, 60)
    assert forget(scene)["clients"] == 1
    assert not stores.clients.tombstoned(client_id)
    assert stores.clients.find(client_id) is None
    assert stores.clients.preregister(scene.client, EVENT)


def test_a_deleted_client_stays_while_a_grant_of_it_does(scene: Scene):
    ended(scene)
    scene.stores.clients.delete(scene.client.client_id, EVENT)
    let_pass(scene.stores.database, DELETED_SECONDS)
    kept = {"receipts_for": 9 * DAY, "ended_for": 2 * DELETED_SECONDS, "seconds": 60}
    assert purge_all(scene.stores.database, 9, **kept, wait=lambda pause: False).rows["clients"] == 0
    assert count(scene, ClientRow) == 1


def test_clients_that_were_not_deleted_stay(scene: Scene):
    scene.stores.clients.preregister(a_client(), EVENT)
    let_pass(scene.stores.database, 10 * DELETED_SECONDS)
    assert forget(scene)["clients"] == 0
    assert count(scene, ClientRow) == 2


def test_forgetting_bounds_clients_too(scene: Scene):
    for _ in range(4):
        other = a_client()
        scene.stores.clients.register(other, EVENT)
        scene.stores.clients.delete(other.client_id, EVENT)
    let_pass(scene.stores.database, DELETED_SECONDS)
    assert [forget(scene, 3)["clients"] for _ in range(3)] == [3, 1, 0]


def test_what_is_forgotten_is_found_by_index(scene: Scene):
    ended(scene)
    scene.stores.clients.delete(scene.client.client_id, EVENT)
    let_pass(scene.stores.database, DELETED_SECONDS)
    with noted(scene.stores.database) as executed:
        gone = forget(scene)
    assert (gone["grants"], gone["clients"]) == (1, 1)
    ours = [each for each in executed if any(f"FROM {table}" in each[0] for table in ("grants", "clients", "consents"))]
    plan = plans(scene.stores.database, ours)
    assert scans(plan) == []
    assert all(any(name in step for step in plan) for name in ("ix_grants_revoked_at", "ix_clients_deleted_at"))


def test_events_of_a_forgotten_grant_are_still_found(scene: Scene):
    grant_id = ended(scene)
    before = list(scene.stores.audit.page(AuditFilter(grant_id=grant_id), None, 10))
    let_pass(scene.stores.database, ENDED_SECONDS)
    assert forget(scene)["grants"] == 1
    after = list(scene.stores.audit.page(AuditFilter(grant_id=grant_id), None, 10))
    assert {line.id for line in after} >= {line.id for line in before} != set()
    assert {line.event.grant_id for line in after} == {grant_id}


@pytest.mark.requirement("AZ-9")
def test_a_consent_that_is_decided_about_meanwhile_is_kept(scene: Scene):
    database = scene.stores.database
    if database.dialect != "postgresql":
        pytest.skip("on SQLite a decision and the purge do not write at the same time")
    ended(scene)
    let_pass(database, ENDED_SECONDS)
    approval = on(scene, "another").approval("notes:read")
    with ThreadPoolExecutor(1) as one:
        with database.transaction() as connection:
            lasts = change_grant(connection, hold_grant(database, connection, approval), approval, {})
            remember_consent(database, connection, approval, lasts=lasts)
            purging = one.submit(forget, scene)
            while not somebody_waits(database):
                assert not purging.done()
        assert purging.result(60)["grants"] == 1
    with database.reading() as connection:
        assert connection.scalar(select(ConsentRow.scopes)) == ("notes:read",)
        assert connection.scalar(select(func.count()).select_from(GrantRow)) == 1


@pytest.mark.requirement("AZ-8", "AZ-9")
def test_a_consent_that_a_new_device_stands_on_meanwhile_is_kept(scene: Scene):
    database = scene.stores.database
    if database.dialect != "postgresql":
        pytest.skip("on SQLite an approval and the purge do not write at the same time")
    scene.approve()
    let_pass(database, ENDED_SECONDS)
    with database.transaction() as connection:
        connection.execute(
            update(GrantRow).values(revoked_at=GrantRow.updated_at)
        )  # its term is over: no more than that
    approval = replace(on(scene, "another").approval("notes:read"), silent=True)
    with ThreadPoolExecutor(1) as one:
        with database.transaction() as connection:
            hold_to_what_stands(connection, hold_grant(database, connection, approval), approval)
            purging = one.submit(forget, scene)
            while not somebody_waits(database):
                assert not purging.done()
        assert purging.result(60)["grants"] == 1
    assert (count(scene, GrantRow), count(scene, ConsentRow)) == (1, 1)
