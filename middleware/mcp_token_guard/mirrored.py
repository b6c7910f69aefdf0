"""The headers that mirror the body (SEP-2243): what a proxy routes by must be what the server runs."""

import base64
import re
from collections.abc import Iterable

from .messages import Message, only_id
from .refusals import HeaderMismatch, RequestId
from .things import NAMED_BY

# The revision of MCP since which Mcp-Method and Mcp-Name are required.
SINCE = b"2026-07-28"
MIRRORING = (b"mcp-protocol-version", b"mcp-method", b"mcp-name")
ENCODED = re.compile(r"=\?base64\?(.*)\?=", re.DOTALL)
VISIBLE = re.compile(rb"[\x20-\x7e\t]*")

Headers = Iterable[tuple[bytes, bytes]]


def check(headers: Headers, messages: tuple[Message, ...]) -> None:
    """Compare ``Mcp-Method`` and ``Mcp-Name`` with the body.

    Both may be absent before revision 2026-07-28, which requires them of requests; where they are, they must agree.
    Raises `HeaderMismatch` (400, -32020).
    """
    request_id = only_id(messages)
    sent = _sent(headers, request_id)
    version = sent.get(b"mcp-protocol-version")
    required = version is not None and version >= SINCE
    method, name = sent.get(b"mcp-method"), sent.get(b"mcp-name")
    for message in messages:
        needed = required and message.is_request and message.method != ""
        if (method is not None or needed) and _text(method) != message.method:
            raise HeaderMismatch("Mcp-Method does not match the body's method", request_id=request_id)
        named = message.method in NAMED_BY
        if named and (name is not None or needed) and decoded(_text(name)) != message.name:
            raise HeaderMismatch(
                f"Mcp-Name does not match the body's params.{NAMED_BY[message.method]}", request_id=request_id
            )


def _sent(headers: Headers, request_id: RequestId) -> dict[bytes, bytes]:
    sent: dict[bytes, bytes] = {}
    for header, value in headers:
        if header in MIRRORING:
            if header in sent:
                raise HeaderMismatch(f"{header.decode()} was sent twice", request_id=request_id)
            sent[header] = value
    return sent


def _text(value: bytes | None) -> str | None:
    return value.decode("ascii") if value is not None and VISIBLE.fullmatch(value) else None


def decoded(value: str | None) -> str | None:
    """What a header's *value* stands for: itself, or the text inside ``=?base64?…?=``.

    None for a sentinel that does not hold canonical Base64 of UTF-8: it then matches nothing.
    """
    sentinel = ENCODED.fullmatch(value) if value is not None else None
    if sentinel is None:
        return value
    try:
        content = base64.b64decode(sentinel[1], validate=True)
        return content.decode("utf-8") if base64.b64encode(content) == sentinel[1].encode() else None
    except ValueError:
        return None
