"""Fixtures about one PostgreSQL and what is between it and the processes."""

import pytest

from tests.conformance.fixtures import set_up, site_with

__all__ = ["set_up", "site_with"]


@pytest.fixture(scope="session", autouse=True)
def _on_postgresql(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("database") != "postgresql":
        pytest.skip("about a PostgreSQL that several processes share")
