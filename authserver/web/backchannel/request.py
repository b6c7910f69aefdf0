"""A back-channel request, read once from the WSGI environment and bounded."""

import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...protocol import form
from ...protocol.audit import MOST_AGENT, Origin
from ...protocol.errors import InvalidRequest, TooLarge
from .. import seen

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
MOST_BODY = 65_536


@dataclass(frozen=True)
class Request:
    """Method, path without the issuer's base path, and access to headers and body."""

    environ: dict[str, Any]

    @property
    def method(self) -> str:
        """The HTTP method."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def path(self) -> str:
        """The path."""
        return str(self.environ.get("PATH_INFO", ""))

    @cached_property
    def origin(self) -> Origin:
        """Where it came from, with a correlation id of its own."""
        agent = str(self.environ.get("HTTP_USER_AGENT", ""))[:MOST_AGENT]
        found = seen.of(self.environ)
        # Within a trace that counts, one id leads to log, audit trail and spans.
        found.correlation_id = found.trace_id or secrets.token_hex(8)
        return Origin(str(self.environ.get("REMOTE_ADDR", "")), found.correlation_id, agent)

    def header(self, name: str) -> str | None:
        """The value of a request header, or None."""
        value = self.environ.get("HTTP_" + name.upper().replace("-", "_"))
        return str(value) if value is not None else None

    def bearer(self) -> str | None:
        """The token of the ``Authorization`` header, or None (RFC 6750 §2.1)."""
        scheme, _, token = (self.header("Authorization") or "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def form(self, most: int = MOST_BODY) -> form.Form:
        """The form of a body of at most *most* bytes. Raises `InvalidRequest` for another type (RFC 6749 §4.1.3)."""
        self._need_type(FORM_TYPE)
        parsed = form.parse(self.body(most))
        found = seen.of(self.environ)
        found.form, found.authorization = parsed, self.header("Authorization")
        return parsed

    def json(self, most: int = MOST_BODY) -> bytes:
        """The body of at most *most* bytes, declared as JSON. Raises `InvalidRequest` for another content type."""
        self._need_type(JSON_TYPE)
        return self.body(most)

    def body(self, most: int = MOST_BODY) -> bytes:
        """The body, at most *most* bytes. Raises `TooLarge`, or `InvalidRequest` for a broken length."""
        declared = self.environ.get("CONTENT_LENGTH") or ""
        if declared and not (declared.isascii() and declared.isdigit()):
            raise InvalidRequest("Content-Length must be a number")
        length = int(declared) if declared else most + 1 if self.environ.get("wsgi.input_terminated") else 0
        if declared and length > most:
            raise TooLarge(f"the body is larger than {most} bytes")
        body: bytes = self.environ["wsgi.input"].read(length)
        if len(body) > most:
            raise TooLarge(f"the body is larger than {most} bytes")
        return body

    def _need_type(self, wanted: str) -> None:
        given = (self.environ.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()
        if given != wanted:
            raise InvalidRequest(f"Content-Type must be {wanted}")
