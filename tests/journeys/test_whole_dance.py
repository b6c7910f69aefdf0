"""The main job, by unmodified clients: from the first 401 to a revoked grant."""

import json
import time
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest

from .client import KINDS, Client, ClientFailed
from .conftest import ClientOf
from .person import Person
from .stage import Stage

FIRST_STEPS = [
    "POST /mcp 401",
    "GET /.well-known/oauth-protected-resource/mcp 200",
    "GET /.well-known/oauth-authorization-server 200",
    "POST /register 201",
    "POST /token 200",
]


def in_order(steps: list[str], requests: list[str]) -> bool:
    """Whether *requests* has all *steps* in their order, with others between them."""
    remaining = iter(requests)
    return all(step in remaining for step in steps)


def introspected(stage: Stage, token: str) -> dict[str, Any]:
    """What the MCP server's guard would learn of *token*, by the key that it was given."""
    file = stage.home / f"guard-{uuid4()}.jwk"
    stage.authserver("resource", "credentials", stage.resource, "--guard-key", str(file))
    key = json.loads(file.read_text())
    now, name = int(time.time()), key["client_id"]
    claims = {"iss": name, "sub": name, "aud": stage.issuer, "jti": str(uuid4()), "iat": now, "exp": now + 60}
    proof = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims, jwt.PyJWK(key), headers={"kid": key["kid"]}),
    }
    found: dict[str, Any] = httpx2.post(f"{stage.issuer}/introspect", data={"token": token, **proof}).json()
    return found


@pytest.mark.requirement(
    "DI-1", "DI-6", "CR-1", "CR-6", "AZ-3", "AZ-4", "AZ-8", "AZ-11", "AZ-14", "TK-1", "TK-3", "TK-7", "TK-9",
    "RS-1", "RS-3", "RS-4", "RS-5", "RS-11",
)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_an_unmodified_client_does_the_whole_dance(
    kind: str, running: Stage, client_of: ClientOf, person: Person, administrator: Person
) -> None:
    client = client_of(kind)

    client.do("connect", decide=person.allow)
    assert in_order(FIRST_STEPS, client.requests), client.requests
    assert set(client.do("tools")) == {"list_notes", "read_note", "write_note", "delete_note"}
    client.do("call", tool="list_notes", arguments={})

    refresh(client)

    note = {"title": f"from {kind}", "text": "hello"}
    widen = person.step_up(new={"notes:write"}, standing={"notes:read"})
    client.forget_requests()
    assert "Kept" in client.do("call", tool="write_note", arguments=note, decide=widen)
    assert in_order(["POST /mcp 403", "POST /token 200", "POST /mcp 200"], client.requests), client.requests
    assert set(client.tokens["scope"].split()) == {"notes:read", "notes:write"}
    assert client.do("call", tool="read_note", arguments={"title": note["title"]}) == "hello"

    last = client.tokens
    assert introspected(running, last["access_token"])["active"] is True
    administrator.revoke_grant_of(client.client_id)
    assert introspected(running, last["access_token"]) == {"active": False}
    refused = httpx2.post(
        f"{running.issuer}/token",
        data={
            "grant_type": "refresh_token",
            "refresh_token": last["refresh_token"],
            "client_id": client.client_id,
        },
    )
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    client.do("expire")
    with pytest.raises(ClientFailed, match="access_denied"):
        client.do("call", tool="list_notes", arguments={}, decide=person.deny)


def refresh(client: Client) -> None:
    """Let the access token run out: the next call refreshes, and nobody is asked."""
    before = client.tokens
    client.do("expire")
    client.forget_requests()
    client.do("call", tool="list_notes", arguments={})
    assert in_order(["POST /token 200", "POST /mcp 200"], client.requests), client.requests
    assert client.tokens["refresh_token"] != before["refresh_token"]
