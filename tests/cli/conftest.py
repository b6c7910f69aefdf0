"""The ``authserver`` command, as an operator types it, over a deployment of the test's own."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from authserver.cli import main
from tests.conformance.fixtures import site_with  # noqa: F401 - the fixture

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path, monkeypatch, fresh_database_url) -> Run:
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", fresh_database_url)

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    assert command("init").exit_code == 0
    return command
