"""What PostgreSQL cuts off, and what it cannot do now: the answer says when to come again, and is no fault of ours."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from authserver.store.database import Database
from authserver.store.engine import create
from authserver.store.failures import UNAVAILABLE
from tests.conformance.flow import Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor

MADE = Callable[..., Site]
COUNT_BOTH = """
WITH first AS MATERIALIZED (
    UPDATE crossed SET counted = counted + 1 WHERE id = %(one)s::int RETURNING pg_sleep(0.5)::text AS slept
), waited AS MATERIALIZED (SELECT max(slept) AS slept FROM first)
UPDATE crossed SET counted = counted + 1 FROM waited WHERE id = %(other)s::int RETURNING 'done' AS done
"""


@contextmanager
def locked(site: Site, table: str) -> Iterator[None]:
    """Another process that does not let go of *table*."""
    other = Database(create(site.deployment.settings.database_url))
    with other.transaction() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield
    other.close()


@pytest.mark.parametrize(
    "bounds",
    [{"database_lock_timeout": 1}, {"database_statement_timeout": 1, "database_lock_timeout": 60}],
    ids=["lock", "statement"],
)
def test_who_waits_too_long_is_asked_to_come_again_and_may(site_with: MADE, bounds: dict[str, int]):
    site = site_with(**bounds)
    flow, visitor = Flow(site), Visitor(site)
    flow.tokens(visitor)
    with locked(site, "refresh_tokens"):
        answer = flow.refresh()
        assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
        assert answer.headers["Retry-After"] == "1"
    assert flow.refresh().status_code == 200


@pytest.mark.parametrize("table", ["sessions", "config_epoch"])  # after which what signs cookies is asked for
def test_a_page_says_so_in_words_and_signs_nobody_out(site_with: MADE, table: str):
    site = site_with(database_lock_timeout=1)
    visitor = Visitor(site)
    visitor.open("/account/security")
    site.deployment.stores.epoch.forget()
    with locked(site, table):
        page = visitor.http.get("/account/security")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert "Not available right now" in page.text
    assert visitor.http.get("/account/security").status_code == 200


def test_a_server_that_reads_only_is_left_for_one_that_writes(site_with: MADE):
    """As after a failover: the URL names both servers, and only a new connection finds the other."""
    site = site_with()
    flow, visitor = Flow(site), Visitor(site)
    flow.tokens(visitor)
    site.deployment.stores.database.close()
    database = site.deployment.stores.database.engine.url.database
    other = Database(create(site.deployment.settings.database_url))
    with other.reading() as connection:
        connection.execute(text(f"ALTER DATABASE {database} SET default_transaction_read_only = on"))
        answer = flow.refresh()
        assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
        connection.execute(text(f"ALTER DATABASE {database} RESET default_transaction_read_only"))
    other.close()
    assert flow.refresh().status_code == 200  # over a connection that did not live yet


def rest(database: Database, watcher: Database) -> None:
    """Begin a transaction, and do nothing in it until PostgreSQL has ended it."""
    alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    with database.transaction() as resting, watcher.reading() as watching:
        process = {"pid": resting.scalar(text("SELECT pg_backend_pid()"))}
        while watching.scalar(alive, process):
            pass
        resting.execute(text("SELECT 1"))


def test_a_transaction_that_rests_too_long_is_ended_and_its_connection_replaced(site_with: MADE):
    database = site_with(database_idle_timeout=1).deployment.stores.database
    watcher = Database(create(database.engine.url.render_as_string(hide_password=False)))
    with pytest.raises(UNAVAILABLE):
        rest(database, watcher)
    watcher.close()
    with database.transaction() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_of_two_statements_that_block_each_other_the_one_that_is_undone_is_done_again(site_with: MADE):
    database = site_with().deployment.stores.database
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE crossed (id int PRIMARY KEY, counted int NOT NULL)"))
        connection.execute(text("INSERT INTO crossed VALUES (1, 0), (2, 0)"))
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.submit(count_both, database, 1, 2), threads.submit(count_both, database, 2, 1)
        assert {first.result(60), second.result(60)} == {"done"}
    with database.reading() as connection:
        assert connection.scalars(text("SELECT counted FROM crossed")).all() == [2, 2]
        assert connection.scalar(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))


def count_both(database: Database, one: int, other: int) -> str:
    """Count both rows in this order, in one statement that rests in between."""
    return str(database.at_once(COUNT_BOTH, {"one": one, "other": other}).done)
