"""The stage, the browser and the clients of journeys."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.database import Databases

from .client import KINDS, Client
from .person import Person
from .stage import Stage, stage
from .typescript import install

ClientOf = Callable[..., Client]


@pytest.fixture(scope="session")
def running(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The demo's two servers, for all journeys of this worker."""
    url = databases.create()
    with stage(tmp_path_factory.mktemp("demo"), url) as found:
        yield found
    databases.drop(url)


# Not for the session: Playwright keeps an event loop running, which other packages' tests want to run themselves.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with chromium() as found:
        yield found


@pytest.fixture
def person(browser: Browser, running: Stage) -> Iterator[Person]:
    """The demo's user, at a browser not used before."""
    found = Person(browser, running, running.user)
    yield found
    found.context.close()


@pytest.fixture
def administrator(browser: Browser, running: Stage) -> Iterator[Person]:
    """The demo's administrator."""
    found = Person(browser, running, running.admin)
    yield found
    found.context.close()


@pytest.fixture
def client_of(running: Stage, tmp_path: Path) -> Iterator[ClientOf]:
    """Starts clients: ``client_of(kind)``; those with the same ``name`` share what they keep on disk."""
    started: list[Client] = []

    def start(kind: str, name: str = "client", url: str = running.resource, **environment: str) -> Client:
        if kind.startswith("typescript"):
            install()
        storage = tmp_path / f"{name}.json"
        started.append(Client.start(KINDS[kind](url, storage), storage, {**os.environ, **environment}))
        return started[-1]

    yield start
    for client in started:
        client.close()
