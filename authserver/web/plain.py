"""A plain request, read from the bytes that came, and the bytes of its answer.

Nearly all that programs send is one request in one piece, with nothing in it that two readers could understand
differently. Such a one is told from all others by one expression, at a fraction of what reading it field by field
costs; what does not fit, for whatever reason, is left to the server's own parser, as if it had not been looked at.
"""

import re
import sys
import time
from email.utils import formatdate
from functools import lru_cache
from io import BytesIO
from typing import Any

# Its bounds are narrower than those of the server's own parser, which so decides about what is long.
HEAD = re.compile(
    rb"(GET|POST) (/(?!/)[!$&->@-~]{0,1024}+)(?:\?([!$-~]{0,4096}+))? HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9-]{1,64}:[ -~]{0,4096}+\r\n){1,48}+)\r\n"
)
CONTROLS = bytes([*range(9), *range(10, 32), 127])  # none stands in a field's value (RFC 9110 §5.5)
LENGTH = re.compile(r"[0-9]{1,5}")
ELSEWHERE = {"TRANSFER-ENCODING", "EXPECT", "UPGRADE", "TRAILER", "TE", "HTTP2-SETTINGS", "PROXY-CONNECTION"}
OWN_KEYS = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}
Headers = list[tuple[str, str]]


def environ(received: bytes, address: str) -> dict[str, Any] | None:
    """The WSGI environment (PEP 3333) of the one request in *received*, from *address*; None if it is not plain.

    Without what the front sets, whatever a server says, and without its own name, which nobody asks for then.
    """
    head = HEAD.match(received)
    if head is None:
        return None
    fields = _fields(head[4].decode("ascii"))
    body = received[head.end() :]
    if fields is None or not _is_whole(head[1], fields, body):
        return None
    return {
        "REQUEST_METHOD": head[1].decode("ascii"),
        "PATH_INFO": head[2].decode("ascii"),
        "QUERY_STRING": (head[3] or b"").decode("ascii"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": address,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        **{OWN_KEYS.get(name) or "HTTP_" + name.replace("-", "_"): value for name, value in fields.items()},
    }


def answer(status: str, headers: Headers, body: bytes, *, keep: bool) -> bytes:
    """The bytes of a whole answer, after which the connection is kept or closed.

    Raises `ValueError` for a field that has a line break, or what latin-1 has not.
    """
    fields = (f"{name}: {value}" for name, value in headers)
    end = f"Connection: {'keep-alive' if keep else 'close'}"
    lines = [f"HTTP/1.1 {status}", *fields, _date(int(time.time())), end, "", ""]
    head = "\r\n".join(lines).encode("latin-1")
    if len(head) - len(head.translate(None, CONTROLS)) != 2 * (len(lines) - 1):  # those between the lines
        raise ValueError("a header field has a character that would break its line")
    return head + body


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
