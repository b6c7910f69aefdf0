"""A mixed load at a steady rate: tokens, refreshes, codes, introspection, revocation, pages, receipts of tool calls."""

import json
import random
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType

from . import material
from .approvals import SCOPES
from .contestant import BenchError, Code, Credentials
from .http import FORM
from .ours import Ours

CLIENTS = 64
CHAINS = 64  # refresh families in turn, at the beginning
AGE_SECONDS = 120.0  # after which a family is left to its end, or revoked
OLD = 64
BATCH, CODE_SECONDS = 50, 90  # codes made at once; of 60 calls a second all are used within 20 seconds
WEIGHTS = {"token": 4, "refresh": 8, "code": 1, "introspection": 4, "revocation": 1, "page": 1, "receipts": 1}
THREADS = 4


@dataclass(slots=True)
class Chain:
    """A refresh token and the one whose access token is asked about, with the form that goes with it."""

    refresh: str
    access: str
    client_id: str
    born: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Mixed:
    """The load on *ours* and what is in its hands; calls are noted as (name, seconds taken)."""

    ours: Ours
    resource: str
    rate: float
    calls: list[tuple[str, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _codes: deque[Code] = field(default_factory=deque)
    _chains: deque[Chain] = field(default_factory=deque)
    _old: deque[Chain] = field(default_factory=lambda: deque(maxlen=OLD))
    _client_ids: list[str] = field(default_factory=list)
    _machine: Credentials = field(default_factory=lambda: Credentials("", ""))
    _making: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self) -> None:
        """Register clients, and begin the families."""
        self._client_ids = material.register(self.ours, CLIENTS)
        self._machine = machine(self.ours, self.resource)
        connection = _connection(self.ours.origin)
        while len(self._chains) < CHAINS:
            self._code(connection)
        connection.close()

    def start(self, stop: threading.Event) -> list[threading.Thread]:
        """Send until *stop* is set."""
        threads = [threading.Thread(target=self._run, args=(stop,), daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        return threads

    def taken(self) -> list[tuple[str, float]]:
        """The calls since the last time. Raises `BenchError` if any failed."""
        if self.failures:
            raise BenchError(f"{len(self.failures)} calls failed, the first: {self.failures[0]}")
        taken, self.calls = self.calls, []
        return taken

    def _run(self, stop: threading.Event) -> None:
        verbs = {
            "token": self._token,
            "refresh": self._refresh,
            "code": self._code,
            "introspection": self._introspection,
            "revocation": self._revocation,
            "page": self._page,
            "receipts": self._receipts,
        }
        names, weights = list(WEIGHTS), list(WEIGHTS.values())
        connection, due = _connection(self.ours.origin), time.monotonic()
        while not stop.is_set():
            due += THREADS / self.rate
            time.sleep(max(0.0, due - time.monotonic()))
            (name,) = random.choices(names, weights)  # noqa: S311
            self._call(name, verbs[name], connection)
        connection.close()

    def _call(self, name: str, verb: Callable[[HTTPConnection], None], connection: HTTPConnection) -> None:
        began = time.monotonic()
        try:
            verb(connection)
        except (OSError, BenchError) as failed:
            self.failures.append(f"{name}: {failed!r}")
            connection.close()
        else:
            self.calls.append((name, time.monotonic() - began))

    def _token(self, connection: HTTPConnection) -> None:
        form = {"grant_type": GrantType.CLIENT_CREDENTIALS, "resource": self.resource}
        _post(connection, "/token", form, self._machine)

    def _refresh(self, connection: HTTPConnection) -> None:
        chain = self._chains.popleft()
        while time.monotonic() - chain.born > AGE_SECONDS and self._chains:
            self._old.append(chain)
            chain = self._chains.popleft()
        form = {"grant_type": GrantType.REFRESH_TOKEN, "refresh_token": chain.refresh, "client_id": chain.client_id}
        told = _post(connection, "/token", {**form, "resource": self.resource})
        chain.refresh, chain.access = told["refresh_token"], told["access_token"]
        self._chains.append(chain)

    def _code(self, connection: HTTPConnection) -> None:
        with self._making:
            if not self._codes:
                self._codes.extend(self.ours.approvals.codes(BATCH, self._client_ids, CODE_SECONDS))
            code = self._codes.popleft()
        told = json.loads(_sent(connection, "POST", "/token", material.redemption(code), {"Content-Type": FORM}))
        self._chains.append(Chain(told["refresh_token"], told["access_token"], code.client_id))

    def _introspection(self, connection: HTTPConnection) -> None:
        if not _post(connection, "/introspect", {"token": self._chains[-1].access}, self.ours.introspector())["active"]:
            raise BenchError("a token that was just issued is not active")

    def _revocation(self, connection: HTTPConnection) -> None:
        if self._old:
            chain = self._old.popleft()
            form = urlencode({"token": chain.refresh, "client_id": chain.client_id})
            _sent(connection, "POST", "/revoke", form, {"Content-Type": FORM})

    def _page(self, connection: HTTPConnection) -> None:
        _sent(connection, "GET", "/sign-in", "", {})

    def _receipts(self, connection: HTTPConnection) -> None:
        receipt: dict[str, Any] = {
            "id": credential.identifier(),
            "time": datetime.now(UTC).isoformat(),
            "subject": "somebody",
            "client": self._client_ids[0],
            "family": None,
            "tool": "list_notes",
            "arguments": {},
            "outcome": "ok",
            "status": 200,
            "duration_ms": 2.5,
            "correlation_id": "c0ffee",
            "trace_id": None,
            "span_id": None,
        }
        _post(connection, "/tool-receipts", {"receipts": json.dumps([receipt])}, self.ours.introspector())


def machine(ours: Ours, resource: str) -> Credentials:
    """Register a client that gets tokens of its own for *resource*."""
    made = Credentials(credential.identifier(), credential.mint(credential.Prefix.CLIENT_SECRET))
    client = Client(
        client_id=made.client_id,
        kind=ClientKind.PREREGISTERED,
        name="bench",
        redirect_uris=(),
        auth_method=AuthMethod.SECRET_BASIC,
        grant_types=(GrantType.CLIENT_CREDENTIALS,),
        created_at=int(time.time()),
        secret_digest=credential.digest(made.client_secret),
        ceilings={resource: SCOPES},
    )
    ours.stores.clients.preregister(client, Event("bench.prepared", "system"))
    return made


def basic(of: Credentials) -> str:
    """The Authorization header of a client with a secret."""
    return "Basic " + b64encode(f"{of.client_id}:{of.client_secret}".encode()).decode()


def _connection(origin: str) -> HTTPConnection:
    return HTTPConnection(urlsplit(origin).netloc, timeout=60)


def _post(connection: HTTPConnection, path: str, form: dict[str, str], of: Credentials | None = None) -> Any:  # noqa: ANN401 - JSON
    headers = {"Content-Type": FORM, **({"Authorization": basic(of)} if of else {})}
    return json.loads(_sent(connection, "POST", path, urlencode(form), headers))


def _sent(connection: HTTPConnection, method: str, path: str, body: str, headers: dict[str, str]) -> bytes:
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise BenchError(f"{method} {path} was answered by {response.status}: {answer[:300]!r}")
    return answer
