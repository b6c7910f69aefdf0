"""One MCP server on the command line: shown, known by further URIs, suspended, and forgotten."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from authserver.cli import main
from tests.cli.conftest import Run, typed
from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor

URL = "https://n.example/mcp"
OTHER = "https://other.example/mcp"


@pytest.fixture
def server(run: Run) -> Run:
    made = run(
        "resource", "add", URL, "--name", "Notes", "--scope", "n:read=See notes", "--default", "n:read",
        "--tool", "read=n:read Read a note",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    return run


def told(run: Run, *arguments: str) -> dict[str, Any]:
    answer = run(*arguments, "--json")
    assert answer.exit_code == 0, answer.output
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_a_server_is_shown_with_scopes_and_tools(server: Run) -> None:
    shown = server("resource", "show", URL).output
    for words in (f"identifier: {URL}", "name: Notes", "See notes", "Read a note", "SCOPE", "TOOL"):
        assert words in shown
    one = told(server, "resource", "show", URL)
    assert (one["identifier"], one["suspended"], one["token_format"]) == (URL, False, "jwt")
    assert [scope["name"] for scope in one["scopes"]] == ["n:read"]
    assert [(tool["name"], tool["risk"], tool["mark"]) for tool in one["tools"]] == [("read", "read", "agreed")]
    assert "is not registered" in server("resource", "show", OTHER).output


@pytest.mark.requirement("AZ-4")
def test_an_alias_is_added_and_dropped_and_means_one_server_only(server: Run) -> None:
    added = server("resource", "edit", URL, "--alias", "HTTPS://N.example/sse/")
    assert "also known as https://n.example/sse" in added.output
    assert server("resource", "edit", URL, "--alias", "https://n.example/sse").output == "nothing to do\n"
    assert server("resource", "add", OTHER, "--name", "O", "--scope", "o:read=See").exit_code == 0
    refused = server("resource", "edit", OTHER, "--alias", "https://n.example/sse")
    assert refused.exit_code == 1
    assert "means another server already" in refused.output
    assert server("resource", "edit", URL, "--alias", "ftp://n.example").exit_code != 0
    assert "no alias of this server" in server("resource", "edit", URL, "--drop-alias", OTHER).output
    assert server("resource", "edit", URL, "--drop-alias", "https://n.example/sse").exit_code == 0
    assert told(server, "resource", "show", URL)["aliases"] == []


def test_a_suspended_server_is_known_and_gets_no_tokens(site: Site) -> None:
    flow = Flow(site)
    flow.register()
    tokens = flow.tokens(Visitor(site, "ada"))
    assert typed("resource", "suspend", NOTES.identifier).exit_code == 0
    assert typed("resource", "suspend", NOTES.identifier).output == "nothing to do\n"
    assert "suspended" in typed("resource", "list").output
    assert told(typed, "resource", "show", NOTES.identifier)["suspended"]
    site.deployment.stores.resources.refresh()
    assert flow.refresh(refresh_token=tokens["refresh_token"]).status_code == 400
    assert typed("resource", "resume", NOTES.identifier).exit_code == 0
    site.deployment.stores.resources.refresh()
    assert flow.refresh(refresh_token=tokens["refresh_token"]).status_code == 200


def test_a_server_is_forgotten_with_all_that_was_allowed_there(site: Site) -> None:
    flow = Flow(site)
    flow.register()
    tokens = flow.tokens(Visitor(site, "ada"))
    left = CliRunner().invoke(main, ["resource", "remove", NOTES.identifier], input="n\n")
    assert left.exit_code == 1
    assert site.deployment.stores.resources.suspended() == ()
    gone = typed("resource", "remove", NOTES.identifier, "--yes")
    assert gone.output == f"revoked 1\nremoved {NOTES.identifier}\n"
    assert flow.refresh(refresh_token=tokens["refresh_token"]).status_code == 400
    again = typed("resource", "remove", NOTES.identifier, "--yes")
    assert again.exit_code == 1
    assert "is not registered" in again.output
    names = [json.loads(line)["name"] for line in typed("audit", "list", "--limit", "3", "--json").output.splitlines()]
    assert {"resource.removed", "grants.revoked"} <= set(names)


def test_a_removal_that_was_stopped_is_gone_on_with(server: Run) -> None:
    assert server("resource", "suspend", URL).exit_code == 0
    assert server("resource", "remove", URL, "--yes").output == f"revoked 0\nremoved {URL}\n"
    assert server("resource", "list").output == ""


@pytest.mark.requirement("EX-1")
def test_the_api_itself_is_no_server_to_be_removed_or_suspended(run: Run) -> None:
    assert run("api", "enable").exit_code == 0
    own = json.loads(run("resource", "list", "--json").output)["identifier"]
    for words in (("remove", own, "--yes"), ("suspend", own)):
        refused = run("resource", *words)
        assert refused.exit_code == 1
        assert "the API of administration itself" in refused.output


def test_a_server_chooses_what_its_tokens_are_signed_by_and_takes_the_usual_again(server: Run) -> None:
    assert told(server, "resource", "show", URL)["signing_algorithm"] is None
    assert server("resource", "edit", URL, "--signing-algorithm", "RS256").exit_code == 0
    assert told(server, "resource", "show", URL)["signing_algorithm"] == "RS256"
    assert "signing_algorithm: RS256" in server("export").output
    assert server("resource", "edit", URL, "--signing-algorithm", "usual").exit_code == 0
    assert told(server, "resource", "show", URL)["signing_algorithm"] is None
    assert server("resource", "edit", URL, "--signing-algorithm", "HS256").exit_code != 0
