"""A real provider and a server that knows it, as a browser meets them."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import chromium
from tests.browser.scene import Scene, scene
from tests.conformance.fixtures import set_up, site_with
from tests.conformance.site import Site
from tests.database import Databases
from tests.journeys.ports import free_port
from tests.outbound.authority import Authority

from .journey import CLIENT_ID as CLIENT
from .liar import Liar, liar
from .provider import CLIENT_ID, SECRET, RunningProvider, provider

__all__ = ["set_up", "site_with"]

SETTINGS = """
fetch_ca_file = "{ca_file}"
fetch_entered_networks = ["localhost:{port}=127.0.0.1/32"]

[[upstream]]
id = "corp"
name = "Example Corp"
issuer = "{issuer}"
client_id = "{client_id}"
client_secret_file = "{secret_file}"
scopes = ["groups"]
domains = ["corp.example"]
trusted_domains = ["corp.example"]
create_accounts = true
claims = {{ email_verified = true }}
roles = {{ auditors = "auditor", helpers = "support" }}
"""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[RunningProvider]:
    """A company's provider."""
    folder = tmp_path_factory.mktemp("provider")
    with provider(folder, Authority(folder), f"http://localhost:{port}", "corp") as found:
        yield found


@pytest.fixture(scope="module")
def running(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, port: int, corp: RunningProvider
) -> Iterator[Scene]:
    """The authorization server, served by gunicorn."""
    url, home = databases.create(), tmp_path_factory.mktemp("home")
    (home / "secret").write_text(f"{SECRET}\n")
    (home / "authserver.toml").write_text(
        SETTINGS.format(
            ca_file=corp.folder / "authority.pem",
            port=corp.port,
            issuer=corp.issuer,
            client_id=CLIENT_ID,
            secret_file=home / "secret",
        )
    )
    with scene(url, home, port) as found:
        yield found
    databases.drop(url)


# Not for the session: Playwright keeps an event loop running, which other packages' tests want to run themselves.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Opens a page of a browser of its own."""
    contexts = []

    def open_page() -> Page:
        contexts.append(browser.new_context(ignore_https_errors=True))
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(opened: Callable[[], Page]) -> Page:
    return opened()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def false(authority: Authority) -> Iterator[Liar]:
    """A provider that may lie."""
    with liar(authority.serving("localhost")) as found:
        yield found


@pytest.fixture
def site_of(site_with: Callable[..., Site], authority: Authority, false: Liar) -> Callable[..., Site]:
    """Makes a server that knows that provider as ``liar``, with the changes to its table that it is called with."""

    def make(**changes: object) -> Site:
        return site_with(**settings(authority, {**table_of(false), **changes}))

    return make


@pytest.fixture
def site(site_of: Callable[..., Site]) -> Site:
    return site_of()


def table_of(of: Liar, name: str = "liar") -> dict[str, object]:
    """The table of a provider in the settings."""
    return {"id": name, "name": name.title(), "issuer": of.issuer, "client_id": CLIENT, "create_accounts": True}


def settings(authority: Authority, *tables: dict[str, object]) -> dict[str, object]:
    """The settings of a server that knows providers on loopback by these *tables*."""
    hosts = [f"localhost:{urlsplit(str(table['issuer'])).port}=127.0.0.1/32" for table in tables]
    return {"upstream": list(tables), "fetch_ca_file": str(authority.ca_file), "fetch_entered_networks": hosts}
