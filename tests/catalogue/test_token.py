"""The token that the authorization server makes for itself, to list the tools of an MCP server."""

import jwt
import pytest

from authserver.protocol.resource import Resource
from authserver.protocol.scope import Scope
from tests.web.backchannel.test_revocation import introspect, resource_server

from .server import mcp_server, result

SCOPES = (Scope("a:read", "Read", is_default=True), Scope("a:write", "Write"))


@pytest.mark.requirement("RS-5")
def test_it_is_for_that_server_for_a_minute_to_list_tools_and_is_nothing_here(site):
    with mcp_server(lambda message, headers: result(message, {"tools": []})) as (url, asked):
        guard = resource_server(site, url)
        site.deployment.inquiry.tools_of(Resource(url, "A", SCOPES))
    token = asked[0][2]["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["sub"], claims["client_id"]) == (url, "system:catalogue", "system:catalogue")
    assert claims["scope"] == "a:read"
    assert claims["exp"] - claims["iat"] == 60
    assert claims["mcp_methods"] == ["initialize", "notifications/initialized", "tools/list"]
    assert introspect(site, token, guard).json == {"active": False}
