"""One running server and one Chromium for all tests of a worker; each test has a browser profile of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.database import Databases
from tests.journeys.ports import free_port

from .chromium import chromium
from .landing import Landing, landing
from .scene import Scene, scene

Opener = Callable[..., Page]


@pytest.fixture(scope="session")
def running(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    url = databases.create()
    with scene(url, tmp_path_factory.mktemp("home"), free_port()) as found:
        yield found
    databases.drop(url)


# Not for the session: Playwright keeps an event loop running, which other packages' tests want to run themselves.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opener]:
    """Opens a page in a new profile, which fails the test if the page breaks its own Content-Security-Policy."""
    broken: list[str] = []
    profiles = []

    def open_page(**options: Any) -> Page:
        profile = browser.new_context(**options)
        profiles.append(profile)
        page = profile.new_page()
        page.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    yield open_page
    for profile in profiles:
        profile.close()
    assert not broken


@pytest.fixture
def page(opened: Opener) -> Page:
    return opened()


@pytest.fixture
def app() -> Iterator[Landing]:
    with landing() as found:
        yield found
