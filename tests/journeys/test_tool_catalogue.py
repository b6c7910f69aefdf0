"""The demo's MCP server, on the official SDK behind the guard, asked for its tools by the authorization server."""

import json

import pytest

from .stage import Stage

COMMAND = ("resource", "diff")


@pytest.mark.requirement("AZ-8")
def test_the_sample_servers_tools_are_synced_with_a_token_of_the_servers_own(running: Stage):
    said = running.authserver("resource", "sync", running.resource, "--yes")
    assert "delete_note: heard" in said
    assert "administrator's word" in said
    assert "saved" in said
    found = json.loads(running.authserver("resource", "diff", running.resource, "--json"))
    assert found == {"resource": running.resource, "drift": [], "warnings": []}
