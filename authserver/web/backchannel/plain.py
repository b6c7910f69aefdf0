"""A plain request, read from the bytes that came, and the bytes of its answer.

Nearly all that programs send is one request in one piece, with nothing in it that two readers could understand
differently. Such a one is told from all others by one expression, at a fraction of what reading it field by field
costs; what does not fit, for whatever reason, is left to the server's own parser, as if it had not been looked at.
"""

import re
import time
from email.utils import formatdate
from functools import lru_cache
from io import BytesIO
from typing import Any

MOST_BYTES = 16_384
# Its bounds are narrower than those of the server's own parser, which so decides about what is long.
HEAD = re.compile(
    rb"(GET|POST) (/(?!/)[!$&-~]{0,4096}+) HTTP/1\.1\r\n((?:[A-Za-z0-9-]{1,64}:[ -~]{0,4096}+\r\n){1,48}+)\r\n"
)
LENGTH = re.compile(r"[0-9]{1,5}")
ELSEWHERE = {"TRANSFER-ENCODING", "EXPECT", "UPGRADE", "TRAILER", "TE", "HTTP2-SETTINGS", "PROXY-CONNECTION"}
OWN_KEYS = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}
Headers = list[tuple[str, str]]


def environ(received: bytes, address: str) -> dict[str, Any] | None:
    """The WSGI environment (PEP 3333) of the one request in *received*, from *address*; None if it is not plain."""
    head = HEAD.match(received)
    if head is None:
        return None
    fields = _fields(head[3].decode("ascii"))
    body = received[head.end() :]
    if fields is None or not _is_whole(head[1], fields, body):
        return None
    path, _, query = head[2].decode("ascii").partition("?")
    return {
        "REQUEST_METHOD": head[1].decode("ascii"),
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": address,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        **{OWN_KEYS.get(name) or "HTTP_" + name.replace("-", "_"): value for name, value in fields.items()},
    }


def answer(status: str, headers: Headers, body: bytes, *, keep: bool) -> bytes:
    """The bytes of a whole answer, after which the connection is kept or closed.

    Raises `ValueError` for a field that has a line break.
    """
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), _date(int(time.time()))]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("a header field would break its line")
    return f"{text}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n".encode("latin-1") + body


def _fields(lines: str) -> dict[str, str] | None:
    """The header fields by their names in capitals; None where one is repeated or says how to read the others."""
    pairs = [line.split(":", 1) for line in lines.split("\r\n")[:-1]]
    fields = {name.upper(): value.strip(" ") for name, value in pairs}
    plain = len(fields) == len(pairs) and "HOST" in fields and not ELSEWHERE & fields.keys()
    return fields if plain and fields.pop("CONNECTION", "keep-alive").lower() == "keep-alive" else None


def _is_whole(method: bytes, fields: dict[str, str], body: bytes) -> bool:
    """Whether *body* is what the request says that it has, to the byte."""
    declared = fields.get("CONTENT-LENGTH")
    if method == b"GET":
        return declared is None and not body
    return declared is not None and bool(LENGTH.fullmatch(declared)) and int(declared) == len(body)


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return f"Date: {formatdate(second, usegmt=True)}"
