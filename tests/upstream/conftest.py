"""A real provider and a server that knows it, as a browser meets them."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import chromium
from tests.browser.scene import Scene, scene
from tests.database import Databases
from tests.journeys.ports import free_port
from tests.outbound.authority import Authority

from .provider import CLIENT_ID, SECRET, RunningProvider, provider

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
