"""Tokens with the claim ``mcp_methods``, which open those methods and nothing else."""

import json
from typing import Any

import httpx2
import pytest

from mcp_token_guard import Guard
from mcp_token_guard.refusals import TokenRefused
from tests.middleware.issuer import Issuer
from tests.middleware.test_mcp_server import ACCEPT, ALL, INITIALIZE, notes  # noqa: F401 - the demo's server

ONLY = ["initialize", "notifications/initialized", "tools/list"]
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
CALL = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list_notes", "arguments": {}}}


def send(url: str, token: str, message: Any, method: str = "POST") -> httpx2.Response:
    headers = {**ACCEPT, "Authorization": f"Bearer {token}"}
    return httpx2.request(method, url, headers=headers, content=json.dumps(message) if message else b"", timeout=10)


@pytest.mark.requirement("RS-5")
def test_such_a_token_does_what_it_names(notes: str, issuer: Issuer) -> None:  # noqa: F811
    token = issuer.token(aud=notes, scope="notes:read", mcp_methods=ONLY)
    assert send(notes, token, INITIALIZE).status_code == 200


@pytest.mark.requirement("RS-5")
@pytest.mark.parametrize(
    ("message", "method"),
    [(CALL, "POST"), ([LIST, CALL], "POST"), ({**LIST, "method": "prompts/list"}, "POST"), (None, "GET")],
)
def test_it_does_nothing_else_whatever_its_scopes(notes: str, issuer: Issuer, message: Any, method: str) -> None:  # noqa: F811
    token = issuer.token(aud=notes, scope=ALL, mcp_methods=ONLY)
    assert send(notes, token, message, method).status_code == 401


@pytest.mark.requirement("RS-5")
def test_elsewhere_on_the_server_it_opens_nothing(notes: str, issuer: Issuer) -> None:  # noqa: F811
    token = issuer.token(aud=notes, scope=ALL, mcp_methods=ONLY)
    assert send(notes.removesuffix("/mcp") + "/other", token, LIST).status_code == 401


@pytest.mark.requirement("RS-5")
@pytest.mark.parametrize("claim", ["tools/list", {"tools/list": True}, [], 1])
def test_a_claim_of_another_form_opens_nothing(notes: str, issuer: Issuer, claim: object) -> None:  # noqa: F811
    assert send(notes, issuer.token(aud=notes, scope=ALL, mcp_methods=claim), LIST).status_code == 401


@pytest.mark.requirement("RS-5")
def test_scopes_are_needed_besides(notes: str, issuer: Issuer) -> None:  # noqa: F811
    assert send(notes, issuer.token(aud=notes, scope="", mcp_methods=ONLY), LIST).status_code == 403


@pytest.mark.requirement("RS-5")
async def test_where_nobody_sees_the_methods_it_is_no_token(notes: str, issuer: Issuer) -> None:  # noqa: F811
    guard = Guard(notes, issuer=issuer.url, scopes="notes:read")
    with pytest.raises(TokenRefused):
        await guard.verify(issuer.token(aud=notes, scope=ALL, mcp_methods=ONLY))
    assert (await guard.verify(issuer.token(aud=notes, scope=ALL))).may("notes:read")
