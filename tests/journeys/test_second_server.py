"""A second MCP server, added while everything runs."""

import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx2
import pytest

from .conftest import ClientOf
from .person import Person
from .ports import free_port
from .stage import ROOT, Stage


@pytest.fixture
def second_server(running: Stage) -> Iterator[str]:
    """Another notes server, which the authorization server does not know yet."""
    port = free_port()
    resource = f"http://127.0.0.1:{port}/mcp"
    environment = {**running.environment, "MCP_PORT": str(port), "NOTES_RESOURCE": resource}
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.notes"], cwd=ROOT, env={**environment, "NOTES_ISSUER": running.issuer}
    )
    yield resource
    process.terminate()
    process.wait(20)


@pytest.mark.requirement("AZ-4", "DI-4")
def test_a_server_that_is_added_is_live_at_once(
    running: Stage, second_server: str, client_of: ClientOf, person: Person
) -> None:
    assert second_server not in running.metadata()["protected_resources"]
    refused = httpx2.get(f"{running.issuer}/authorize?{urlencode(request_for(running, second_server))}")
    assert "error=invalid_target" in refused.headers["location"]
    running.authserver(
        "resource", "add", second_server, "--name", "Second server",
        "--scope", "notes:read=Read", "--scope", "notes:write=Write", "--default", "notes:read",
    )  # fmt: skip
    accepted = [
        httpx2.get(f"{running.issuer}/authorize?{urlencode(request_for(running, second_server))}") for _ in range(8)
    ]  # enough for both workers to be met
    assert {answer.headers["location"].partition("?")[0] for answer in accepted} == {"/sign-in"}
    client = client_of("typescript", url=second_server)
    client.do("connect", decide=person.allow)
    client.do("call", tool="list_notes", arguments={})
    assert client.tokens["scope"] == "notes:read"


def request_for(stage: Stage, resource: str) -> dict[str, str]:
    """An authorization request of a freshly registered client."""
    uri = "http://127.0.0.1/callback"
    body = {"redirect_uris": [uri], "token_endpoint_auth_method": "none"}
    registered = httpx2.post(f"{stage.issuer}/register", json=body).json()
    return {
        "response_type": "code",
        "client_id": registered["client_id"],
        "redirect_uri": uri,
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
        "resource": resource,
    }
