"""Registrations that go by themselves (CR-3): bounded, found by index, and never one that somebody uses."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text, update

from authserver.protocol.audit import Event
from authserver.protocol.client import Client, ClientKind
from authserver.protocol.errors import InvalidGrant
from authserver.services.reaper import BATCH, SPARED_SECONDS, Reaper
from authserver.store.audit import AuditFilter
from authserver.store.database import Database
from authserver.store.models import ClientRow
from authserver.store.pending_grants import Requester, Wanted
from authserver.store.stores import Stores

from .crowd import SIZE, Crowd
from .scene import EVENT, Scene, a_client, let_pass, refresh_token
from .test_plans import noted, plans, scans

DAY = 86_400
MANY = 100_000
COLUMNS = "client_id, kind, name, redirect_uris, auth_method, grant_types, metadata, ceilings, created_at"
FLOOD = {
    "sqlite": f"""
        INSERT INTO clients ({COLUMNS})
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
        SELECT 'flood-' || i, 'dynamic', 'App', '[]', 'none', 'authorization_code', '{{}}', '{{}}', i FROM n
    """,  # noqa: S608 - the test's own names
    "postgresql": f"""
        INSERT INTO clients ({COLUMNS})
        SELECT 'flood-' || i, 'dynamic', 'App', '[]', 'none', 'authorization_code', '{{}}', '{{}}', i
        FROM generate_series(1, :many) AS i
    """,  # noqa: S608 - the test's own names
}


def flood(database: Database, many: int) -> None:
    """*many* unused registrations, one made in each second from the beginning of 1970."""
    with database.transaction() as connection:
        connection.execute(text(FLOOD[database.dialect]), {"many": many})


def clients(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(ClientRow)).scalar_one()


def reaper(stores: Stores, **changes: int) -> Reaper:
    given = {"unused_lifetime": 30 * DAY, "idle_lifetime": 365 * DAY, "most_unused": MANY, **changes}
    return Reaper(stores.registrations, **given)


def made(stores: Stores, age: int, **changes: object) -> Client:
    """A client that was registered *age* seconds ago."""
    client = a_client(created_at=stores.registrations.age_limit(age), **changes)
    stores.clients.register(client, EVENT)
    return client


def known(stores: Stores, client: Client) -> bool:
    return stores.clients.find_fresh(client.client_id) is not None


@pytest.mark.requirement("CR-3")
def test_what_nobody_ever_used_is_deleted_after_its_time_without_a_trace_but_one_event(stores: Stores):
    old, young = made(stores, 30 * DAY + 5), made(stores, 30 * DAY - 60)
    assert reaper(stores).reap() == (1, 0)
    assert (known(stores, old), known(stores, young)) == (False, True)
    assert stores.clients.tombstoned(old.client_id) is False
    (line,) = stores.audit.page(AuditFilter(name="clients.expired"), None, 9)
    assert line.event.detail == {"clients": 1}
    assert reaper(stores).reap() == (0, 0)


@pytest.mark.requirement("CR-3")
@pytest.mark.parametrize("kind", [kind for kind in ClientKind if kind is not ClientKind.DYNAMIC])
def test_no_other_kind_of_client_expires(stores: Stores, kind: ClientKind):
    client = made(stores, 4000 * DAY, kind=kind)
    other = made(stores, 30 * DAY + 5)
    reaper(stores).reap()
    assert (known(stores, client), known(stores, other)) == (True, False)


@pytest.mark.requirement("CR-3", "CR-15")
def test_what_was_used_ends_only_when_it_was_idle_for_long_and_stays_known_as_deleted(scene: Scene):
    stores = scene.stores
    token = scene.first_token()
    let_pass(stores.database, 300 * DAY)
    assert reaper(stores).reap() == (0, 0)
    assert reaper(stores, idle_lifetime=0).reap() == (0, 0)
    let_pass(stores.database, 66 * DAY)
    assert reaper(stores, idle_lifetime=0).reap() == (0, 0)
    assert [due.client_id for due in reaper(stores).due(9)[1]] == [scene.client.client_id]
    assert reaper(stores).reap() == (0, 1)
    assert stores.clients.find(scene.client.client_id) is None
    assert stores.clients.tombstoned(scene.client.client_id) is True
    assert stores.grants.for_user(scene.user_id) == ()
    with pytest.raises(InvalidGrant):
        scene.refresh(token)
    (line,) = stores.audit.page(AuditFilter(name="client.expired"), None, 9)
    assert line.event.client_id == scene.client.client_id


@pytest.mark.requirement("CR-3")
def test_using_a_client_once_saves_it(scene: Scene):
    scene.approve()
    let_pass(scene.stores.database, 40 * DAY)
    assert reaper(scene.stores).reap() == (0, 0)


@pytest.mark.requirement("CR-3")
def test_a_dry_run_tells_what_goes_and_changes_nothing(stores: Stores):
    old = made(stores, 31 * DAY, name="Old")
    made(stores, 5)
    unused, idle = reaper(stores).due(10)
    assert [(due.client_id, due.name) for due in unused] == [(old.client_id, "Old")]
    assert idle == ()
    assert known(stores, old)


@pytest.mark.requirement("CR-3")
def test_a_table_that_fills_up_lets_go_of_the_oldest_early_but_of_none_in_its_first_hour(stores: Stores):
    ages = [SPARED_SECONDS + 10 * (number + 1) for number in range(6)] + [60, 50]
    there = [made(stores, age) for age in ages]
    assert reaper(stores, most_unused=8).reap() == (2, 0)
    gone = {client.client_id for client in there if not known(stores, client)}
    assert gone == {there[5].client_id, there[4].client_id}
    assert reaper(stores, most_unused=1).reap() == (4, 0)
    assert [known(stores, client) for client in there[-2:]] == [True, True]


@pytest.mark.requirement("CR-3")
def test_unused_ones_are_counted_to_a_bound(stores: Stores):
    for _ in range(3):
        made(stores, 5)
    made(stores, 5, kind=ClientKind.PREREGISTERED)
    assert [stores.registrations.count_unused(most) for most in (2, 3, 10)] == [2, 3, 3]


@pytest.mark.requirement("CR-3")
def test_the_reaper_finds_what_is_due_by_index_and_so_do_the_checks_of_what_refers_to_it(scene: Scene):
    stores = scene.stores
    made(stores, 40 * DAY)
    with noted(stores.database) as executed:
        stores.registrations.surplus_until(5)
        stores.registrations.count_unused(5)
        stores.registrations.delete_unused(stores.registrations.age_limit(DAY), 5, EVENT)
        stores.registrations.end_idle(5, 5, EVENT)
        stores.clients.waiting(5)
    plan = plans(stores.database, executed)
    assert [step for step in scans(plan) if " INDEX ix_clients_" not in step] == []
    assert any("ix_clients_unused" in step for step in plan)
    assert any("ix_clients_idle" in step for step in plan)
    with stores.database.reading() as connection:  # what each deletion asks by itself, for the foreign keys
        for table in ("grants", "consents"):
            explain = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}[stores.database.dialect]
            asked = connection.execute(text(f"{explain} SELECT 1 FROM {table} WHERE client_id = 'x'"))  # noqa: S608
            assert any(f"ix_{table}_client_id" in str(step[-1]) for step in asked)


def approve(scene: Scene, code: str, number: int) -> bool:
    approval = scene.approval("notes:read")
    return scene.stores.grants.approve(approval, scene.new_code(f"{code} {number}"), EVENT) is not None


def approve_or_reap(scene: Scene, code: str, number: int) -> bool | int:
    if number % 2:
        return approve(scene, code, number)
    return scene.stores.registrations.delete_unused(2_000_000_000, 5, EVENT)


@pytest.mark.requirement("CR-3", "AZ-13")
def test_a_registration_never_goes_from_under_a_persons_decision(scene: Scene, url: str, crowd: Crowd):
    results = crowd.all_do(approve_or_reap, url, scene, "code")
    approvals = {results[number] for number in range(1, SIZE, 2)}
    reaped = sum(results[number] for number in range(0, SIZE, 2))
    assert (approvals, reaped) in [({True}, 0), ({False}, 1)]
    assert known(scene.stores, scene.client) is (approvals == {True})


@pytest.mark.requirement("CR-2")
@pytest.mark.parametrize(
    "end",
    [
        lambda scene: scene.stores.clients.delete(scene.client.client_id, EVENT),
        lambda scene: scene.stores.clients.set_suspended(scene.client.client_id, True, EVENT),
        lambda scene: scene.stores.clients.update(scene.client, EVENT, hold=True),
    ],
)
def test_a_client_that_may_not_act_is_approved_nothing(scene: Scene, end: Callable[[Scene], bool]):
    assert end(scene)
    assert approve(scene, "code", 1) is False
    assert scene.stores.grants.for_user(scene.user_id) == ()


@pytest.mark.requirement("CR-3")
def test_a_hundred_thousand_registrations_go_in_bounded_batches_while_tokens_are_refreshed(scene: Scene):
    stores = scene.stores
    token = scene.first_token()
    flood(stores.database, MANY)
    batches: list[float] = []
    reaped: list[tuple[int, int]] = []
    work = threading.Thread(target=lambda: reaped.append(reaper(stores).reap(batches.append)))
    work.start()
    refreshed = 0
    while work.is_alive():
        token = refresh_token(scene.refresh(token))
        refreshed += 1
    work.join()
    assert reaped == [(MANY, 0)]
    assert len(batches) == MANY // BATCH
    assert refreshed > 5
    assert clients(stores.database) == 1


def test_unused_registrations_that_are_alike_are_one_group_however_their_ports_differ(stores: Stores):
    for port in range(3):
        made(stores, DAY, name="Editor", redirect_uris=(f"http://localhost:{port + 5000}/cb",))
    for _ in range(2):
        made(stores, DAY, name="Other", redirect_uris=("https://other.example/cb",))
    made(stores, DAY, name="Alone")
    used = made(stores, DAY, name="Editor", redirect_uris=("http://localhost:9/cb",))
    with stores.database.transaction() as connection:
        connection.execute(
            update(ClientRow).where(ClientRow.client_id == used.client_id).values(last_used_at=used.created_at)
        )
    groups = stores.registrations.alike(10)
    assert [(group.name, group.unused) for group in groups] == [("Editor", 3), ("Other", 2)]
    assert groups[0].likeness == used.likeness
    assert len(stores.registrations.alike(1)) == 1
    assert len(stores.clients.page("", None, 10, likeness=used.likeness).lines) == 4


def test_of_a_group_those_go_that_nobody_used_and_that_are_past_their_first_hour(stores: Stores):
    old = [made(stores, DAY, name="Editor") for _ in range(3)]
    young, other = made(stores, 60, name="Editor"), made(stores, DAY, name="Other")
    likeness = old[0].likeness
    assert reaper(stores).count_alike(likeness, 10) == 3
    assert reaper(stores).count_alike(likeness, 2) == 2
    assert reaper(stores).delete_alike(likeness, EVENT, 5.0) == 3
    assert reaper(stores).count_alike(likeness, 10) == 0
    assert all(stores.clients.find_fresh(client.client_id) for client in (young, other))


def test_a_large_group_ends_in_batches_and_goes_on_where_it_ended(stores: Stores, database: Database):
    likeness = a_client(name="App", redirect_uris=()).likeness
    flood(database, BATCH * 2 + 7)
    with database.transaction() as connection:
        connection.execute(update(ClientRow).values(likeness=likeness))
    event = Event("clients.deleted", "user:root")
    assert reaper(stores).delete_alike(likeness, event, 0.0) == BATCH
    assert reaper(stores).delete_alike(likeness, event, 60.0) == BATCH + 7
    told = [line.event.detail for line in stores.audit.page(AuditFilter(name="clients.deleted"), None, 9)]
    assert told == [{"clients": 7}, {"clients": BATCH}, {"clients": BATCH}]


def test_groups_are_read_from_an_index_of_unused_ones(stores: Stores, database: Database):
    with noted(database) as executed:
        stores.registrations.alike(50)
        stores.registrations.count_alike(b"x" * 32, 1, 50)
    assert scans(plans(database, executed)) == []


@pytest.mark.requirement("CR-3")
def test_a_client_that_somebody_asks_an_administrator_for_is_not_swept_away(scene: Scene):
    stores = scene.stores
    client = made(stores, 30 * DAY + 5)
    asked = Wanted(Requester(scene.user_id, client.client_id, client.identity, "https://n.example/mcp"), ("a",), "r")
    stores.pending_grants.ask(asked, 600, EVENT)
    other = made(stores, 30 * DAY + 5)
    reaper(stores).reap()
    assert (known(stores, client), known(stores, other)) == (True, False)
