"""How callers are refused: without a token of this API, or with one that does not open what they call (RFC 6750 §3)."""

from typing import Any

from ...protocol import own_api
from ...protocol.role import Permission
from ..backchannel.response import REALM
from .openapi import metadata_url
from .operation import Call
from .problem import Problem

NO_TOKEN = "this takes an access token that a client has for itself, for this API"  # noqa: S105 - words


def need(call: Call[Any, Any], permission: Permission) -> None:
    """Raise `Problem` unless the token of *call* opens *permission* too."""
    if permission not in call.caller.permissions:
        raise refused(call.deployment.settings.issuer, 403, "insufficient_scope", permission)


def refused(issuer: str, status: int, error: str | None, permission: Permission | None = None) -> Problem:
    """What is told, with a challenge (RFC 6750 §3, RFC 9728 §5.1)."""
    wanted = own_api.scope_of(permission) if permission else None
    fields = {"resource_metadata": metadata_url(issuer), "error": error, "scope": wanted}
    said = ", ".join(f'{name}="{value}"' for name, value in fields.items() if value)
    detail = f"this takes the scope {wanted}: an owner allows it by 'authserver client allow'" if wanted else NO_TOKEN
    return Problem(status, detail, headers=[("WWW-Authenticate", f'Bearer realm="{REALM}", {said}')])
