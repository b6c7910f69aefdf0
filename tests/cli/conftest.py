"""The ``authserver`` command, as an operator types it, over a deployment of the test's own."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from authserver.cli import main
from tests.conformance.fixtures import set_up, site_with  # noqa: F401 - the fixtures
from tests.conformance.site import Site
from tests.database import Databases

Run = Callable[..., Result]


@dataclass(frozen=True)
class Initialised:
    """What ``authserver init`` made once, to be copied: nobody uses it itself."""

    home: Path
    url: str


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="session")
def initialised(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Initialised]:
    found = Initialised(tmp_path_factory.mktemp("initialised") / "home", databases.create())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AUTHSERVER_HOME", str(found.home))
        environment.setenv("AUTHSERVER_DATABASE_URL", found.url)
        assert typed("init").exit_code == 0
    yield found
    databases.drop(found.url)


@pytest.fixture
def run(tmp_path, monkeypatch, databases: Databases, initialised: Initialised) -> Iterator[Run]:
    url = databases.create(initialised.url)
    shutil.copytree(initialised.home, tmp_path / "home")
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", url)
    yield typed
    databases.drop(url)


@pytest.fixture
def site(site_with, monkeypatch) -> Site:  # noqa: F811 - the fixture
    """A site that serves, and whose folder and database the commands are typed over."""
    made: Site = site_with()
    commanded(made, monkeypatch)
    return made


def commanded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands be about *site* from now on."""
    settings = site.deployment.settings
    monkeypatch.setenv("AUTHSERVER_HOME", str(settings.home))
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("AUTHSERVER_ISSUER", settings.issuer)
