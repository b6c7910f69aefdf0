"""A host on loopback that publishes documents over TLS, as clients' makers would."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.outbound.authority import Authority
from tests.outbound.peer import document, peer, says

JSON = "application/json"


@dataclass
class Page:
    """What a path answers: change it while the server runs."""

    body: bytes
    status: str = "200 OK"
    headers: tuple[str, ...] = ()
    content_type: str = JSON


@dataclass
class Publisher:
    """Answers by path; counts what was asked. While ``held`` is set, answers wait."""

    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    going: threading.Event = field(default_factory=threading.Event)
    base: str = ""

    def __post_init__(self) -> None:
        self.going.set()

    def publish(self, path: str, content: dict[str, Any], *headers: str) -> str:
        """Publish *content* at *path*, which is returned as a URL; its own URL is filled in for ``client_id``."""
        url = self.base + path
        known = {"client_id": url, **content} if "redirect_uris" in content else content
        self.pages[path] = Page(json.dumps(known).encode(), headers=headers)
        return url

    def answer(self, path: str, stream: socket.socket, head: bytes) -> None:
        """Answer one request."""
        lines = head.decode().split("\r\n")
        self.asked.append(path)
        self.conditions += [line for line in lines if line.lower().startswith("if-none-match")]
        self.going.wait(30)
        page = self.pages.get(path)
        if page is None:
            says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")(stream, head)
            return
        document(page.body, *page.headers, status=page.status, content_type=page.content_type)(stream, head)


@dataclass
class Host:
    """What many publishers share: each has the paths below a segment of its own."""

    base: str = ""
    publishers: dict[str, Publisher] = field(default_factory=dict)

    @property
    def authority(self) -> str:
        """Host and port."""
        return self.base.removeprefix("https://")

    def publisher(self) -> Publisher:
        """A new one."""
        segment = f"/{len(self.publishers)}"
        self.publishers[segment] = Publisher(base=self.base + segment)
        return self.publishers[segment]

    def __call__(self, stream: socket.socket, head: bytes) -> None:
        """Have the right publisher answer."""
        path = head.decode().split()[1]
        segment = "/" + path.split("/")[1]
        self.publishers[segment].answer(path.removeprefix(segment), stream, head)


@contextmanager
def host(authority: Authority) -> Iterator[Host]:
    """A running host that proves to be ``localhost``."""
    found = Host()
    with peer(found, authority.serving("localhost")) as served:
        found.base = f"https://localhost:{served.port}"
        yield found
