"""Clients on the command line: registered beforehand, looked at, stopped and removed."""

import json
import re

import pytest

CALLBACK = "https://app.example/callback"
PUBLIC_KEY = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
              "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}  # fmt: skip


def made(answer):
    assert answer.exit_code == 0, answer.output
    return dict(line.split(": ") for line in answer.output.splitlines())


@pytest.mark.requirement("CR-11")
def test_a_client_for_people_is_public_unless_told_otherwise(run):
    found = made(run("client", "add", "App", "--redirect-uri", CALLBACK))
    assert found.keys() == {"client_id"}
    shown = run("client", "show", found["client_id"]).output
    for line in ("name: App", "kind: preregistered", "authentication: none", f"redirect URIs: {CALLBACK}",
                 "grants: authorization_code refresh_token", "state: active"):  # fmt: skip
        assert line in shown.splitlines()


@pytest.mark.requirement("CR-11", "CR-12", "TK-6")
def test_a_secret_is_shown_once_and_recognisable(run):
    found = made(run("client", "add", "Job", "--id", "job", "--auth-method", "client_secret_post"))
    assert found["client_id"] == "job"
    assert re.fullmatch(r"mcps_[A-Za-z0-9_-]{43}", found["client_secret"])
    shown = run("client", "show", "job").output
    assert found["client_secret"] not in shown
    assert "grants: client_credentials" in shown


@pytest.mark.requirement("CR-11", "CR-12")
def test_a_client_with_keys_proves_itself_by_them(run, tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [PUBLIC_KEY]}))
    found = made(run("client", "add", "Agent", "--jwks", str(file), "--id", "agent"))
    assert found == {"client_id": "agent"}
    shown = run("client", "show", "agent").output
    assert "authentication: private_key_jwt" in shown
    assert "keys: 1 by value" in shown


@pytest.mark.requirement("CR-11", "EX-1")
def test_what_a_client_may_get_for_itself_exists(run):
    server = "https://notes.example/mcp"
    run("resource", "add", server, "--name", "Notes", "--scope", "notes:read=Read")
    made(run("client", "add", "Job", "--id", "job", "--allow", f"{server}=notes:read"))
    assert f"may get at {server}: notes:read" in run("client", "show", "job").output
    for wrong, told in ((f"{server}=notes:fly", "notes:fly"), ("https://other.example=x", "no MCP server"),
                        ("notes:read", "not of the form")):  # fmt: skip
        refused = run("client", "add", "Job", "--allow", wrong)
        assert refused.exit_code != 0
        assert told in refused.output


@pytest.mark.requirement("CR-6", "CR-11")
@pytest.mark.parametrize(("arguments", "told"), [
    (("--redirect-uri", CALLBACK, "--redirect-uri", "http://app.example/cb"), "redirect_uris[1]: http redirect URIs"),
    (("--redirect-uri", CALLBACK, "--redirect-uri", CALLBACK), "redirect_uris[1]: is there twice"),
    (("--redirect-uri", "javascript:alert(1)"), "redirect_uris[0]"),
    (("--grant", "authorization_code"), "redirect_uris: the grant authorization_code needs at least one"),
    (("--grant", "refresh_token", "--auth-method", "client_secret_basic"), "refresh_token goes with"),
    (("--grant", "client_credentials", "--auth-method", "none"), "auth_method: client_credentials needs"),
    (("--redirect-uri", CALLBACK, "--auth-method", "private_key_jwt"), "either jwks or jwks_uri"),
    (("--jwks-uri", "http://app.example/keys"), "jwks_uri: an https URL"),
    (("--jwks-uri", "https://user@app.example/keys"), "jwks_uri: an https URL"),
    (("--redirect-uri", CALLBACK, "--auth-method", "none", "--jwks-uri", "https://a.example/k"), "keys are for"),
    (("--redirect-uri", CALLBACK, "--id", "-x"), "id: "),
    (("--redirect-uri", CALLBACK, "--id", "https://app.example/client.json"), "id: "),
    (("--redirect-uri", CALLBACK, "--auth-method", "secret"), "client_secret_basic"),
    (("--redirect-uri", CALLBACK, "--grant", "implicit"), "client_credentials"),
    ((), "name"),
])  # fmt: skip
def test_what_is_wrong_with_a_client_is_told_and_nothing_saved(run, arguments, told):
    refused = run("client", "add", "Evil\x1b[31m" if not arguments else "App", *arguments)
    assert refused.exit_code != 0
    assert told in refused.output
    assert run("client", "list").output == ""


@pytest.mark.requirement("CR-11")
@pytest.mark.parametrize(("jwks", "told"), [
    ({"keys": []}, "has no key for"),
    ({"keys": [{**PUBLIC_KEY, "d": "secret"}]}, "public keys only"),
    ({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, "public keys only"),
    ({"keys": [PUBLIC_KEY, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}, "jwks.keys[1]: is of no use"),
    ({"keys": "x"}, "a list of keys"),
    ([], "not a JSON object"),
])  # fmt: skip
def test_keys_that_are_none_or_private_are_refused(run, tmp_path, jwks, told):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks))
    refused = run("client", "add", "Agent", "--jwks", str(file))
    assert refused.exit_code != 0
    assert told in refused.output


@pytest.mark.parametrize("content", [b"{", b"[" * 60_000, b" " * 70_000, b"\xff"])
def test_a_file_that_is_no_key_set_is_a_message(run, tmp_path, content):
    file = tmp_path / "jwks.json"
    file.write_bytes(content)
    refused = run("client", "add", "Agent", "--jwks", str(file))
    assert refused.exit_code == 2
    assert "not a JSON object" in refused.output


@pytest.mark.requirement("CR-11")
def test_an_id_is_one_clients_only_until_that_one_is_removed(run):
    add = ("client", "add", "App", "--redirect-uri", CALLBACK, "--id", "app")
    made(run(*add))
    assert "there is a client app already" in run(*add).output
    assert run("client", "remove", "app").output == "removed App\n"
    assert "there is no client 'app'" in run("client", "show", "app").output
    made(run("client", "add", "Other", *add[3:]))
    assert "name: Other" in run("client", "show", "app").output


def test_a_client_is_suspended_and_resumed(run):
    run("client", "add", "App", "--redirect-uri", CALLBACK, "--id", "app")
    assert run("client", "suspend", "app").exit_code == 0
    assert "state: suspended" in run("client", "show", "app").output
    assert run("client", "resume", "app").exit_code == 0
    assert "state: active" in run("client", "show", "app").output
    for command in ("show", "suspend", "resume", "remove"):
        assert run("client", command, "nobody").exit_code == 1
