"""Where an app on this device waits for its answer: a listener on loopback that remembers what it was told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

PAGE = b"<!doctype html><html lang=en><title>The app</title><h1>Back in the app</h1></html>"


@dataclass
class Landing:
    """``uri`` is the redirect URI; ``answers`` are the parameters of each request there, oldest first."""

    uri: str
    answers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def landing() -> Iterator[Landing]:
    """Listen on a free port of 127.0.0.1."""
    found = Landing("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/callback"):
                found.answers.append(dict(parse_qsl(urlsplit(self.path).query)))
            # A browser that goes on at once does not wait for the page.
            with suppress(ConnectionError):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(PAGE)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.uri = f"http://127.0.0.1:{server.server_port}/callback"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()
