"""A program for itself, on the official Python SDK's own providers: MCP's extension for client credentials."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.streamable_http import streamable_http_client

from tests.conformance.signer import Signer

from .clients.python_client import FileStorage
from .stage import Stage

SECONDS = 60


def with_a_secret(stage: Stage, folder: Path) -> OAuthClientProvider:
    said = stage.authserver(
        "client", "add", "Job", "--auth-method", "client_secret_basic", "--allow", f"{stage.resource}=notes:read"
    )
    made = dict(line.split(": ") for line in said.splitlines())
    storage = FileStorage(folder / "secret.json")
    return ClientCredentialsOAuthProvider(
        stage.resource, storage, made["client_id"], made["client_secret"], issuer=stage.issuer
    )


def with_a_key(stage: Stage, folder: Path) -> OAuthClientProvider:
    signer, file = Signer.new("RS256", kid=None), folder / "jwks.json"
    file.write_text(json.dumps(signer.jwks))
    said = stage.authserver("client", "add", "Agent", "--jwks", str(file), "--allow", f"{stage.resource}=notes:read")
    name = said.split()[-1]
    pem = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    sign = SignedJWTParameters(issuer=name, subject=name, signing_key=pem).create_assertion_provider()
    storage = FileStorage(folder / "key.json")
    return PrivateKeyJWTOAuthProvider(stage.resource, storage, name, sign, issuer=stage.issuer)


async def use(url: str, provider: OAuthClientProvider) -> tuple[set[str], bool, bool]:
    """The tools that are shown, whether reading works, and whether writing is refused."""
    statuses: list[int] = []

    async def note(response: httpx2.Response) -> None:
        statuses.append(response.status_code)

    async with (
        httpx2.AsyncClient(auth=provider, timeout=SECONDS, event_hooks={"response": [note]}) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        tools = {tool.name for tool in (await client.list_tools()).tools}
        reads = not (await client.call_tool("list_notes", {})).is_error
        refused = False
        try:
            await client.call_tool("write_note", {"title": "a", "text": "b"})
        except Exception:  # noqa: BLE001 - whatever the SDK makes of a 403
            refused = True
    return tools, reads, refused and 403 in statuses


@pytest.mark.requirement("EX-1", "CR-12", "RS-3")
@pytest.mark.parametrize("made", [with_a_secret, with_a_key])
def test_a_program_connects_for_itself_and_does_what_it_was_allowed(running: Stage, tmp_path: Path, made) -> None:
    provider = made(running, tmp_path)
    with ThreadPoolExecutor(1) as thread:  # the browser of other journeys keeps an event loop in this one
        tools, reads, refused = thread.submit(asyncio.run, use(running.resource, provider)).result(SECONDS)
    assert "list_notes" in tools
    assert reads
    assert refused
