"""SQL that hides a write is refused, by the words as by the parser; what is let through, a real SQLite calls a read."""

import sqlite3
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_token_guard.limits import sql, sql_words
from mcp_token_guard.limits.rule import MOST_TEXT, ReadOnlySql, permits

pytestmark = pytest.mark.requirement("EX-7")

POSTGRES = ReadOnlySql("postgres")
SQLITE = ReadOnlySql("sqlite")

READS = (
    "SELECT 1",
    "select * from notes;",
    "SELECT title, count(*) AS n FROM notes x WHERE owner = 'it''s' AND NOT done GROUP BY title HAVING count(*) > 1",
    "SELECT * FROM notes JOIN tags USING (id) LEFT JOIN people AS p ON p.id = owner ORDER BY 1 DESC LIMIT 3 OFFSET 1",
    "WITH mine AS (SELECT * FROM notes WHERE owner = 'delete from notes') SELECT * FROM mine",
    "(SELECT id FROM notes) UNION ALL (SELECT id FROM tags)",
    "SELECT id FROM notes EXCEPT SELECT id FROM tags",
    "SELECT CASE WHEN id IN (1, 2) THEN 'a' ELSE upper(title) END, coalesce(title, '') FROM \"notes\"",
    "SELECT sum(id) OVER (PARTITION BY owner ORDER BY id) FROM notes WHERE id BETWEEN 1 AND 2e3",
    "SELECT CAST(id AS NUMERIC(10, 2)) FROM notes WHERE EXISTS (SELECT 1 FROM tags) AND title LIKE '%insert into%'",
    "SELECT max(id) FILTER (WHERE done) FROM notes",
)
OF_POSTGRES = (
    "SELECT id::text, data->>'a', now() - interval '1 day', date '2026-01-01' FROM notes WHERE title ~ '^a'",
    "SELECT DISTINCT ON (owner) owner, array_agg(id ORDER BY id) FROM notes WHERE id = ANY (SELECT 1) GROUP BY owner",
    "SELECT * FROM notes, LATERAL (SELECT 1) AS x FETCH FIRST 2 ROWS ONLY",
)
WRITES = (
    # plain, and behind something
    "DELETE FROM notes",
    "INSERT INTO notes VALUES (1)",
    "UPDATE notes SET id = 1",
    "MERGE INTO notes USING tags ON true WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM notes RETURNING *) SELECT * FROM gone",
    "WITH x AS (SELECT 1) DELETE FROM notes",
    "WITH x AS (INSERT INTO notes VALUES (1) RETURNING id) SELECT id FROM x",
    "WITH a AS (WITH b AS (UPDATE notes SET id = 1 RETURNING *) SELECT * FROM b) SELECT * FROM a",
    "SELECT * INTO copy FROM notes",
    "SELECT * INTO TEMP copy FROM notes",
    "SELECT * INTO OUTFILE '/tmp/x' FROM notes",
    "CREATE TABLE x AS SELECT 1",
    "EXPLAIN ANALYZE DELETE FROM notes",
    "EXPLAIN SELECT 1",
    "PREPARE x AS DELETE FROM notes",
    "EXECUTE x",
    "DO $$ BEGIN DELETE FROM notes; END $$",
    "CALL wipe()",
    "COPY notes TO PROGRAM 'sh'",
    "COPY (SELECT 1) TO '/tmp/x'",
    "REPLACE INTO notes VALUES (1)",
    "PRAGMA journal_mode = DELETE",
    "ATTACH DATABASE '/tmp/x' AS x",
    "VACUUM INTO '/tmp/x'",
    "SET ROLE admin",
    "TABLE notes",
    "VALUES (1)",
    "LOCK TABLE notes",
    "BEGIN",
    "",
    ";",
    "-- nothing",
    # locks
    "SELECT * FROM notes FOR UPDATE",
    "SELECT * FROM notes FOR NO KEY UPDATE SKIP LOCKED",
    "SELECT * FROM notes FOR SHARE",
    # several statements
    "SELECT 1; DELETE FROM notes",
    "SELECT 1;;",
    "SELECT 1; SELECT 2",
    "SELECT ';'; COMMIT",
    "SELECT 'a\\'; DELETE FROM notes; --'",
    # functions that write, wait, or reach outside
    "SELECT pg_sleep(60)",
    "SELECT pg_catalog.pg_sleep(60)",
    'SELECT "pg_sleep"(60)',
    "SELECT pg_sleep (60)",
    "SELECT pg_sleep\n(60)",
    "SELECT PG_SLEEP(60)",
    "SELECT lo_import('/etc/passwd')",
    "SELECT * FROM dblink('host=x', 'DELETE FROM notes') AS t(a int)",
    "SELECT query_to_xml('DELETE FROM notes', true, true, '')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT set_config('role', 'admin', false)",
    "SELECT nextval('seq')",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_advisory_lock(1)",
    "SELECT load_extension('/tmp/x')",
    "SELECT writefile('/tmp/x', 'a')",
    "SELECT edit('a')",
    "SELECT readfile('/etc/passwd')",
    "SELECT * FROM generate_series(1, 1000000000)",
    "SELECT randomblob(1000000000)",
    "SELECT repeat('a', 1000000000)",
    "SELECT evil.count(1)",
    "SELECT evil . count(1)",
    'SELECT evil."count"(1)',
    "SELECT * FROM evil.upper('a')",
    "SELECT * FROM ROWS FROM (pg_sleep(1))",
    "SELECT count(pg_sleep(1))",
    "SELECT 1 WHERE (SELECT lo_unlink(1)) IS NULL",
    "SELECT xmlparse(document 'x')",
    "SELECT * FROM json_table('[]', '$' COLUMNS (a int))",
    # without end
    "WITH RECURSIVE t AS (SELECT 1 UNION ALL SELECT * FROM t) SELECT * FROM t",
    # comments, and words split by them
    "SELECT 1 -- a comment",
    "SELECT 1 /* a comment */",
    "DEL/**/ETE FROM notes",
    "SELECT pg_sleep/**/(1)",
    "SELECT 1 /*! INTO OUTFILE '/tmp/x' */",
    "SELECT /*+ a hint */ 1",
    "SELECT 1 # a comment",
    "SELECT /* /* nested */ pg_sleep(1) */ 1",
    "SELECT 1 --\nINTO x",
    # strings that dialects read in their own way
    "SELECT E'a\\' || pg_sleep(1) || '",
    "SELECT E'a'",
    "SELECT U&'a'",
    "SELECT x'41'",
    "SELECT $$a$$",
    "SELECT $a$ ' $a$",
    "SELECT `a` FROM notes",
    "SELECT [a] FROM notes",
    "SELECT 'a",
    'SELECT "a',
    "SELECT 1''",
    # parameters, psql, invisible things and look-alikes
    "SELECT ?1",
    "SELECT $1",
    "SELECT @a",
    "SELECT 1 \\g /tmp/x",
    "SELECT\u00a01",
    "SELECT 1\u0000",
    "ＳＥＬＥＣＴ 1",
    "ſelect 1",
    "SELECT ｐg_sleep(1)",
    "SELECT 1\u037e DELETE FROM notes",
    "SELECT 1abc",
    "SELECT 0x41",
    # not SQL
    "SELECT FROM WHERE",
    "SELECT (1",
    "SELECT 1)",
    "SELECT * FROM",
)


@pytest.mark.parametrize("query", READS)
@pytest.mark.parametrize("limit", [POSTGRES, SQLITE])
def test_a_query_that_reads_is_let_through(limit, query) -> None:
    assert sql.only_reads(limit, query)


@pytest.mark.parametrize("query", OF_POSTGRES)
def test_a_query_that_reads_is_let_through_in_its_dialect(query) -> None:
    assert sql.only_reads(POSTGRES, query)


@pytest.mark.parametrize("query", WRITES)
@pytest.mark.parametrize("limit", [POSTGRES, SQLITE])
def test_what_is_not_plainly_a_read_is_refused(limit, query) -> None:
    assert not sql.only_reads(limit, query)


@pytest.mark.parametrize("query", [query for query in WRITES if any(word in query for word in ("DELETE", "sleep"))])
def test_the_words_alone_refuse_a_write(query) -> None:
    with pytest.raises(sql_words.Doubtful):
        sql_words.check(query, sql_words.HARMLESS)


@pytest.mark.parametrize(
    "query",
    [
        "WITH gone AS (DELETE FROM notes RETURNING *) SELECT * FROM gone",
        "SELECT * INTO copy FROM notes",
        "SELECT * FROM notes FOR UPDATE",
        "EXPLAIN ANALYZE DELETE FROM notes",
        "SELECT 1; DELETE FROM notes",
        "CREATE TABLE x AS SELECT 1",
        "COPY (SELECT 1) TO '/tmp/x'",
        "CALL wipe()",
    ],
)
def test_the_parser_alone_refuses_a_write(monkeypatch, query) -> None:
    monkeypatch.setattr(sql_words, "check", lambda *_: None)
    assert not sql.only_reads(POSTGRES, query)


def test_the_allowed_functions_can_be_fewer_and_never_more() -> None:
    none, two = (ReadOnlySql("sqlite", frozenset(names)) for names in ((), ("count", "pg_sleep", "load_extension")))
    assert sql.only_reads(none, "SELECT title FROM notes WHERE id IN (1)")
    assert not sql.only_reads(none, "SELECT count(*) FROM notes")
    assert sql.only_reads(two, "SELECT count(*) FROM notes")
    for call in ("sum(id)", "pg_sleep(1)", "load_extension('x')"):
        assert not sql.only_reads(two, f"SELECT {call}")


def test_without_a_parser_all_sql_is_refused(monkeypatch, caplog) -> None:
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    sql._parser.cache_clear()
    try:
        assert not sql.only_reads(SQLITE, "SELECT 1")
        assert "mcp-token-guard[sql]" in caplog.text
    finally:
        sql._parser.cache_clear()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT " + "(" * 4900 + "1" + ")" * 4900,
        "SELECT " + "(SELECT " * 1200 + "1",
        "SELECT " + "NOT " * 2400 + "1",
        "SELECT " + "- " * 4900 + "1",
        "SELECT " + "CASE WHEN 1 THEN " * 550 + "1",
        "SELECT 1" + " + 1" * 2400,
        "SELECT " + "count(" * 1500,
        "SELECT * FROM t " + "JOIN t " * 1400,
        "SELECT '" + "'" * 9000,
        "SELECT 1" * 1200,
        "SELECT 1 " + "UNION SELECT 1 " * 650,
    ],
)
def test_a_monstrous_query_is_judged_in_bounded_time(query) -> None:
    assert len(query) <= MOST_TEXT
    started = time.process_time()
    permits(SQLITE, query, sql.only_reads)
    assert time.process_time() - started < 2


def test_a_callers_query_is_not_written_into_the_log(caplog) -> None:
    assert not sql.only_reads(POSTGRES, "WITH x AS (SELECT 'a secret') SET SELECT * FROM x")
    assert caplog.text == ""


def test_a_query_over_the_bound_is_not_looked_at() -> None:
    assert not permits(SQLITE, "SELECT 1" + " " * MOST_TEXT, sql.only_reads)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """A real database, which tells of everything that is done in it but reading."""
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE notes (id, title, owner, done, data); CREATE TABLE tags (id);")
    reading = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION)
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in reading else sqlite3.SQLITE_DENY)
    yield connection
    connection.close()


PIECES = """SELECT FROM WHERE notes tags id title * , ( ) 1 'a' count( upper( = IN WITH x AS UNION DELETE INSERT INTO
    VALUES UPDATE SET DROP TABLE PRAGMA ATTACH ; -- /* */ LIMIT ORDER BY RETURNING REPLACE CREATE EXPLAIN " ' `"""


@given(st.lists(st.sampled_from(PIECES.split()), max_size=14), st.booleans())
def test_what_is_let_through_a_real_database_calls_a_read(database, pieces, spaced) -> None:
    query = "SELECT " + (" " if spaced else "").join(pieces)
    if sql.only_reads(SQLITE, query):
        try:
            database.execute(query)
        except sqlite3.Error as error:
            assert "not authorized" not in str(error), query
