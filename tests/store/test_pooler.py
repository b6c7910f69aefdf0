"""Through PgBouncer in transaction mode: the same outcomes, in sessions that change from hand to hand."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import psycopg
import pytest
from flask import Flask
from psycopg.rows import dict_row
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DataError

from authserver.protocol import credential
from authserver.protocol.errors import InvalidGrant
from authserver.store.bounds import Bounds
from authserver.store.database import Database, connect
from authserver.store.models import EpochRow
from tests.pooler import SESSIONS, pgbouncer

from .crowd import SIZE, Crowd
from .scene import Scene, heads
from .test_crowds import muddle, redeem, refresh, use_assertion

BOUNDS = Bounds(statement=15, lock=5, idle=30)
HELD = {"enable_seqscan": "off", "statement_timeout": "15s", "lock_timeout": "5s"}
PLAIN = {"enable_seqscan": "on", "statement_timeout": "0", "lock_timeout": "0"}
SHOWN = ", ".join(f"current_setting('{name}') AS {name}" for name in HELD)


@pytest.fixture(scope="module")
def pooled_url(url: str) -> Iterator[str]:
    if not url.startswith("postgresql"):
        pytest.skip("about a pooler of PostgreSQL's connections")
    with pgbouncer(url) as pooled:
        yield pooled


@pytest.fixture
def pooled(database: Database, pooled_url: str) -> Iterator[Database]:
    with closing(connect(Flask("pooled"), pooled_url, BOUNDS)) as through_pooler:
        yield through_pooler


def test_a_statement_is_found_prepared_in_whatever_session_it_comes_to(pooled: Database):
    def count(number: int) -> int:
        return pooled.at_once("SELECT %(number)s::int + 1 AS more, pg_sleep(0.001)::text", {"number": number}).more

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(count, range(400))) == list(range(1, 401))


def test_statements_of_pages_are_not_prepared_under_names_that_others_give_too(pooled: Database, pooled_url: str):
    with closing(connect(Flask("other"), pooled_url)) as other:
        for number in range(40):
            for database, word in ((pooled, "one"), (other, "other")):
                with database.reading() as connection:
                    assert connection.scalar(text(f"SELECT '{word}' || :n"), {"n": str(number)}) == f"{word}{number}"


@pytest.mark.parametrize("way", ["hot", "reading", "transaction"])
def test_what_is_set_holds_in_each_transaction(pooled: Database, way: str):
    if way == "hot":
        found = pooled.at_once(f"SELECT {SHOWN}", {})._asdict()
    else:
        with pooled.reading() if way == "reading" else pooled.transaction() as connection:
            found = dict(connection.execute(text(f"SELECT {SHOWN}")).mappings().one())
    assert found == HELD


def test_nothing_is_set_for_the_sessions_that_others_get(pooled: Database, pooled_url: str):
    for _ in range(SESSIONS):
        pooled.at_once("SELECT 1 AS one", {})
    with ExitStack() as stack:  # all sessions at once, each in a transaction of its own
        url = make_url(pooled_url).set(drivername="postgresql").render_as_string(hide_password=False)
        others = [stack.enter_context(psycopg.connect(url, row_factory=dict_row)) for _ in range(SESSIONS)]
        assert [other.execute(f"SELECT {SHOWN}").fetchone() for other in others] == [PLAIN] * SESSIONS


def test_each_hot_statement_is_committed_when_it_returns(pooled: Database, database: Database):
    pooled.at_once("UPDATE config_epoch SET epoch = 4711", {})
    with database.reading() as connection:
        assert connection.scalar(select(EpochRow.epoch)) == 4711


def test_after_an_error_the_next_statement_is_answered(pooled: Database):
    for _ in range(SESSIONS + 1):
        with pytest.raises(DataError):
            pooled.at_once("SELECT 1 / %(zero)s::int AS none", {"zero": 0})
        assert pooled.at_once("SELECT 1 AS one", {}).one == 1


def test_the_servers_process_is_known_as_ours_where_no_pooler_lends_it(database: Database, pooled: Database):
    for each, is_ours in ((database, True), (pooled, False)):
        with each.reading() as connection:
            assert connection.connection.driver_connection.is_direct == is_ours


@pytest.mark.requirement("AZ-7")
def test_one_of_fifty_concurrent_redemptions_wins(crowd: Crowd, pooled_url: str, scene: Scene):
    results = crowd.all_do(redeem, pooled_url, scene, scene.approve())
    assert results.count("InvalidGrant") == SIZE - 1
    [(_, token)] = [result for result in results if result != "InvalidGrant"]
    assert scene.refresh(token)


@pytest.mark.requirement("TK-3", "TK-4")
def test_fifty_presentations_of_one_refresh_token_get_its_one_successor(crowd: Crowd, pooled_url: str, scene: Scene):
    successors = set(crowd.all_do(refresh, pooled_url, scene, scene.first_token()))
    assert len(successors) == 1
    assert scene.refresh(successors.pop())


@pytest.mark.requirement("TK-3", "TK-4")
def test_whatever_fifty_present_within_the_window_the_family_has_one_head(crowd: Crowd, pooled_url: str, scene: Scene):
    known = {t for tokens in crowd.all_do(muddle, pooled_url, scene, scene.first_token()) for t in tokens}
    [head] = heads(scene.stores.database)
    [newest] = [token for token in known if credential.digest(token) == head]
    assert scene.refresh(newest)


@pytest.mark.requirement("CR-12")
def test_one_of_fifty_who_present_an_assertion_is_the_first(crowd: Crowd, pooled_url: str, scene: Scene):
    assert sorted(crowd.all_do(use_assertion, pooled_url, scene, "once")) == [False] * (SIZE - 1) + [True]


def test_a_code_is_spent_through_the_pooler_and_beside_it_alike(pooled: Database, scene: Scene):
    code = scene.approve()
    through = Scene(type(scene.stores).over(pooled), scene.user_id, scene.client)
    assert through.redeem(code)
    with pytest.raises(InvalidGrant):
        scene.redeem(code)
