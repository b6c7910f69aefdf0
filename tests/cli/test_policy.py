"""Rules by command: listed, applied, explained, and held against what happened."""

import json
from pathlib import Path

import pytest

from authserver.app import create_app
from authserver.protocol.audit import Event
from authserver.services.deployment import Deployment
from authserver.store.pending_grants import Requester, Wanted
from tests.cli.conftest import Run

EVENT = Event("approval.asked", "system")
RULES = """\
rules:
  - name: nobody deletes from outside
    effect: deny
    who: ["user:ada"]
    tools: [delete_*]
    unless: {from: [10.0.0.0/8]}
    says: Come into the office.
  - name: contractors read
    effect: deny
    who: ["group:contractors"]
    risks: [write, destructive]
"""
CATALOGUE = """\
resources:
  - url: https://notes.example/mcp
    name: Notes
    scopes:
      - {name: "notes:read", description: See notes, default: true}
      - {name: "notes:delete", description: Delete notes, risk: destructive}
    tools:
      - {name: list_notes, scopes: ["notes:read"]}
      - {name: delete_note, scopes: ["notes:delete"], risk: destructive}
clients:
  - {id: night-job, name: Night job, redirect_uris: ["https://night.example/cb"]}
"""


@pytest.fixture
def there(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    (tmp_path / "rules.yaml").write_text(RULES)
    assert run("user", "add", "ada").exit_code == 0
    made = run("apply", str(tmp_path / "catalogue.yaml"))
    assert made.exit_code == 0, made.output
    return run


@pytest.fixture
def rules(there: Run, tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def asked(run: Run, *more: str) -> dict[str, object]:
    question = ("--user", "ada", "--client", "night-job", "--server", "https://notes.example/mcp")
    answer = run("policy", "explain", *question, *more, "--json")
    assert answer.exit_code == 0, answer.output
    found: dict[str, object] = json.loads(answer.output)
    return found


def test_rules_are_applied_as_one_version_and_read_back_as_they_were(there: Run, rules: Path, tmp_path: Path):
    assert there("policy", "apply", str(rules), "--dry-run").exit_code == 2
    assert "there are no rules" in there("policy", "list").output
    applied = there("policy", "apply", str(rules))
    assert applied.exit_code == 0
    assert "version 1 counts: 2 rules" in applied.output
    assert "nobody is in the group 'contractors'" in applied.output, "a name that nobody has is worth a second look"
    assert "unless from the network 10.0.0.0/8" in there("policy", "list").output
    again = tmp_path / "again.yaml"
    again.write_text(there("policy", "list", "--yaml").output)
    assert there("policy", "apply", str(again)).output.endswith("nothing to do\n")


def test_whoever_wrote_from_an_older_version_is_told(there: Run, rules: Path, tmp_path: Path):
    there("policy", "apply", str(rules))
    mine, theirs = tmp_path / "mine.yaml", tmp_path / "theirs.yaml"
    theirs.write_text("version: 1\nrules: []\n")
    mine.write_text("version: 1\nrules: [{name: closed, effect: deny}]\n")
    assert "version 2 counts" in there("policy", "apply", str(theirs)).output
    second = there("policy", "apply", str(mine))
    assert second.exit_code == 1
    assert "somebody applied version 2" in second.output
    assert "there are no rules" in there("policy", "list").output


def test_what_is_wrong_in_a_file_is_told_with_its_lines_and_nothing_is_changed(there: Run, tmp_path: Path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        "rules:\n  - name: x\n    effect: maybe\n    hours: 9 to 5\n    toool: [a]\n    from: [10.0.0.1/8]\n"
    )
    answer = there("policy", "apply", str(wrong))
    assert answer.exit_code == 1
    for line, words in ((3, "effect: one of"), (4, "no time of day"), (5, "no such condition"), (6, "address range")):
        assert any(f"line {line}:" in told and words in told for told in answer.output.splitlines()), answer.output


@pytest.mark.parametrize(
    "text", ["", "[]", "rules: 5", "rules: [5]", "rules: [{name: [1], effect: [2]}]", "a: &a [*a]"]
)
def test_no_file_ends_in_anything_but_words(there: Run, tmp_path: Path, text: str):
    odd = tmp_path / "odd.yaml"
    odd.write_text(text)
    answer = there("policy", "apply", str(odd))
    assert answer.exit_code == 1
    assert isinstance(answer.exception, SystemExit)


def test_an_explanation_names_the_rule_that_decides_and_why_the_others_do_not(there: Run, rules: Path):
    there("policy", "apply", str(rules))
    outside = asked(there, "--tool", "delete_note", "--from", "192.0.2.7")
    assert outside["effect"] == "deny"
    assert outside["answer"] == "denied, by the rule 'nobody deletes from outside'"
    inside = asked(there, "--tool", "delete_note", "--from", "10.1.2.3")
    assert inside["effect"] == "allow"
    assert inside["considered"] == [
        {"rule": "nobody deletes from outside", "fits": False, "why": "what stands under unless holds"},
        {"rule": "contractors read", "fits": False, "why": "who: person, role:member, user:ada"},
    ]
    there("user", "join", "ada", "contractors")
    assert json.loads(there("user", "show", "ada", "--json").output)["groups"] == ["contractors"]
    assert asked(there, "--tool", "delete_note", "--from", "10.1.2.3")["effect"] == "deny"
    there("user", "leave", "ada", "contractors")
    assert asked(there, "--tool", "list_notes")["effect"] == "allow"


def test_a_question_about_nobody_is_answered_in_words(there: Run):
    for wrong in (("--user", "bob"), ("--client", "nope"), ("--server", "https://other.example"), ("--scope", "x")):
        question = {"--user": "ada", "--client": "night-job", "--server": "https://notes.example/mcp"}
        question |= {wrong[0]: wrong[1]}
        answer = there("policy", "explain", *(word for pair in question.items() for word in pair))
        assert answer.exit_code == 1
        assert answer.output.startswith("Error: ")


def test_a_replay_of_nothing_says_so(there: Run, rules: Path):
    answer = there("policy", "replay", str(rules))
    assert answer.exit_code == 0
    assert "0 of 0 would be decided otherwise" in answer.output


def test_what_waits_is_decided_by_command(there: Run):
    deployment: Deployment = create_app().extensions["authserver"]
    try:
        ada = deployment.stores.users.by_name("ada")
        assert ada
        job = deployment.stores.clients.find("night-job")
        assert job
        by = Requester(ada.id, job.client_id, job.identity, "https://notes.example/mcp")
        deployment.stores.pending_grants.ask(Wanted(by, ("tool:delete_note",), "a rule"), 600, EVENT)
    finally:
        deployment.stores.database.close()
    (waits,) = [json.loads(text) for text in there("approval", "list", "--kind", "grant", "--json").output.splitlines()]
    assert waits["name"] == "ada"
    assert waits["shows"] == [
        "tool:delete_note",
        "at https://notes.example/mcp",
        "by the rule a rule",
        "by an app that sends people to night.example",
        "it is proven to be what it says it is",
    ]
    assert there("approval", "approve", waits["id"]).exit_code == 0
    assert there("approval", "approve", waits["id"]).exit_code == 1
    approved = there("policy", "requests", "--state", "approved", "--json")
    (line,) = [json.loads(text) for text in approved.output.splitlines()]
    assert (line["user"], line["asked"], line["rule"]) == ("ada", ["tool:delete_note"], "a rule")
    assert "taken back" in there("policy", "withdraw", line["id"]).output
    assert there("policy", "withdraw", line["id"]).output == "nothing to do\n"
    assert there("policy", "withdraw", "nothing").exit_code == 1
