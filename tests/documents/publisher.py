"""A host on loopback that publishes documents over TLS, as a client's maker would."""

import json
import socket
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.outbound.peer import document, says

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

    def __call__(self, stream: socket.socket, head: bytes) -> None:
        """Answer one request."""
        lines = head.decode().split("\r\n")
        path = lines[0].split()[1]
        self.asked.append(path)
        self.conditions += [line for line in lines if line.lower().startswith("if-none-match")]
        self.going.wait(10)
        page = self.pages.get(path)
        if page is None:
            says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")(stream, head)
            return
        document(page.body, *page.headers, status=page.status, content_type=page.content_type)(stream, head)
