"""Back-channel answers: JSON bytes with their headers, and the one place that writes errors."""

import hashlib
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from ...protocol.errors import InvalidClient, InvalidToken, OAuthError
from .request import Request

Headers = list[tuple[str, str]]
NO_STORE: Headers = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]
EXPOSED = "WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, Retry-After"
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
PUBLIC: Headers = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", EXPOSED)]
DOCUMENT_AGE = 300  # seconds that caches may keep metadata and JWKS; less than the lead of a new key
REALM = "authserver"
STATUS_LINES = {int(status): f"{int(status)} {status.phrase}" for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers and body."""

    status: int
    headers: Headers
    body: bytes = b""

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it."""
        return STATUS_LINES[self.status]


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document prepared once: its bytes and its ETag (DI-1)."""

    body: bytes
    headers: Headers = field(default_factory=list)
    etag: str = ""

    @classmethod
    def of(cls, content: dict[str, Any], *, shared_age: int = DOCUMENT_AGE) -> "Document":
        """Prepare *content*, which a cache between may keep for *shared_age* seconds."""
        body = json.dumps(content).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        caching = [("ETag", etag), ("Cache-Control", f"public, max-age={DOCUMENT_AGE}, s-maxage={shared_age}")]
        return cls(body, [*caching, *PUBLIC], etag)

    def answer(self, request: Request) -> Response:
        """The document, or 304 when the caller has it (RFC 9110 §13.1.2)."""
        if has(request, self.etag):
            return Response(304, self.headers)
        return Response(200, [("Content-Type", "application/json"), *self.headers], self.body)


def briefly(answer: Response) -> Response:
    """*answer*, which nginx is to keep to the end of this second: by ``max-age=1`` it keeps one for up to two."""
    return Response(answer.status, [*answer.headers, ("X-Accel-Expires", f"@{int(time.time())}")], answer.body)


def has(request: Request, etag: str) -> bool:
    """Whether the caller has what *etag* names (RFC 9110 §13.1.2)."""
    return names(request.header("If-None-Match") or "", etag)


def names(if_none_match: str, etag: str) -> bool:
    """Whether the field *if_none_match* names *etag*, by the weak comparison (RFC 9110 §13.1.2)."""
    known = if_none_match.replace("W/", "")
    return known == "*" or etag.removeprefix("W/") in [tag.strip() for tag in known.split(",")]


def document(content: dict[str, Any], status: int = 200, extra: Iterable[tuple[str, str]] = ()) -> Response:
    """An answer that must not be stored (OAuth 2.1 §3.2.3)."""
    headers = [("Content-Type", "application/json"), *NO_STORE, *extra]
    return Response(status, headers, json.dumps(content).encode())


def error(problem: OAuthError, correlation_id: str) -> Response:
    """The wire form of *problem* (RFC 6749 §5.2), with the challenge that its status needs (RFC 9110 §11.6.1)."""
    extra: Headers = [("X-Correlation-Id", correlation_id)]
    if isinstance(problem, InvalidToken):
        extra.append(("WWW-Authenticate", f'Bearer realm="{REALM}", error="invalid_token"'))
    elif isinstance(problem, InvalidClient):
        extra.append(("WWW-Authenticate", f'Basic realm="{REALM}", error="invalid_client"'))
    if problem.retry_after is not None:
        extra.append(("Retry-After", str(problem.retry_after)))
    return document(dict(problem.get_body()), problem.status_code, extra)


def preflight(request: Request, methods: Iterable[str]) -> Response:
    """The answer to a CORS preflight: any origin, without credentials, with the headers asked for (DI-7)."""
    asked = request.header("Access-Control-Request-Headers") or "Authorization, Content-Type, MCP-Protocol-Version"
    allowed = ", ".join(name for name in map(str.strip, asked.split(",")) if FIELD_NAME.fullmatch(name))
    return Response(
        204,
        [
            *PUBLIC,
            ("Access-Control-Allow-Methods", ", ".join(methods)),
            ("Access-Control-Allow-Headers", allowed),
            ("Access-Control-Max-Age", "86400"),
        ],
    )
