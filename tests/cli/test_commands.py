"""The command line: what an operator types by mistake is told in words and changes nothing."""

import json
from dataclasses import replace

import pytest

from authserver.keys.sealing import OneRoot, Vault
from authserver.keys.wrapping import FILE_NAME, generated

from .conftest import typed

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


@pytest.mark.requirement("TK-12")
def test_the_key_encryption_key_is_replaced_and_the_former_opens_nothing_any_more(run, tmp_path, monkeypatch):
    former, new = f"file:{tmp_path / 'home' / FILE_NAME}", generated()
    monkeypatch.setenv("AUTHSERVER_KEY_ENCRYPTION_KEY", new)
    refused = run("serve")
    assert refused.exit_code == 1
    assert "previous_key_encryption_keys" in refused.output
    assert new not in refused.output
    monkeypatch.setenv("AUTHSERVER_PREVIOUS_KEY_ENCRYPTION_KEYS", json.dumps([former]))
    assert "wrapped 1 root secret with" in run("keys", "reencrypt").output
    monkeypatch.delenv("AUTHSERVER_PREVIOUS_KEY_ENCRYPTION_KEYS")
    assert run("keys", "rotate").exit_code == 0
    monkeypatch.setenv("AUTHSERVER_KEY_ENCRYPTION_KEY", former)
    assert "is wrapped with another key-encryption key" in run("keys", "rotate").output


@pytest.mark.requirement("TK-12")
def test_after_a_leak_of_everything_all_is_sealed_anew(run):
    told = run("keys", "reencrypt", "--new-root").output
    assert "root secret 2 seals and derives from now on" in told
    assert "sealed 8 secrets anew" in told
    assert "wrapped 2 root secrets" in told
    assert run("keys", "rotate", "--emergency").exit_code == 0


@pytest.mark.requirement("TK-12")
def test_what_a_node_seals_before_it_knows_of_the_new_root_secret_is_sealed_anew_too(site, monkeypatch):
    found = site.deployment
    unaware = replace(found.rotation, vault=Vault(OneRoot(found.roots()[0])))
    monkeypatch.setattr("authserver.cli.keys.time.sleep", lambda _: unaware.rotate())
    assert typed("keys", "reencrypt", "--new-root").exit_code == 0
    assert all(found.vault.is_newest(key.sealed_private, key.kid) for key in found.stores.keys.all())
