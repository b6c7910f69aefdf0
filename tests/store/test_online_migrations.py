"""Migrations while others use the database: they wait for nobody too long, and hold nobody up."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from authserver.store import migrate
from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.migration_patience import MigrationBlocked, Patience
from authserver.store.own_schema import OwnSchema
from authserver.store.schema_version import newest

BEFORE, LAST = "0019", "0020"
# Revisions that make indexes of tables that can be large, each with the tables that it changes.
INDEXING = {"0015": ("users", "sessions"), "0019": ("grants", "sessions"), "0022": ("grants", "users", "letters")}
BUILT = text(
    "SELECT pid FROM pg_stat_progress_create_index WHERE datname = current_database()"
    " AND phase = 'waiting for old snapshots'"
)
SHORT = Patience(lock=0.1, statement=60, tries=2, pause=0.01)


@pytest.fixture
def url(fresh_database_url: str) -> str:
    """An empty database of PostgreSQL: these are its locks."""
    if fresh_database_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer, and no lock of a table to wait for")
    return fresh_database_url


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(create(url))
    yield database
    database.close()


@contextmanager
def held(database: Database, table: str = "sessions", level: str = "READ COMMITTED") -> Iterator[Connection]:
    """A transaction of that *level* that reads *table*, and is left open."""
    connection = database.engine.execution_options(isolation_level=level).connect()
    connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()  # noqa: S608
    yield connection
    connection.close()


@contextmanager
def building(database: Database, url: str, revision: str) -> Iterator[tuple[Future[tuple[str, ...]], int]]:
    """*revision* under way, at an index whose table it has read; the process of the server that makes it."""
    # One that looks at no table of ours and keeps its view: what is made CONCURRENTLY waits for it.
    with ThreadPoolExecutor(1) as pool, held(database, "pg_class", "REPEATABLE READ"):
        migrating = pool.submit(migrate.upgrade, url, revision)
        found = None
        while found is None:
            assert not migrating.done(), "no index was made beside others"
            with database.reading() as connection:
                found = connection.scalar(BUILT)
        yield migrating, found


@pytest.mark.parametrize("revision", INDEXING)
def test_while_an_index_of_a_large_table_is_made_everybody_reads_and_writes(url: str, revision: str):
    migrate.upgrade(url, f"{int(revision) - 1:04}")
    with opened(url) as database, building(database, url, revision) as (migrating, pid):
        with database.transaction() as connection:
            strong = "SELECT count(*) FROM pg_locks WHERE pid = :pid AND mode = 'AccessExclusiveLock'"
            assert connection.scalar(text(strong), {"pid": pid}) == 0
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))
            for table in INDEXING[revision]:
                connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
                connection.execute(text(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))
        assert not migrating.done()
    assert migrating.result() == (revision,)


@pytest.mark.parametrize("revision", INDEXING)
def test_a_revision_that_was_broken_off_at_its_index_can_be_run_again(url: str, revision: str):
    migrate.upgrade(url, f"{int(revision) - 1:04}")
    with opened(url) as database:
        with building(database, url, revision) as (migrating, pid):
            with database.reading() as connection:
                connection.execute(text("SELECT pg_cancel_backend(:pid)"), {"pid": pid})
            with pytest.raises(MigrationBlocked):
                migrating.result()
        assert migrate.current(url) < revision
        assert migrate.upgrade(url, revision) == (revision,)
        with database.reading() as connection:
            assert connection.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")) == 0
            hung = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'grants'::regclass AND contype = 'f'"
            assert connection.scalar(text(hung)) == (3 if revision > "0018" else 2)
    migrate.upgrade(url)


def test_a_migration_that_gets_no_lock_gives_up_with_nothing_applied_and_says_who_is_in_the_way(url: str):
    migrate.upgrade(url, BEFORE)
    with opened(url) as database, held(database) as holder:
        pid = holder.connection.dbapi_connection.info.backend_pid
        with pytest.raises(MigrationBlocked, match=f"{LAST}.*sessions.*process {pid} .*idle in transaction"):
            migrate.upgrade(url, patience=SHORT)
    assert migrate.current(url) == BEFORE


def test_it_is_tried_again_and_then_has_its_lock(url: str):
    migrate.upgrade(url, BEFORE)
    said, wanted = [], migrate.pending(url)
    with opened(url) as database, held(database) as holder:

        def tell(words: str) -> None:
            said.append(words)
            holder.rollback()

        assert migrate.upgrade(url, patience=SHORT, tell=tell) == wanted
    assert len(said) == 1


def test_a_statement_that_runs_too_long_is_undone_and_not_tried_again(url: str):
    migrate.upgrade(url, BEFORE)
    endless = Patience(lock=60, statement=0.1, tries=1000)
    waiting_in_vain = pytest.raises(MigrationBlocked, match="migration_statement_timeout")
    with opened(url) as database, held(database), waiting_in_vain:
        migrate.upgrade(url, patience=endless)
    assert migrate.current(url) == BEFORE


def test_who_waits_for_another_migrator_says_so(url: str):
    waiting = threading.Event()
    with opened(url) as database:
        with database.transaction() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": migrate.LOCK})
            node = threading.Thread(target=migrate.upgrade, args=(url,), kwargs={"tell": lambda words: waiting.set()})
            node.start()
            assert waiting.wait(60)
            assert migrate.current(url) is None
        node.join()
    assert migrate.pending(url) == ()


def test_an_index_that_a_broken_attempt_left_is_made_anew(url: str):
    migrate.upgrade(url, "0012")
    with opened(url) as database:
        with database.transaction() as connection:
            connection.execute(text("CREATE INDEX ix_grants_live_resource ON grants (client_id)"))
            connection.execute(
                text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_grants_live_resource'::regclass")
            )
        migrate.upgrade(url)
        with database.reading() as connection:
            made = connection.scalar(text("SELECT pg_get_indexdef('ix_grants_live_resource'::regclass)"))
            valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_grants_live_resource'::regclass"
            assert connection.scalar(text(valid)) is True
        assert "(resource)" in made


def test_a_node_on_an_older_schema_is_not_ready_and_says_what_to_do(fresh_database_url: str):
    migrate.upgrade(fresh_database_url, BEFORE)
    with opened(fresh_database_url) as database, capture_logs() as logged:
        schema = OwnSchema(database)
        assert schema.is_there() is False
        assert "authserver migrate" in logged[0]["event"]
        assert (logged[0]["has"], logged[0]["needs"]) == (BEFORE, newest())
        migrate.upgrade(fresh_database_url)
        assert schema.is_there() is True


def test_a_node_on_a_newer_schema_goes_on_and_can_be_started_again(fresh_database_url: str):
    migrate.upgrade(fresh_database_url)
    with opened(fresh_database_url) as database:
        with database.transaction() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert OwnSchema(database).is_there() is True
    assert migrate.pending(fresh_database_url) == ()
    assert migrate.upgrade(fresh_database_url) == ()
