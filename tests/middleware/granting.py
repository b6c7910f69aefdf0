"""An authorization server that answers the guard: what stands for a permission is granted as it is asked for."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.middleware.issuer import Issuer, es256, private_jwk

PERMISSION = "/tool-permission"
CHALLENGE = "/tool-challenge"


def key_file(folder: Path, **changes: object) -> Path:
    """A guard's key, in a file."""
    members = {**private_jwk(es256("guard")), "client_id": "guard", **changes}
    file = folder / "guard.jwk"
    file.write_text(json.dumps({name: value for name, value in members.items() if value is not None}))
    return file


@dataclass
class Granting:
    """What *issuer* has granted for *resource*: ``details``, ``fresh`` permissions, ``registered`` calls by scope.

    ``announced`` are the tools that the guard said it challenges for, ``:once`` for single calls; ``waiting`` are the
    scopes that nobody was asked about yet, and only those are granted.
    """

    issuer: Issuer
    resource: str
    details: list[dict[str, Any]] = field(default_factory=list)
    fresh: set[str] = field(default_factory=set)
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)
    announced: list[str] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        url = self.issuer.url
        self.issuer.metadata |= {
            "tool_permission_endpoint": url + PERMISSION,
            "tool_challenge_endpoint": url + CHALLENGE,
        }
        self.issuer.answers |= {PERMISSION: self._consume, CHALLENGE: self._register, "/token": self._grant}

    def detail(self, *tools: str, **members: Any) -> dict[str, Any]:
        return {"type": "mcp_tool", "locations": [self.resource], "tools": list(tools), **members}

    def once(self, *tools: str, **members: Any) -> dict[str, Any]:
        """A detail for one call, with a permission that is fresh."""
        permission = secrets.token_urlsafe(16)
        self.fresh.add(permission)
        return self.detail(*tools, once=permission, **members)

    def token(self, *details: dict[str, Any], **claims: Any) -> str:
        return self.issuer.token(**{"aud": self.resource, "authorization_details": list(details), **claims})

    def posted(self, path: str) -> int:
        """How often the guard asked at *path*."""
        return sum(where == path for where, _ in self.issuer.received)

    def _consume(self, form: dict[str, str]) -> dict[str, Any]:
        consumed = form["permission"] in self.fresh
        self.fresh.discard(form["permission"])
        return {"consumed": consumed}

    def _register(self, form: dict[str, str]) -> dict[str, Any]:
        [detail] = json.loads(form["authorization_details"])
        if "limits" not in detail:
            self.announced.append(detail["tools"][0] + (":once" if "once" in form else ""))
            return self._waits(f"tool:{self.announced[-1]}")
        same = (scope for scope in self.waiting if self.registered.get(scope) == detail)
        scope = next(same, f"limit:{secrets.token_urlsafe(16)}")
        self.registered[scope] = detail
        return self._waits(scope)

    def _waits(self, scope: str) -> dict[str, Any]:
        self.waiting.add(scope)
        return {"scope": scope}

    def _grant(self, form: dict[str, str]) -> dict[str, Any]:
        asked = self.issuer.codes.pop(form["code"])["scope"].split()
        scope = " ".join(name for name in asked if not name.startswith(("tool:", "limit:")))
        self.details += self.meant(asked)
        token = self.token(*self.details, scope=scope)
        return {"access_token": token, "token_type": "Bearer", "expires_in": 600, "scope": scope}

    def meant(self, scopes: Iterable[str]) -> list[dict[str, Any]]:
        """The details that those of *scopes* stand for that the guard asked for just now; it is answered with that."""
        asked = [scope for scope in scopes if scope in self.waiting]
        self.waiting.difference_update(asked)
        return [self._detail(scope) for scope in asked]

    def _detail(self, scope: str) -> dict[str, Any]:
        if scope in self.registered:
            return self.registered[scope]
        _, tool, *once = scope.split(":")
        return self.once(tool) if once else self.detail(tool)
