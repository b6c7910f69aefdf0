"""What every test has at hand: the database of this run, and the record of which requirements were held."""

import gc
from collections.abc import Iterator
from contextlib import ExitStack

import hypothesis
import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from tests import requirements
from tests.database import Databases, PostgresqlDatabases, SqliteDatabases, postgresql_server

SERVER = pytest.StashKey[str]()
DATABASE_FIXTURES = {"databases", "database_url", "fresh_database_url"}
# Where a test that asks for no database has none: neither the run's nor one of its own.
FOLDERS_WITHOUT_DATABASE = (
    "tests/catalogue/",
    "tests/conformance/",
    "tests/doctor/",
    "tests/floods/test_lanes.py",
    "tests/languages/",
    "tests/limits/",
    "tests/middleware/",
    "tests/outbound/",
    "tests/unit/",
    "tests/web/",
)

# Two busy workers share the machine with servers and browsers: how long an example takes says nothing.
hypothesis.settings.register_profile("project", deadline=None, print_blob=True)
hypothesis.settings.load_profile("project")


class Templates(BytecodeCache):
    """The templates that were compiled for one application of this process, for all others."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {"bytecode_cache": Templates()}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="The kind of database that the tests run on.",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("collectonly"):
        return
    if hasattr(config, "workerinput"):
        config.stash[SERVER] = config.workerinput.get("server", "")
        return
    database = config.getoption("database")
    config.pluginmanager.register(requirements.Recorder(requirements.RECORDS / f"{database}.json"))
    if database == "postgresql":
        stack = ExitStack()
        config.add_cleanup(stack.close)
        config.stash[SERVER] = stack.enter_context(postgresql_server())


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Tell a pytest-xdist worker where the one server of this run is."""
    node.workerinput["server"] = node.config.stash.get(SERVER, "")


def pytest_report_header(config: pytest.Config) -> str:
    return f"database: {config.getoption('database')}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        requirements.tag(item)
    if config.getoption("database") != "sqlite":
        needed = [item for item in items if _depends_on_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in needed])
        items[:] = needed


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests are there until the end: to look again and again whether they are took a fifth of a run."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _depends_on_database(item: pytest.Item) -> bool:
    """Whether another database can change the outcome; where it cannot, the run on SQLite has told all."""
    uses = DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return bool(uses) or not item.nodeid.startswith(FOLDERS_WITHOUT_DATABASE)


@pytest.fixture(scope="session")
def databases(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Makes databases of the run's kind: ``create()`` an empty one, ``create(template=url)`` a copy."""
    if pytestconfig.getoption("database") == "postgresql":
        return PostgresqlDatabases(pytestconfig.stash[SERVER])
    return SqliteDatabases(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of a database that this worker's tests share, empty at first."""
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def fresh_database_url(databases: Databases) -> Iterator[str]:
    """The URL of an empty database for this test alone."""
    url = databases.create()
    yield url
    databases.drop(url)
