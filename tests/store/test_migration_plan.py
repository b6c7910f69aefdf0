"""What `authserver migrate --plan` tells, and the rule that a revision takes nothing away from the code of before."""

import pytest

from authserver.cli.migrate import _tell
from authserver.store import migrate
from authserver.store.migration_plan import COMMIT, _judged, judge, plan

RULES_SINCE = "0020"
CONTRACTING: dict[str, str] = {}
"""Revisions that take something away, each with why no code of the release before uses it: see CONTRIBUTING.md."""
HOLDING_UP = {
    "0002": {"clients", "config_epoch", "refresh_families"},
    "0003": {"resource_tools"},
    "0004": {"resources"},
    "0006": {"grants", "consents", "resource_tools"},
    "0007": {"audit_events"},
    "0011": {"clients"},
    "0012": {"clients"},
    "0016": {"users"},
}
"""Revisions from before the rules that read a table whole while they have locked one against everybody, and which."""
POSTGRESQL = "postgresql+psycopg://nobody@/none"
STATEMENTS = {
    "CREATE TABLE t (id TEXT NOT NULL)": ("", False),
    "CREATE TABLE t (id TEXT, u TEXT, FOREIGN KEY(u) REFERENCES users (id))": (
        "users is locked against writers",
        False,
    ),
    "CREATE INDEX i ON grants (id)": ("grants is read whole, locked against writers", False),
    "CREATE UNIQUE INDEX i ON grants (id)": ("grants is read whole, locked against writers", False),
    "CREATE INDEX CONCURRENTLY i ON grants (id)": ("", False),
    "CREATE UNIQUE INDEX CONCURRENTLY i ON grants (id)": ("", False),
    "DROP INDEX CONCURRENTLY IF EXISTS i": ("", False),
    "DROP INDEX i": ("the table of i is locked against everybody", False),
    "ALTER TABLE grants ADD COLUMN a TEXT": ("grants is locked against everybody", False),
    "ALTER TABLE grants ADD COLUMN a TEXT DEFAULT '' NOT NULL": ("grants is locked against everybody", False),
    "ALTER TABLE grants ADD COLUMN a TEXT NOT NULL": ("grants is locked against everybody", True),
    "ALTER TABLE grants DROP COLUMN a": ("grants is locked against everybody", True),
    "ALTER TABLE grants RENAME COLUMN a TO b": ("grants is locked against everybody", True),
    "ALTER TABLE grants ALTER COLUMN a SET NOT NULL": ("grants is read whole or written anew", True),
    "ALTER TABLE grants ALTER COLUMN a TYPE BIGINT": ("grants is read whole or written anew", True),
    "ALTER TABLE grants ALTER COLUMN a DROP NOT NULL": ("grants is locked against everybody", False),
    "ALTER TABLE grants ADD CONSTRAINT c CHECK (a > 0) NOT VALID": ("grants is locked against everybody", False),
    "ALTER TABLE grants ADD CONSTRAINT c CHECK (a > 0)": ("grants is read whole or written anew", True),
    "DROP TABLE grants": ("grants is locked against everybody", True),
    "UPDATE grants SET a = 1": ("the rows of grants that it changes", False),
    "INSERT INTO policy_head VALUES (1)": ("", False),
    "INSERT INTO tallies SELECT name, 1 FROM audit_events": ("audit_events is read", False),
    "SELECT id FROM grants": ("grants is read", False),
    "SELECT relkind FROM pg_class": ("", False),
    "LOCK TABLE grants IN ACCESS EXCLUSIVE MODE": ("grants is locked against everybody", False),
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_is_told_by_what_it_locks_and_takes_away(statement: str):
    lock, ends = STATEMENTS[statement]
    found = judge(statement, set())
    assert found.ends is ends
    assert found.lock.startswith(lock) if lock else not found.lock


def test_nobody_waits_for_a_table_that_was_just_made():
    assert judge("CREATE INDEX i ON made (id)", {"made"}).lock == ""


def test_a_plan_tells_what_is_lacking_and_changes_nothing(fresh_database_url: str):
    url = fresh_database_url
    assert tuple(each.number for each in plan(url)) == migrate.pending(url)
    migrate.upgrade(url, "0019")
    first = plan(url)[0]
    assert first.number == "0020"
    assert first.title.startswith("Browsers that stay signed in")
    assert any(each.lock.startswith("sessions is locked") for each in first.statements)
    assert migrate.current(url) == "0019"
    migrate.upgrade(url)
    assert plan(url) == ()


def test_a_revision_that_decides_by_what_it_reads_says_so(fresh_database_url: str):
    assert {each.number for each in plan(fresh_database_url) if each.reads} >= {"0004", "0012", "0016"}


def test_no_revision_takes_away_what_the_code_of_before_uses(fresh_database_url: str):
    taking = {each.number for each in plan(fresh_database_url, after=RULES_SINCE) if not each.old_code_goes_on}
    assert taking == CONTRACTING.keys()


def test_what_is_locked_against_everybody_while_a_table_is_read_whole_is_told():
    found = {each.number: set(each.held) for each in plan(POSTGRESQL, after="0000") if each.held}
    assert found == HOLDING_UP
    assert max(found) <= RULES_SINCE


def test_who_reads_a_plan_is_told_what_waits(capsys: pytest.CaptureFixture[str]):
    _tell(plan(POSTGRESQL, after="0015")[:2])
    holding_up, harmless = capsys.readouterr().out.split("0017")
    assert "go on running\n        but whatever uses users waits" in holding_up
    assert "waits" not in harmless


def test_a_lock_is_held_until_the_commit_and_no_longer():
    lock, read = "ALTER TABLE grants ADD COLUMN a TEXT", "CREATE INDEX i ON users (id)"
    assert [each.held for each in _judged([lock, read])] == [(), ("grants",)]
    assert [each.held for each in _judged([read, lock])] == [(), ()]
    assert [each.held for each in _judged([lock, COMMIT, read])] == [(), ()]
    assert [each.held for each in _judged(["ALTER TABLE grants ALTER COLUMN a TYPE BIGINT"])] == [("grants",)]
