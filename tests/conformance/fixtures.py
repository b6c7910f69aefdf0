"""Fixtures for tests that talk HTTP to the application in this process."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.database import Databases

from .flow import Flow
from .site import Site, create_site, open_site
from .visitor import Visitor


@pytest.fixture(scope="session")
def site(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One application for all tests of a worker; each registers clients of its own."""
    url = databases.create()
    made = create_site(url, tmp_path_factory.mktemp("home"))
    yield made
    made.deployment.stores.database.close()
    databases.drop(url)


@pytest.fixture(scope="session")
def set_up(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A database and a home, set up once to be copied: nobody uses them."""
    url, home = databases.create(), tmp_path_factory.mktemp("set-up")
    create_site(url, home).deployment.stores.database.close()
    yield url, home
    databases.drop(url)


@pytest.fixture
def site_with(databases: Databases, tmp_path: Path, set_up: tuple[str, Path]) -> Iterator[Callable[..., Site]]:
    """Makes an application of this test's own, with the settings that it is called with."""
    urls: list[tuple[str, Site]] = []

    def make(**settings: object) -> Site:
        url, home = databases.create(set_up[0]), tmp_path / str(len(urls))
        shutil.copytree(set_up[1], home)
        urls.append((url, open_site(url, home, **settings)))
        return urls[-1][1]

    yield make
    for url, made in urls:
        made.deployment.stores.database.close()
        databases.drop(url)


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """Ada, at a browser that she has not used before."""
    return Visitor(site)


@pytest.fixture
def flow(site: Site) -> Flow:
    """A client that is about to register."""
    return Flow(site)
