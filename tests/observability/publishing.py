"""A host on loopback whose clients' documents are wherever one asks, but for one path; it keeps what was asked."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from tests.conformance.flow import LOOPBACK, Flow
from tests.conformance.site import Site
from tests.outbound.authority import Authority
from tests.outbound.peer import Peer, document, head, peer, says

NOWHERE = "/none"


@dataclass(frozen=True)
class Publishing:
    """The host at ``base``, which is served by ``peer``."""

    peer: Peer
    authority: Authority

    @property
    def base(self) -> str:
        return f"https://localhost:{self.peer.port}"

    @property
    def settings(self) -> dict[str, Any]:
        """Those of an operator who lets clients publish there."""
        return {
            "fetch_exceptions": [f"localhost:{self.peer.port}=127.0.0.0/8,::1/128"],
            "fetch_ca_file": str(self.authority.ca_file),
        }

    def ask(self, site: Site, path: str, **headers: str) -> TestResponse:
        """Have *site* asked for authorization by the client whose document is at *path*."""
        flow = Flow(site)
        flow.values["client_id"] = self.base + path
        return site.get(flow.url(), headers=headers)

    def heard(self, name: str) -> list[str]:
        """The values of the header field *name* that came."""
        lines = (line.partition(": ") for asked in self.peer.requests for line in asked.decode().split("\r\n"))
        return [value for found, _, value in lines if found.lower() == name]


@contextmanager
def publishing(authority: Authority) -> Iterator[Publishing]:
    """One that runs."""

    def answer(stream: socket.socket, asked: bytes) -> None:
        path = asked.split()[1].decode()
        if path == NOWHERE:
            says(head("Content-Length: 0", status="404 Not Found"))(stream, asked)
            return
        said = {"client_id": found.base + path, "client_name": "Published", "redirect_uris": [LOOPBACK]}
        document(json.dumps(said).encode())(stream, asked)

    with peer(answer, authority.serving("localhost")) as served:
        found = Publishing(served, authority)
        yield found
