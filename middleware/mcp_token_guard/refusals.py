"""Why a request is refused: the one exception tree that the wire may carry.

    GuardError
    ├── Unauthorized            401
    │   ├── TokenMissing            nothing to judge: no `error` (RFC 6750 §3.1)
    │   └── TokenRefused            invalid_token
    ├── ScopeInsufficient       403 insufficient_scope
    ├── LimitExceeded           403
    ├── RequestMalformed        400 invalid_request
    │   ├── BodyMalformed           the body is no JSON-RPC
    │   └── HeaderMismatch          Mcp-* headers and body disagree
    ├── NotFound                404
    ├── MethodNotAllowed        405
    ├── BodyTooLarge            413
    ├── MediaTypeRefused        415
    └── IssuerUnavailable       503

Raised anywhere, written in `challenge` alone. The texts go to the caller: they never quote a token.
"""

from collections.abc import Mapping
from typing import ClassVar

RequestId = str | int | None

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
INVALID_PARAMS = -32602
HEADER_MISMATCH = -32020


class GuardError(Exception):
    """A request that the guard answers itself.

    ``status`` is the HTTP status, ``error`` the RFC 6750 §3.1 code or None where there is no challenge to write,
    ``code`` the JSON-RPC error code: the specification's own where it has one, else the HTTP status (a code outside
    the range that JSON-RPC reserves, as MCP asks). ``data`` goes into the JSON-RPC error, where there is more to say
    than codes; ``note`` into the receipt alone.
    """

    status: ClassVar[int]
    error: ClassVar[str | None] = None
    retry_after: int | None = None
    data: Mapping[str, object] | None = None

    def __init__(self, message: str, *, request_id: RequestId = None, note: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        self.note = note

    @property
    def code(self) -> int:
        """The ``error.code`` of the JSON-RPC body."""
        return self.status


class Unauthorized(GuardError):
    """There is no token to go by (RFC 9110 §15.5.2)."""

    status = 401


class TokenMissing(Unauthorized):
    """No bearer token was sent: the challenge carries no error code (RFC 6750 §3.1)."""


class TokenRefused(Unauthorized):
    """The token is malformed, expired, forged, or meant for someone else."""

    error = "invalid_token"


class ScopeInsufficient(GuardError):
    """The token is good, and does not open what was asked; ``needed`` is all that the operation needs.

    Where the token's details stand in the way, scopes that stand for permissions are among them (`derived`), and
    ``data`` is as in `LimitExceeded`.
    """

    status = 403
    error = "insufficient_scope"

    def __init__(
        self,
        message: str,
        needed: tuple[str, ...],
        *,
        data: Mapping[str, object] | None = None,
        request_id: RequestId = None,
        note: str = "",
    ) -> None:
        super().__init__(message, request_id=request_id, note=note)
        self.needed = needed
        self.data = data


class LimitExceeded(GuardError):
    """The token's details do not let the call through, and no scope that could be asked for would mend it.

    There is no challenge in the header: clients would ask for the same scopes again. ``data`` tells whoever called
    which limit it was, and what to ask for.
    """

    status = 403

    def __init__(
        self, message: str, data: Mapping[str, object], *, request_id: RequestId = None, note: str = ""
    ) -> None:
        super().__init__(message, request_id=request_id, note=note)
        self.data = data


class RequestMalformed(GuardError):
    """The request breaks RFC 6750 §2: more than one token, or a token where none may be."""

    status = 400
    error: ClassVar[str | None] = "invalid_request"

    @property
    def code(self) -> int:
        """JSON-RPC's Invalid Request."""
        return INVALID_REQUEST


class BodyMalformed(RequestMalformed):
    """The body is not JSON, or not what JSON-RPC allows; ``code`` says which."""

    error = None

    def __init__(self, message: str, *, code: int = INVALID_REQUEST, request_id: RequestId = None) -> None:
        super().__init__(message, request_id=request_id)
        self._code = code

    @property
    def code(self) -> int:
        """JSON-RPC's Parse error, Invalid Request or Invalid params."""
        return self._code


class HeaderMismatch(RequestMalformed):
    """``Mcp-Method`` or ``Mcp-Name`` disagree with the body, are missing or malformed (SEP-2243)."""

    error = None

    @property
    def code(self) -> int:
        """MCP's HeaderMismatch."""
        return HEADER_MISMATCH


class NotFound(GuardError):
    """A well-known document that this server does not have."""

    status = 404


class MethodNotAllowed(GuardError):
    """A method that the MCP endpoint, or a well-known document, does not know."""

    status = 405

    def __init__(self, *allowed: str) -> None:
        super().__init__(f"use {' or '.join(allowed)}")
        self.allowed = allowed


class BodyTooLarge(GuardError):
    """The body is larger than ``max_body`` bytes."""

    status = 413


class MediaTypeRefused(GuardError):
    """A body at the MCP endpoint that is not ``application/json``."""

    status = 415


class IssuerUnavailable(GuardError):
    """What the authorization server published cannot be read, or is older than the bound: fail closed."""

    status = 503
    retry_after = 5
