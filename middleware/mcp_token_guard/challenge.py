"""How a refusal is written: status, ``WWW-Authenticate`` (RFC 6750 §3, RFC 9728 §5.1), and a JSON-RPC error body."""

import json
import re
from typing import Any

from .refusals import GuardError, MethodNotAllowed, RequestMalformed, ScopeInsufficient, Unauthorized
from .replies import JSON, Reply

UNPRINTABLE = re.compile("[^ -~]")
NOT_PERMITTED = "the token does not permit this call"


class Challenges:
    """Writes refusals for one resource: *metadata_url* is where its RFC 9728 document is, *scopes* its base set."""

    def __init__(self, metadata_url: str, scopes: tuple[str, ...]) -> None:
        self._metadata_url = metadata_url
        self._scopes = scopes

    def reply(self, refusal: GuardError) -> Reply:
        """The answer to the request that was refused."""
        headers = [(b"content-type", JSON), (b"cache-control", b"no-store")]
        if challenge := self._challenge(refusal):
            headers.append((b"www-authenticate", challenge.encode("ascii")))
        if isinstance(refusal, MethodNotAllowed):
            headers.append((b"allow", ", ".join(refusal.allowed).encode("ascii")))
        if refusal.retry_after is not None:
            headers.append((b"retry-after", b"%d" % refusal.retry_after))
        return Reply(refusal.status, headers, json.dumps(self._body(refusal)).encode("ascii"))

    def _challenge(self, refusal: GuardError) -> str:
        """``Bearer …`` for what better authorization can mend, else nothing."""
        if not isinstance(refusal, Unauthorized | ScopeInsufficient) and refusal.error is None:
            return ""
        parameters = {}
        if refusal.error is not None:
            parameters = {"error": refusal.error, "error_description": _described(refusal)}
        if scopes := self._needed(refusal):
            parameters["scope"] = " ".join(scopes)
        parameters["resource_metadata"] = self._metadata_url
        return "Bearer " + ", ".join(f"{name}={quoted(value)}" for name, value in parameters.items())

    def _needed(self, refusal: GuardError) -> tuple[str, ...]:
        if isinstance(refusal, RequestMalformed):
            return ()
        return refusal.needed if isinstance(refusal, ScopeInsufficient) else self._scopes

    def _body(self, refusal: GuardError) -> dict[str, Any]:
        error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
        data: dict[str, object] = {}
        if refusal.error is not None:
            data["error"] = refusal.error
            if scopes := self._needed(refusal):
                data["scope"] = " ".join(scopes)
        data |= refusal.data or {}
        if data:
            error["data"] = data
        return {"jsonrpc": "2.0", "id": refusal.request_id, "error": error}


def _described(refusal: GuardError) -> str:
    """The words for the header: a message with data quotes the call, and clients look for parameters in any text."""
    return refusal.message if refusal.data is None else NOT_PERMITTED


def quoted(value: str) -> str:
    """*value* as a quoted-string (RFC 9110 §5.6.4) in the characters of RFC 6750 §3.

    Quotes and backslashes become apostrophes and slashes, since clients are known to look for the next quote
    without minding escapes; what is not visible ASCII becomes a question mark, so no value can end the header.
    """
    harmless = value.replace('"', "'").replace("\\", "/")
    return f'"{UNPRINTABLE.sub("?", harmless)}"'
