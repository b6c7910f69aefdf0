"""How the rows are found of the statements that are run millions of times: by an index, however large the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import event, text

from authserver.protocol import credential
from authserver.protocol.access_token import ClientAuthority, TokenId
from authserver.protocol.client import AuthMethod, ClientKind, GrantType
from authserver.store.database import Database
from authserver.store.lane import Lane
from authserver.store.models import Row
from authserver.store.standing import Place

from .scene import EVENT, HOST, RESOURCE, Scene, a_client, refresh_token

Executed = list[tuple[str, Any]]


@contextmanager
def noted(database: Database) -> Iterator[Executed]:
    """The statements that are run meanwhile, with their parameters."""
    found: Executed = []

    def note(connection, cursor, statement, parameters, context, _) -> None:
        found.append((statement, parameters))

    one_row = Lane.one_row

    def note_one_row(lane, statement, parameters) -> object:
        found.append((statement, parameters))
        return one_row(lane, statement, parameters)

    def by_itself(lane, statement, parameters, by) -> object:
        return lane.one_row(statement, parameters)

    event.listen(database.engine, "before_cursor_execute", note)
    with patch.object(Lane, "one_row", note_one_row), patch.object(Lane, "one_row_of_many", by_itself):
        yield found
    event.remove(database.engine, "before_cursor_execute", note)


def plans(database: Database, executed: Executed) -> list[str]:
    """The steps of their plans, as they are for tables that were analyzed when they were almost empty."""
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[database.dialect]
    plan: list[str] = []
    with database.reading() as connection:
        if database.dialect == "postgresql":  # which does so by itself; SQLite does not
            connection.execute(text("ANALYZE"))
        for statement, parameters in executed:
            if not statement.startswith("BEGIN"):
                plan += [str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters)]
    assert plan
    return plan


def scans(plan: list[str]) -> list[str]:
    """The steps that read a whole table."""
    tables = tuple(f"SCAN {table}" for table in Row.metadata.tables)
    return [step for step in plan if "Seq Scan" in step or step.startswith(tables)]


def not_by_key(plan: list[str]) -> list[str]:
    """The steps that look something up by another index than that of the primary key."""
    ways = [step for step in plan if " USING " in step or " using " in step]
    assert ways
    keys = (" using pk_", "sqlite_autoindex", "INTEGER PRIMARY KEY")
    return [step for step in ways if not any(key in step for key in keys)]


@pytest.mark.requirement("AZ-7", "TK-3")
def test_codes_and_tokens_are_found_by_key_alone(scene: Scene):
    stores, code = scene.stores, scene.approve()
    digest = credential.digest
    with noted(stores.database) as executed:
        token = refresh_token(scene.redeem(code))
        successor = refresh_token(scene.refresh(token))
        stores.codes.state(digest(code))
        stores.refresh_tokens.state(digest(successor))
        stores.access_tokens.authority(TokenId.new(token.rpartition(".")[2]))
    plan = plans(stores.database, executed)
    assert scans(plan) == []
    assert not_by_key(plan) == []


@pytest.mark.requirement("EX-1", "CR-12")
def test_what_a_client_does_for_itself_is_found_by_key_alone(scene: Scene):
    stores, ceiling = scene.stores, ("notes:read",)
    machine = a_client(
        kind=ClientKind.PREREGISTERED,
        auth_method=AuthMethod.SECRET_BASIC,
        grant_types=(GrantType.CLIENT_CREDENTIALS,),
        ceilings={RESOURCE: ceiling},
    )
    stores.clients.preregister(machine, EVENT)
    authority = ClientAuthority(machine.client_id, RESOURCE, ceiling)
    with noted(stores.database) as executed:
        assert stores.used_assertions.use(b"digest", 2_000_000_000)
        assert stores.access_tokens.issue(authority, ceiling, EVENT)
        assert (
            stores.access_tokens.ceiling(TokenId.new("client"), machine.client_id, RESOURCE, 1_800_000_000) == ceiling
        )
    if stores.database.dialect == "postgresql":
        assert len(executed) == 3
    plan = plans(stores.database, executed)
    assert scans(plan) == []
    assert not_by_key(plan) == []


def test_the_sweep_finds_sealed_copies_by_their_own_index(scene: Scene):
    scene.refresh(scene.first_token())
    with noted(scene.stores.database) as executed:
        scene.stores.refresh_tokens.erase_sealed(0, 100)
    plan = plans(scene.stores.database, executed)
    assert scans(plan) == []
    assert any("ix_refresh_tokens_sealed" in step for step in plan)


def test_what_a_request_looks_up_is_found_by_index(scene: Scene):
    stores, client_id = scene.stores, scene.client.client_id
    scene.approve()
    with noted(stores.database) as executed:
        stores.clients.find_fresh(client_id)
        stores.users.by_name("alice")
        stores.sessions.find(b"digest")
        stores.throttles.admit({"a": lambda failures: 0, "b": lambda failures: 0})
        place = Place(client_id, HOST, RESOURCE, scene.device)
        stores.grants.standing(scene.user_id, place)
        stores.sessions.find(b"digest", place)
        stores.grants.for_user(scene.user_id)
    assert scans(plans(stores.database, executed)) == []


def test_what_is_done_often_is_one_round_trip_each_to_postgresql(scene: Scene):
    if scene.stores.database.dialect != "postgresql":
        pytest.skip("SQLite has no round trips")
    token = scene.first_token()
    with noted(scene.stores.database) as executed:
        scene.refresh(token)
        scene.stores.access_tokens.authority(TokenId.new(token.rpartition(".")[2]))
        scene.stores.clients.register(a_client(), EVENT)
        scene.stores.used_assertions.use(b"digest", 2_000_000_000)
    assert len(executed) == 4
