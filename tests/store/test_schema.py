"""The schema and its migrations."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.schema import ForeignKeyConstraint, SchemaItem

from authserver.protocol.tool_permission import Permission
from authserver.store import migrate
from authserver.store.database import Database
from authserver.store.engine import UnknownDatabase, create
from authserver.store.models import Row
from authserver.store.positions import next_position
from authserver.store.schema_version import newest
from authserver.store.stores import Stores

from .scene import EVENT, Scene, a_client

BOOKKEEPING = {"alembic_version"}
SEARCHED = {"ix_clients_named", "ix_clients_documents", "ix_users_named", "ix_users_called"}
"""PostgreSQL's indexes over what `searching.grams` tells: no mapped row can name them for one database alone."""
ADDED = {"sqlite": {"fk_grants_session_digest"}, "postgresql": set()}
"""Keys that ALTER TABLE added: of SQLite's, SQLAlchemy reads neither the name nor what they do."""
PARTITIONS = "audit_events_"
"""Tables that begin so are PostgreSQL's partitions of the trail, each with a key of its own by number."""
OF_THE_FIRST_SCHEMA = (
    "INSERT INTO users VALUES ('u', 'u', 'U', 'x', 'user', 1, NULL)",
    "INSERT INTO clients VALUES ('c', 'dynamic', 'C', '[]', 'none', '', NULL, NULL, '{}', 1, NULL, NULL, NULL)",
    "INSERT INTO grants VALUES ('g', 'u', 'c', :device, 'h', 'r', 's', 1, 1, NULL)",
    "INSERT INTO refresh_families VALUES ('a', 'g', 'c', 'r', 's', 1, 1, 2000000000, NULL)",
    "INSERT INTO refresh_families VALUES ('b', 'g', 'c', 'r', 's', 1, 1, 2000000000, NULL)",
)
STANDING = (
    "SELECT client_id FROM grants WHERE revoked_at IS NULL",
    "SELECT client_id FROM consents",
    "SELECT client_id FROM refresh_families WHERE revoked_at IS NULL",
    "SELECT client_id FROM authorization_codes WHERE redeemed_at IS NULL",
)


def tables(url: str) -> set[str]:
    engine = create(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return {name for name in found if not name.startswith(PARTITIONS)}


def can_be_read(each: SchemaItem, name: str | None, *_: object) -> bool:
    """Whether SQLAlchemy reads all of it from both databases; what a key of `ADDED` does is tested by what it does."""
    added = isinstance(each, ForeignKeyConstraint) and each.column_keys == ["session_digest"]
    return name not in SEARCHED and not added and not (name or "").startswith(PARTITIONS)


def test_the_mapped_rows_are_what_the_migrations_make(database: Database):
    with database.reading() as connection:
        mapped = {"compare_type": True, "include_object": can_be_read}
        context = MigrationContext.configure(connection, opts=mapped)
        assert compare_metadata(context, Row.metadata) == []


def test_a_new_database_has_no_accounts(databases):
    url = databases.create()
    migrate.upgrade(url)
    engine = create(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM users")) == 0
    engine.dispose()
    databases.drop(url)


def test_the_mapped_rows_and_the_migrations_have_the_same_names_of_keys(database: Database):
    with database.reading() as connection:
        inspector = inspect(connection)
        for table in Row.metadata.tables.values():
            partitioned = (database.dialect, table.name) == ("postgresql", "audit_events")
            keyed = "audit_events_first" if partitioned else table.name
            key = inspector.get_pk_constraint(keyed)
            assert key["name"] == f"pk_{keyed}"
            assert key["constrained_columns"] == [column.name for column in table.primary_key.columns]
            made = {key["name"] for key in inspector.get_foreign_keys(table.name)} - {None}
            assert made == {key.name for key in table.foreign_key_constraints} - ADDED[database.dialect]


def test_an_empty_database_goes_up_to_the_newest_revision_and_back(fresh_database_url: str):
    url = fresh_database_url
    waiting = migrate.pending(url)
    assert waiting
    assert migrate.current(url) is None

    migrate.upgrade(url)
    assert migrate.current(url) == waiting[-1]
    assert migrate.pending(url) == ()
    assert tables(url) == {*Row.metadata.tables, *BOOKKEEPING}

    migrate.downgrade(url)
    assert migrate.current(url) is None
    assert tables(url) == BOOKKEEPING


def test_the_newest_revision_that_nodes_ask_for_is_the_one_that_is_migrated_to():
    assert newest() == migrate.script().get_current_head()


def test_nodes_that_migrate_at_the_same_time_wait_for_each_other(fresh_database_url: str):
    with ThreadPoolExecutor(4) as nodes:
        list(nodes.map(migrate.upgrade, [fresh_database_url] * 4))
    assert migrate.pending(fresh_database_url) == ()


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_is_not_supported_is_refused_in_words(url: str):
    with pytest.raises(UnknownDatabase, match=r"postgresql|file"):
        create(url)


@pytest.mark.requirement("TK-10")
def test_families_of_the_first_schema_get_places_that_no_later_one_gets(fresh_database_url: str):
    migrate.upgrade(fresh_database_url, "0001")
    database = Database(create(fresh_database_url))
    with database.transaction() as connection:
        for statement in OF_THE_FIRST_SCHEMA:
            connection.execute(text(statement), {"device": b"d" * 32} if ":device" in statement else {})
    migrate.upgrade(fresh_database_url)
    with database.transaction() as connection:
        places = connection.scalars(text("SELECT status_position FROM refresh_families")).all()
        assert len({*places, next_position(connection)}) == 3
    database.close()


@pytest.mark.requirement("EX-7")
def test_grants_whose_decisions_an_older_schema_cannot_keep_end_with_it(fresh_database_url: str):
    migrate.upgrade(fresh_database_url)
    database = Database(create(fresh_database_url))
    asked = Scene.set_in(Stores.over(database))
    untold = replace(asked, client=a_client())
    asked.stores.clients.register(untold.client, EVENT)
    for scene, permissions in ((asked, {"write_note": Permission("seen")}), (untold, None)):
        scene.first_token()
        approval = scene.approval("notes:write", permissions=permissions)
        scene.stores.grants.approve(approval, scene.new_code(scene.client.client_id), EVENT)
    migrate.downgrade(fresh_database_url, "0005")
    with database.transaction() as connection:
        standing = [connection.scalars(text(each)).all() for each in STANDING]
        assert standing == [[untold.client.client_id]] * 4
    database.close()
