"""The command line: what an operator types by mistake is told in words and changes nothing."""

import pytest

ISSUER = "http://localhost:9000"


@pytest.mark.requirement("AZ-4")
@pytest.mark.parametrize("uri", [ISSUER, "HTTP://LOCALHOST:9000/", "https://mcp.example/mcp?x=1", "ftp://x.example"])
def test_what_cannot_be_an_audience_is_not_registered(run, uri):
    refused = run("resource", "add", uri, "--name", "X", "--scope", "x:read=Read")
    assert refused.exit_code != 0
    assert run("resource", "list").output == ""


@pytest.mark.requirement("AZ-4")
def test_a_server_is_added_once_and_an_alias_means_one_server_only(run):
    first = ("resource", "add", "https://a.example/mcp", "--name", "A", "--scope", "a:read=Read", "--default", "a:read")
    assert run(*first).exit_code == 0
    assert "registered already" in run(*first).output
    second = ("resource", "add", "https://b.example/mcp", "--name", "B", "--scope", "b:read=Read")
    assert run(*second, "--alias", "https://a.example/mcp").exit_code != 0
    assert run(*second).exit_code == 0
    assert len(run("resource", "list", "--json").output.splitlines()) == 2


@pytest.mark.parametrize("name", ["", "   ", "esc\x1b[31m", "x" * 201])
def test_a_user_name_that_could_not_sign_in_is_refused(run, name):
    assert run("user", "add", name).exit_code != 0


@pytest.mark.requirement("TK-12")
def test_keys_are_listed_and_rotated(run):
    assert run("keys", "list").output.count("signing") == 4
    assert run("keys", "rotate").exit_code == 0
    assert "published, signs in" in run("keys", "list").output
