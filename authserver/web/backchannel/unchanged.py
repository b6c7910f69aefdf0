"""The commonest question, "has it changed?", answered where it is read (TK-10).

Every guard asks it every other second, and nearly always the answer is no. A server that knows its own connections can
give it from the bytes that came, without a thread, a parser and an environment for each. Only a request is answered
that has nothing else in it; every other goes the whole way, and gets the same headers there.
"""

import re
from email.utils import formatdate

from ...protocol.metadata import base_path
from ...services.status_lists import StatusLists
from . import status
from .response import names

MOST_BYTES = 2048
BY_ITSELF = "worker"  # how the answer was given, for metrics
REQUEST = re.compile(rb"GET (/[!-~]{1,512}) HTTP/1\.1\r\n((?:[A-Za-z-]{1,32}:[ -~]*+\r\n){2,8}+)\r\n")
UNDERSTOOD = {"host", "accept", "accept-encoding", "user-agent", "connection", "if-none-match"}
NEEDED = {"host", "if-none-match"}


class Unchanged:
    """Answers for the status lists of one deployment, from what is at hand: it waits for nothing."""

    def __init__(self, lists: StatusLists, issuer: str) -> None:
        self._lists = lists
        self._prefix = base_path(issuer) + status.PREFIX

    def answer(self, received: bytes) -> bytes | None:
        """The whole answer to *received*, the bytes of one request; None for all that is for others to answer."""
        request = REQUEST.fullmatch(received)
        if request is None or not (path := request[1].decode()).startswith(self._prefix):
            return None
        known = _known(request[2].decode())
        served = self._lists.at_hand(path.removeprefix(self._prefix)) if known else None
        if known is None or served is None or not names(known, served.etag):
            return None
        self._lists.unchanged.add(BY_ITSELF)
        found = status.unchanged(served)
        headers = [*found.headers, ("Date", formatdate(usegmt=True)), ("Connection", "keep-alive")]
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"HTTP/1.1 {found.status_line}\r\n{head}\r\n".encode()


def _known(lines: str) -> str | None:
    """What ``If-None-Match`` says, where no other header field has a say."""
    pairs = [line.split(":", 1) for line in lines.split("\r\n")[:-1]]
    fields = {name.lower(): value.strip() for name, value in pairs}
    plain = len(fields) == len(pairs) and NEEDED <= fields.keys() <= UNDERSTOOD
    return fields["if-none-match"] if plain and fields.get("connection", "keep-alive") == "keep-alive" else None
