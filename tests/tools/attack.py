"""What several tests of attacks do."""

import json
import re
from typing import Any

from tests.tools.conftest import Docs, claims_of

HOSTED = "https://app.example/cb"
DELETING = "docs:read docs:delete"


def hosted(docs: Docs) -> None:
    docs.flow.register(
        {
            "client_name": "Hosted",
            "redirect_uris": [HOSTED],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
    )


def redeemed(docs: Docs, answer: Any) -> dict[str, Any]:
    docs.flow.answer(answer)
    return claims_of(docs.flow.token(redirect_uri=HOSTED).json)


def ways(claims: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [detail for detail in claims["authorization_details"] if name in detail["tools"]]


def asked(docs: Docs, *tools: str, **changes: object) -> str:
    found = {"type": "mcp_tool", "locations": [docs.resource.identifier], "tools": list(tools), **changes}
    return json.dumps([found])


def refreshed(docs: Docs) -> dict[str, Any]:
    return claims_of(docs.flow.refresh().json)


def plain_text(page: Any) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page.text).split())
