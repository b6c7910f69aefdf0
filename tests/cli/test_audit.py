"""``authserver audit``."""

import json
import os
import re

from click.testing import Result
from sqlalchemy import text

from authserver.store.database import Database
from authserver.store.engine import create
from tests.sealing import wait_until_finished
from tests.tampering import unguarded

from .conftest import Run


def seal(run: Run) -> Result:
    database = Database(create(os.environ["AUTHSERVER_DATABASE_URL"]))
    wait_until_finished(database)
    database.close()
    return run("audit", "seal")


def tamper(statement: str) -> None:
    database = Database(create(os.environ["AUTHSERVER_DATABASE_URL"]))
    with database.transaction() as connection, unguarded(connection):
        connection.execute(text(statement))
    database.close()


def test_a_whole_trail_is_shown_to_be_whole(run: Run):
    assert run("audit", "verify").exit_code == 0
    assert re.search(r"^sealed [1-9][0-9]* events$", seal(run).output, re.MULTILINE)
    shown = run("audit", "verify")
    assert shown.exit_code == 0
    assert "the trail is whole" in shown.output
    assert "unsealed  0 events\n" in shown.output


def test_a_change_is_shown_and_the_command_fails(run: Run):
    seal(run)
    tamper("UPDATE audit_events SET actor = 'user:somebody-else' WHERE id = 1")
    shown = run("audit", "verify")
    assert shown.exit_code == 1
    assert "WRONG     seal 1        events changed or reordered: one or more of" in shown.output
    told = json.loads(run("audit", "verify", "--json").output)
    assert not told["whole"]
    assert told["findings"][0]["kind"] == "events changed or reordered"


def test_a_seal_that_was_noted_is_looked_for(run: Run):
    seal(run)
    head = json.loads(run("audit", "verify", "--json").output)["head"]
    noted = f"{head['number']}:{head['digest']}"
    assert noted in run("audit", "verify").output
    assert run("audit", "verify", "--noted", noted).exit_code == 0
    tamper("DELETE FROM audit_seals")
    assert run("audit", "verify").exit_code == 0
    assert run("audit", "verify", "--noted", noted).exit_code == 1


def test_what_is_no_noted_seal_is_refused_in_words(run: Run):
    for wrong in ("x", "0:" + "x" * 43, "1:x", "1:" + "x" * 44, "9" * 30 + ":" + "x" * 43):
        shown = run("audit", "verify", "--noted", wrong)
        assert shown.exit_code == 2
        assert "as 'verify' shows them" in shown.output


def test_there_is_nothing_to_resume_where_no_dump_was_restored(run: Run):
    seal(run)
    assert run("audit", "resume").output == "nothing to do\n"


def test_what_is_sealed_is_exported_and_nothing_else(run: Run):
    assert run("audit", "export").output == ""
    seal(run)
    lines = run("audit", "export").output.splitlines()
    assert len(lines) > 1
    assert all(json.loads(line)["actor"] == "system" for line in lines)
    run("domain", "allow", "example.com")
    assert run("audit", "export").output.splitlines() == lines


def test_an_export_is_of_one_time(run: Run):
    seal(run)
    all_of_it = run("audit", "export").output
    assert run("audit", "export", "--since", "2020-01-01", "--until", "2120-01-01T00:00:00Z").output == all_of_it
    assert run("audit", "export", "--since", "2120-01-01").output == ""
    assert run("audit", "export", "--until", "2020-01-01T00:00:00+02:00").output == ""
    assert run("audit", "export", "--until", "yesterday").exit_code == 2


def test_an_export_has_the_form_that_was_asked_for(run: Run):
    seal(run)
    events = [json.loads(line) for line in run("audit", "export", "--format", "ocsf").output.splitlines()]
    assert {event["class_uid"] for event in events} == {3004}
    head, *rows = run("audit", "export", "--format", "csv").output.splitlines()
    assert head.startswith("id,time,name,")
    assert len(rows) == len(events)


def test_the_trail_tells_who_ran_a_command_where(run: Run, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "ada")
    run("domain", "allow", "example.com")
    seal(run)
    event = json.loads(run("audit", "export").output.splitlines()[-1])
    assert event["name"] == "domain.decided"
    assert re.fullmatch(r"ada@.+", event["address"])
    assert re.fullmatch(r"cli-[0-9a-f]{16}", event["correlation_id"])
