"""Every answer of the nodes, and the balancer in front of them through which all requests go."""

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

OAUTH = ("/token", "/revoke", "/introspect", "/register")


@dataclass(frozen=True)
class Answer:
    """What came of one request to the node at ``port``: ``status`` 0 if nothing did."""

    at: float
    path: str
    port: int
    status: int
    seconds: float
    asks_to_retry: bool = False
    said: str = ""

    @property
    def is_served(self) -> bool:
        """Whether the server did what is its own to do, or refused what was wrong."""
        return 0 < self.status < 500 and not self._is_over_a_ceiling

    @property
    def is_lost(self) -> bool:
        """Whether the connection ended without an answer, so that nobody knows whether it was done."""
        return self.status == 0

    @property
    def fault(self) -> str | None:
        """What is wrong with it, whatever was broken meanwhile."""
        if self.is_served or self.is_lost or (self.status == 503 and self.asks_to_retry):
            return None
        return f"{self.path} answered {self.status}: {self.said}"

    @property
    def _is_over_a_ceiling(self) -> bool:
        """As nobody may be. Who signs in waits while others try it with the same account: that is no ceiling."""
        return self.status == 429 and self.path != "/sign-in"


class Answers:
    """All answers so far."""

    def __init__(self) -> None:
        self._all: list[Answer] = []
        self._lock = threading.Lock()

    def note(self, answer: Answer) -> None:
        with self._lock:
            self._all.append(answer)

    def since(self, moment: float) -> list[Answer]:
        """Those that came after *moment* (monotonic), in their order."""
        with self._lock:
            return [answer for answer in self._all if answer.at >= moment]


class Balancer(httpx2.BaseTransport):
    """Shares requests out among nodes, whatever their URL says; who refuses a connection is passed over.

    A connection is for one request, as between nginx and its upstreams unless told otherwise.
    """

    def __init__(self, ports: Sequence[int], answers: Answers) -> None:
        self._ports = ports
        self._answers = answers
        self._turns = itertools.cycle(range(len(ports)))
        self._http = httpx2.HTTPTransport(verify=False, limits=httpx2.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of a node. Raises what httpx2 does when there is none."""
        began, turn = time.monotonic(), next(self._turns)
        order = [*self._ports[turn:], *self._ports[:turn]]
        for port in order:
            try:
                answer = self._asked(port, request)
            except httpx2.ConnectError as refused:
                lost: httpx2.TransportError = refused
            except httpx2.TransportError as broken:
                self._note(request, port, began, said=repr(broken))
                raise
            else:
                self._note(request, port, began, answer)
                return answer
        self._note(request, order[0], began, said=repr(lost))
        raise lost

    def close(self) -> None:
        self._http.close()

    def _asked(self, port: int, request: httpx2.Request) -> httpx2.Response:
        at = request.url.copy_with(scheme="http", host="127.0.0.1", port=port)
        forwarded = httpx2.Request(
            request.method, at, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        answer = self._http.handle_request(forwarded)
        answer.read()
        return answer

    def _note(
        self, request: httpx2.Request, port: int, began: float, answer: httpx2.Response | None = None, said: str = ""
    ) -> None:
        now, path = time.monotonic(), request.url.path
        if answer is None:
            self._answers.note(Answer(now, path, port, 0, now - began, said=said))
            return
        again = "Retry-After" in answer.headers and (path not in OAUTH or _in_oauth_form(answer))
        said = answer.text[:200] if answer.status_code == 429 or answer.status_code >= 500 else ""
        self._answers.note(Answer(now, path, port, answer.status_code, now - began, again, said))


def _in_oauth_form(answer: httpx2.Response) -> bool:
    return answer.headers.get("Content-Type", "").startswith("application/json") and "error" in answer.json()
