"""An MCP server whose tools are known, and a client that asks for them."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from jwt import PyJWK

from authserver.keys import pair
from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.protocol.resource import Resource
from authserver.protocol.scope import Risk, Scope
from authserver.protocol.tool import Annotations, Claim, Mark, Tool, Word
from mcp_token_guard.identity import Identity
from tests.conformance.fixtures import set_up, site, site_with, visitor
from tests.conformance.flow import Flow
from tests.conformance.site import ISSUER, Site

__all__ = ["set_up", "site", "site_with", "visitor"]

EVENT = Event("test.done", "system")
SCOPES = (
    Scope("docs:read", "See your documents", Risk.READ, is_default=True),
    Scope("docs:write", "Change your documents", Risk.WRITE),
    Scope("docs:delete", "Delete documents", Risk.DESTRUCTIVE),
)


def tool(name: str, scope: str, risk: Risk, mark: Mark = Mark.AGREED, words: str = "w") -> Tool:
    hints = Annotations(read_only=risk is Risk.READ, destructive=risk is Risk.DESTRUCTIVE)
    claim = Claim(f"The tool {name}", "What it does", hints, words, "s", (("path", "string"), ("count", "integer")))
    return Tool(name, claim.title, (scope,), claim.description, risk, Word.SERVER, mark, claim)


TOOLS = (
    tool("list_docs", "docs:read", Risk.READ),
    tool("read_doc", "docs:read", Risk.READ),
    tool("write_doc", "docs:write", Risk.WRITE),
    tool("delete_doc", "docs:delete", Risk.DESTRUCTIVE),
    tool("wipe_all", "docs:delete", Risk.DESTRUCTIVE),
)


@dataclass
class Docs:
    """A server of this test's own, and a client of it."""

    site: Site
    resource: Resource
    flow: Flow

    def url(self, **changes: str) -> str:
        """The authorization request of its client, for what reads if nothing else is said."""
        return self.flow.url(**{"scope": "docs:read", **changes})

    def change(self, **changes: Any) -> None:
        """Have the catalogue say something else."""
        self.resource = replace(self.resource, **changes)
        self.site.deployment.stores.resources.replace(self.resource, EVENT)

    def marked(self, name: str, mark: Mark, words: str = "other words") -> None:
        """Have the server describe a tool in another way, and it wait (or not)."""
        tools = [
            replace(one, mark=mark, claim=replace(one.claim, words_digest=words)) if one.name == name else one
            for one in self.resource.tools
        ]
        self.change(tools=tuple(tools))

    def guard(self) -> "Guard":
        """An identity of the server's guard."""
        key = pair.generate("ES256")
        client = Client(
            client_id=credential.identifier(),
            kind=ClientKind.RESOURCE_SERVER,
            name="guard",
            redirect_uris=(),
            auth_method=AuthMethod.PRIVATE_KEY_JWT,
            grant_types=(),
            created_at=1_780_000_000,
            jwks={"keys": [key.public_jwk]},
            metadata={"resource": self.resource.identifier},
        )
        self.site.deployment.stores.clients.register(client, EVENT)
        return Guard(self.site, {**key.private_jwk(), "client_id": client.client_id})


@dataclass
class Guard:
    """What a guard says to the server as itself."""

    site: Site
    key: dict[str, Any]

    def say(self, path: str, **form: str) -> Any:
        proof = Identity(self.key["client_id"], PyJWK(self.key)).proof(ISSUER)
        return self.site.post(path, data={**form, **proof})

    def consume(self, claims: dict[str, Any], permission: str, tool: str = "delete_doc") -> Any:
        digest = base64.urlsafe_b64encode(hashlib.sha256(b"{}").digest()).decode().rstrip("=")
        form = {"jti": claims["jti"], "permission": permission, "tool": tool, "arguments_digest": digest}
        return self.say("/tool-permission", **form)

    def challenge(self, claims: dict[str, Any], **changes: Any) -> Any:
        detail = {
            "type": "mcp_tool",
            "locations": [claims["aud"]],
            "tools": ["read_doc"],
            "limits": {"/path": {"values": ["/etc/x"]}},
        }
        return self.say("/tool-challenge", jti=claims["jti"], authorization_details=json.dumps([{**detail, **changes}]))


@pytest.fixture
def docs_on() -> Callable[[Site], Docs]:
    """Registers such a server at a site, with its client."""

    def make(at: Site) -> Docs:
        resource = Resource(f"https://docs.example/{uuid4().hex}", "Docs", SCOPES, TOOLS)
        at.deployment.stores.resources.add(resource, EVENT)
        flow = Flow(at)
        flow.values["resource"] = resource.identifier
        flow.register()
        return Docs(at, resource, flow)

    return make


@pytest.fixture
def docs(site: Site, docs_on: Callable[[Site], Docs]) -> Docs:
    return docs_on(site)


def claims_of(response: dict[str, Any]) -> dict[str, Any]:
    """What the access token of a token response says."""
    payload = response["access_token"].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def tools_of(claims: dict[str, Any]) -> set[str]:
    """The tools that a token opens."""
    return {name for detail in claims["authorization_details"] for name in detail["tools"]}
