"""A client as the test sees it: a process that is told what to do, and tells what it did, in lines of JSON."""

import json
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

HERE = Path(__file__).parent
PATIENCE = 90  # seconds for one answer

Decide = Callable[[str], None]
Event = dict[str, Any]


class ClientFailed(Exception):
    """The client gave up; the text is the SDK's error."""


def python(url: str, storage: Path, mode: str) -> list[str]:
    """The command of a client on the Python SDK."""
    return [sys.executable, str(HERE / "clients" / "python_client.py"), url, str(storage), mode]


def typescript(url: str, storage: Path, sdk: str) -> list[str]:
    """The command of a client on a TypeScript SDK."""
    return [shutil.which("node") or "node", str(HERE / "typescript" / "client.mjs"), sdk, url, str(storage)]


# name → how to start it for a server's URL, over a file where it keeps what it knows
KINDS: dict[str, Callable[[str, Path], list[str]]] = {
    "python": lambda url, storage: python(url, storage, "auto"),
    "python-2025-11-25": lambda url, storage: python(url, storage, "legacy"),
    "typescript": lambda url, storage: typescript(url, storage, "sdk2"),
    "typescript-sdk1": lambda url, storage: typescript(url, storage, "sdk1"),
}


@dataclass
class Client:
    """A running client. ``requests`` are all that it sent, as ``METHOD path status``, oldest first."""

    storage: Path
    process: subprocess.Popen[str]
    errors: Path
    requests: list[str] = field(default_factory=list)
    _events: queue.Queue[Event | None] = field(default_factory=queue.Queue)

    @classmethod
    def start(cls, command: list[str], storage: Path, environment: dict[str, str]) -> Self:
        """Run *command*; what it writes to standard error goes to a file beside *storage*."""
        errors = storage.with_suffix(".stderr")
        with errors.open("a") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, text=True, env=environment
            )
        client = cls(storage, process, errors)
        threading.Thread(target=client._read, args=(process.stdout,), daemon=True).start()
        return client

    def do(self, what: str, decide: Decide | None = None, **given: Any) -> Any:
        """Have it do *what* and return the result. *decide* plays the person when the client opens the browser.

        Raises `ClientFailed` with the SDK's error.
        """
        self.begin(what, **given)
        return self.outcome(decide)

    def begin(self, what: str, **given: Any) -> None:
        """Tell it to do *what*, without waiting."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": what, **given}) + "\n")
        self.process.stdin.flush()

    def outcome(self, decide: Decide | None = None) -> Any:
        """The result of what was begun; see `do`."""
        while event := self._next():
            if event["event"] == "done":
                return event["result"]
            if event["event"] == "failed":
                raise ClientFailed(event["error"])
            assert decide is not None, f"the client opened the browser: {event['url']}"
            decide(event["url"])
        raise ClientFailed(f"the client ended: {self.errors.read_text()[-2000:]}")

    def forget_requests(self) -> None:
        """Begin the list of requests anew."""
        self.requests.clear()

    @property
    def tokens(self) -> dict[str, Any]:
        """The token response that it keeps."""
        found: dict[str, Any] = json.loads(self.storage.read_text())["tokens"]
        return found

    @property
    def client_id(self) -> str:
        """The id that it registered."""
        return str(json.loads(self.storage.read_text())["client"]["client_id"])

    def close(self) -> None:
        """End it, as closing the application would."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _next(self) -> Event | None:
        while True:
            try:
                event = self._events.get(timeout=PATIENCE)
            except queue.Empty:
                raise ClientFailed(f"no answer in {PATIENCE} s: {self.errors.read_text()[-2000:]}") from None
            if event is None or event["event"] != "http":
                return event
            self.requests.append(f"{event['method']} {urlsplit(event['url']).path} {event['status']}")

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self._events.put(json.loads(line))
        self._events.put(None)
