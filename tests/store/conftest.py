"""An empty database for each test: the one of this worker, migrated once."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import delete, insert

from authserver.store import migrate
from authserver.store.database import Database, connect
from authserver.store.models import EpochRow, Row
from authserver.store.stores import Stores
from tests.database import Databases, PostgresqlDatabases, postgresql_server
from tests.tampering import unguarded

from .crowd import Crowd
from .scene import Scene


@pytest.fixture(scope="session")
def url(databases: Databases) -> Iterator[str]:
    created = databases.create()
    migrate.upgrade(created)
    yield created
    databases.drop(created)


@pytest.fixture(scope="session")
def apart(pytestconfig: pytest.Config) -> Iterator[tuple[Databases, str]]:
    """A PostgreSQL server on which nobody else uses transactions up, and the URL of a migrated database to copy."""
    if pytestconfig.getoption("database") != "postgresql":
        pytest.skip("SQLite counts no transactions and has no partitions")
    with postgresql_server() as server:
        databases = PostgresqlDatabases(server)
        template = databases.create()
        migrate.upgrade(template)
        yield databases, template


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    connected = connect(Flask("store"), url)
    empty(connected)
    yield connected
    connected.close()


def empty(database: Database) -> None:
    with database.transaction() as connection:
        with unguarded(connection):
            for table in reversed(Row.metadata.sorted_tables):
                connection.execute(delete(table))
        connection.execute(insert(EpochRow).values(id=1, epoch=1))


@pytest.fixture
def stores(database: Database) -> Stores:
    return Stores.over(database)


@pytest.fixture
def scene(stores: Stores) -> Scene:
    return Scene.set_in(stores)


@pytest.fixture(scope="session")
def crowd() -> Iterator[Crowd]:
    with Crowd.gathered() as gathered:
        yield gathered
