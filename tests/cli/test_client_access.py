"""Secrets, ceilings and guards' keys on the command line: what each does, and what is shown of it."""

import json
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from authserver.app import create_app
from authserver.keys import pair
from authserver.protocol import own_api
from authserver.services.deployment import Deployment
from authserver.settings import load
from authserver.store.models import AuditRow
from tests.conformance.signer import Signer

from .conftest import Run

SERVER = "https://notes.example/mcp"
ADD = ("resource", "add", SERVER, "--name", "Notes", "--scope", "notes:read=Read", "--scope", "notes:write=Write")


def made(answer: Any) -> dict[str, str]:
    assert answer.exit_code == 0, answer.output
    return dict(line.split(": ") for line in answer.stdout.splitlines())


@pytest.fixture
def server(run: Run) -> Iterator[Flask]:
    """The server beside the commands."""
    app = create_app(load())
    yield app
    deployment: Deployment = app.extensions["authserver"]
    deployment.stores.database.close()


@pytest.fixture
def post(server: Flask) -> Callable[..., TestResponse]:
    """Sends a form to the server, which has seen every change that a command has made."""

    def send(path: str, **form: str) -> TestResponse:
        deployment: Deployment = server.extensions["authserver"]
        deployment.stores.epoch.forget()
        return server.test_client(use_cookies=False).post(path, data=form)

    return send


@pytest.fixture
def job(run: Run) -> dict[str, str]:
    """A client with a secret that acts for itself."""
    assert run(*ADD).exit_code == 0
    return made(run("client", "add", "Job", "--id", "job", "--auth-method", "client_secret_post"))


@pytest.mark.requirement("CR-12", "TK-6")
def test_a_rotated_secret_has_an_overlap_and_the_one_before_has_none(run: Run, job, post):
    def works(secret: str) -> bool:
        form = {"client_id": "job", "client_secret": secret, "token": "x"}
        return post("/introspect", **form).status_code == 200

    first = job["client_secret"]
    second = made(run("client", "rotate-secret", "job"))["client_secret"]
    assert second.startswith("mcps_")
    assert works(first)
    assert works(second)
    third = made(run("client", "rotate-secret", "job", "--overlap", "60"))["client_secret"]
    assert [works(secret) for secret in (first, second, third)] == [False, True, True]
    last = made(run("client", "rotate-secret", "job", "--overlap", "0"))["client_secret"]
    assert [works(secret) for secret in (first, second, third, last)] == [False, False, False, True]
    for secret in (second, third, last):
        assert secret not in run("client", "show", "job").output


@pytest.mark.requirement("CR-12")
def test_only_what_there_is_can_be_rotated(run: Run, server: Flask):
    assert run("client", "add", "App", "--id", "app", "--redirect-uri", "https://app.example/cb").exit_code == 0
    for arguments, told in ((("app",), "no secret"), (("nobody",), "no client"), (("app", "--overlap", "-1"), "range")):
        refused = run("client", "rotate-secret", *arguments)
        assert refused.exit_code != 0
        assert told in refused.output
        assert "mcps_" not in refused.output


@pytest.mark.requirement("EX-1")
def test_an_administrator_says_what_a_client_may_get_for_itself(run: Run, job, post):
    def ask(**form: str) -> TestResponse:
        return post("/token", grant_type="client_credentials", **job, **form)

    assert ask().json["error"] == "invalid_scope"
    assert run("client", "allow", "job", SERVER, "notes:read", "notes:write").exit_code == 0
    assert ask().json["scope"] == "notes:read notes:write"
    assert run("client", "allow", "job", SERVER, "notes:read").exit_code == 0
    assert ask().json["scope"] == "notes:read"
    assert run("client", "allow", "job", SERVER, "--none").exit_code == 0
    assert ask().json["error"] == "invalid_scope"


@pytest.mark.requirement("EX-1")
@pytest.mark.parametrize("way", ["allow", "apply"])
def test_no_secret_from_before_lets_anybody_into_the_api(run: Run, job, post, server: Flask, tmp_path: Path, way: str):
    def works(secret: str) -> bool:
        form = {"grant_type": "client_credentials", "client_id": "job", "client_secret": secret, "resource": api}
        return post("/token", **form).status_code == 200

    api = own_api.identifier(server.extensions["authserver"].settings.issuer)
    assert run("api", "enable").exit_code == 0
    planted = made(run("client", "rotate-secret", "job"))["client_secret"]
    if way == "allow":
        told = run("client", "allow", "job", api, "admin:clients.read")
    else:
        entry = {
            "id": "job",
            "name": "Job",
            "auth_method": "client_secret_post",
            "allow": {api: ["admin:clients.read"]},
        }
        (tmp_path / "jobs.yaml").write_text(json.dumps({"clients": [entry]}))
        told = run("apply", str(tmp_path / "jobs.yaml"))
    assert told.exit_code == 0, told.output
    (secret,) = re.findall(r"mcps_\S+", told.stdout)
    assert [works(one) for one in (job["client_secret"], planted, secret)] == [False, False, True]
    assert "mcps_" not in run("client", "allow", "job", api, "admin:clients.read", "admin:grants.read").output
    assert works(secret)


@pytest.mark.requirement("EX-1")
def test_whoever_lets_a_client_with_keys_into_the_api_is_shown_them(run: Run, server: Flask, tmp_path: Path):
    api, key = own_api.identifier(server.extensions["authserver"].settings.issuer), pair.generate("ES256").public_jwk
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [key]}))
    assert run("api", "enable").exit_code == 0
    added = run("client", "add", "Job", "--id", "job", "--jwks", str(tmp_path / "keys.json"))
    assert added.exit_code == 0, added.output
    assert key["kid"] in run("client", "allow", "job", api, "admin:clients.read").stderr


@pytest.mark.requirement("EX-1")
def test_a_ceiling_is_of_what_exists_and_for_who_may_act_alone(run: Run, job):
    assert run("client", "add", "App", "--id", "app", "--redirect-uri", "https://app.example/cb").exit_code == 0
    for arguments, told in (
        (("job", SERVER), "--none"),
        (("job", SERVER, "notes:read", "--none"), "--none"),
        (("job", SERVER, "notes:fly"), "notes:fly"),
        (("job", SERVER, "admin:users"), "admin:users"),
        (("job", "https://other.example/mcp", "x"), "not registered"),
        (("nobody", SERVER, "notes:read"), "no client"),
        (("app", SERVER, "notes:read"), "gets nothing for itself"),
    ):
        refused = run("client", "allow", *arguments)
        assert refused.exit_code != 0
        assert told in refused.output
    assert "may get" not in run("client", "show", "job").output


@pytest.mark.requirement("CR-12", "EX-1")
def test_both_are_audited_without_the_secret(run: Run, job, server: Flask):
    run("client", "rotate-secret", "job", "--overlap", "60")
    run("client", "allow", "job", SERVER, "notes:read")
    deployment: Deployment = server.extensions["authserver"]
    wanted = select(AuditRow.name, AuditRow.resource, AuditRow.detail).where(AuditRow.client_id == "job")
    with deployment.stores.database.reading() as connection:
        trail = [tuple(row) for row in connection.execute(wanted.order_by(AuditRow.id))]
    assert trail[1:] == [
        ("client.secret_rotated", None, {"overlap": 60}),
        ("client.allowed", SERVER, {"scopes": ["notes:read"]}),
    ]


@pytest.mark.requirement("EX-1")
@pytest.mark.parametrize("name", ["admin:users", "admin:"])
def test_the_names_of_this_servers_own_scopes_are_not_for_others(run: Run, name: str):
    refused = run("resource", "add", SERVER, "--name", "X", "--scope", f"{name}=x")
    assert refused.exit_code != 0
    assert "admin:" in refused.output


def guard_of(file: Path) -> tuple[str, Signer]:
    key = json.loads(file.read_text())
    return key["client_id"], Signer(jwt.PyJWK(key).key, "ES256", key["kid"])


@pytest.mark.requirement("RS-11", "TK-9", "CR-12")
def test_the_guards_key_introspects_the_tokens_of_its_server(run: Run, job, post, tmp_path: Path):
    own, other = tmp_path / "own.jwk", tmp_path / "other.jwk"
    assert run("resource", "credentials", SERVER, "--guard-key", str(own)).exit_code == 0
    another = ("resource", "add", "https://b.example/mcp", "--name", "B", "--scope", "b:read=Read")
    assert run(*another, "--guard-key", str(other)).exit_code == 0
    run("client", "allow", "job", SERVER, "notes:read")
    token = post("/token", grant_type="client_credentials", resource=SERVER, **job).json["access_token"]
    for file, active in ((own, True), (other, False)):
        name, signer = guard_of(file)
        assert post("/introspect", token=token, **signer.form(name)).json["active"] is active
        assert (
            post("/token", grant_type="client_credentials", **signer.form(name)).json["error"] == "unauthorized_client"
        )
    assert post("/introspect", token=token, **guard_of(other)[1].form(guard_of(own)[0])).status_code == 401


@pytest.mark.requirement("RS-11", "TK-6")
def test_the_private_key_is_in_its_file_and_nowhere_else(run: Run, server: Flask, tmp_path: Path):
    file = tmp_path / "guard.jwk"
    answer = run(*ADD, "--guard-key", str(file))
    key = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")
    assert key["d"] not in answer.output
    deployment: Deployment = server.extensions["authserver"]
    client = deployment.stores.clients.find_fresh(key["client_id"])
    assert client is not None
    assert (client.guards, client.secret_digest) == (SERVER, None)
    assert "d" not in client.jwks["keys"][0]
    assert client.jwks["keys"][0]["x"] == key["x"]


@pytest.mark.requirement("RS-11")
def test_a_file_that_is_there_is_left_alone_and_nothing_is_half_done(run: Run, tmp_path: Path):
    there, link, missing = tmp_path / "there", tmp_path / "link", tmp_path / "no" / "folder"
    there.write_text("mine")
    link.symlink_to(tmp_path / "elsewhere")
    for file in (there, link, missing):
        assert run(*ADD, "--guard-key", str(file)).exit_code != 0
        assert run("resource", "list").output == ""
    assert there.read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()
    assert run(*ADD).exit_code == 0
    fresh = tmp_path / "fresh"
    assert "registered already" in run(*ADD, "--guard-key", str(fresh)).output
    assert not fresh.exists()
    assert run("resource", "credentials", "https://other.example/mcp", "--guard-key", str(fresh)).exit_code != 0
    assert not fresh.exists()
    assert run("client", "list").output == ""


@pytest.mark.requirement("RS-11")
def test_without_an_identity_it_is_said_how_to_make_one(run: Run):
    assert "resource credentials" in run(*ADD).output
