"""``authserver trace``."""

import json

import pytest

from authserver.app import create_app
from authserver.protocol.audit import Event, Origin
from authserver.protocol.role import Role
from authserver.protocol.trace.record import Record
from authserver.protocol.trace.step import Cause, Step

ORIGIN = Origin("192.0.2.7", "c0ffee00c0ffee00", "Editor/1\x1b[31m")


@pytest.fixture
def recorded(run):
    """The reference of an attempt of Ada's that failed, and one of somebody else's that did not."""
    found = create_app().extensions["authserver"]
    ada = found.stores.users.add("ada", "Ada", "no hash", Role.MEMBER, Event("user.added", "system"))
    failed = found.tracing.references.of_attempt("app", "challenge")
    about = {"said": "invalid_grant: no"}
    found.stores.traces.write(
        [
            (3000, Record(failed, Step.AUTHORIZATION, Cause.SIGN_IN_NEEDED, ORIGIN, client_id="app")),
            (2000, Record(failed, Step.SIGN_IN, Cause.SIGNED_IN, ORIGIN, client_id="app", user_id=ada.id)),
            (1000, Record(failed, Step.TOKEN, Cause.PKCE_MISMATCH, ORIGIN, client_id="app", about=about)),
            (0, Record("OTHER-00000", Step.TOKEN, Cause.TOKEN_ISSUED, ORIGIN, client_id="other")),
        ]
    )
    found.stores.database.close()
    return failed


def test_an_attempt_is_printed_step_by_step_with_what_helps(run, recorded):
    result = run("trace", recorded.lower().replace("-", " "))
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == f"attempt {recorded}, failed"
    assert any(line.startswith("person: ada (") for line in lines)
    assert "What helps: Start again" in result.output
    assert result.output.index("signed in") < result.output.index("code_verifier")
    assert "\x1b" not in result.output


@pytest.mark.usefixtures("recorded")
def test_an_attempt_is_found_by_the_correlation_id_of_an_answer(run):
    assert "attempt OTHER-00000" in run("trace", "c0ffee00c0ffee00").output, "the newest with it"


def test_an_attempt_as_json(run, recorded):
    found = json.loads(run("trace", recorded, "--json").output)
    assert (found["id"], found["verdict"], found["username"]) == (recorded, "failed", "ada")
    assert [step["cause"] for step in found["steps"]] == ["sign_in_needed", "signed_in", "pkce_mismatch"]
    assert found["steps"][2]["remedy"]
    assert found["steps"][2]["about"] == {"said": "invalid_grant: no"}


def test_the_list_shows_what_failed_of_whom(run, recorded):
    def listed(*options: str) -> list[str]:
        return [json.loads(line)["id"] for line in run("trace", "list", "--json", *options).output.splitlines()]

    assert listed() == [recorded]
    assert listed("--all") == ["OTHER-00000", recorded]
    assert listed("--all", "--limit", "1") == ["OTHER-00000"]
    assert listed("--client", "app") == listed("--person", "ada") == [recorded]
    assert listed("--client", "nobody") == []
    assert "code_verifier" in run("trace", "list").output
    assert run("trace", "list", "--client", "nobody").output == "there is none\n"


@pytest.mark.parametrize("typed", ["AAAAA-AAAAA", "no such thing", "\x1b[31m", "x" * 5000])
def test_an_attempt_that_is_not_there_is_said_so(run, typed):
    result = run("trace", typed)
    assert result.exit_code == 1
    assert "there is no attempt" in result.output
    assert "\x1b" not in result.output
    assert "nobody called" in run("trace", "list", "--person", "nobody").output
