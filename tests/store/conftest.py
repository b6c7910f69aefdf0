"""A migrated database for each test, copied from one that was migrated once."""

from collections.abc import Iterator

import pytest
from flask import Flask

from authserver.store import migrate
from authserver.store.database import Database, connect
from authserver.store.stores import Stores
from tests.database import Databases

from .crowd import Crowd
from .scene import Scene


@pytest.fixture(scope="session")
def migrated_url(databases: Databases) -> Iterator[str]:
    url = databases.create()
    migrate.upgrade(url)
    yield url
    databases.drop(url)


@pytest.fixture
def url(databases: Databases, migrated_url: str) -> Iterator[str]:
    copy = databases.create(template=migrated_url)
    yield copy
    databases.drop(copy)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    connected = connect(Flask("store"), url)
    yield connected
    connected.close()


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
