"""A host that the operator excepted, and whose certificates the fetch trusts."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from ipaddress import IPv4Network
from typing import Any

import pytest

from authserver.outbound.addresses import ClientSupplied
from authserver.outbound.fetch import SafeFetch, trusting

from .authority import Authority
from .peer import Answer, Peer, peer

HOST = "cimd.test"
OTHER_HOST = "other.test"
LOOPBACK = (IPv4Network("127.0.0.1/32"),)


class Names:
    """A name server that gives these *answers*, the last one from then on; ``asked`` are the names it was asked for."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class Excepted:
    """A peer, and a `SafeFetch` whose operator excepted it as ``cimd.test`` and ``other.test`` on loopback."""

    def __init__(self, served: Peer, trust: ssl.SSLContext, **options: Any) -> None:
        self.peer = served
        self.url = f"https://{HOST}:{served.port}/client.json"
        self.other_url = f"https://{OTHER_HOST}:{served.port}/client.json"
        self.policy = ClientSupplied({(HOST, served.port): LOOPBACK, (OTHER_HOST, served.port): LOOPBACK})
        options.setdefault("resolver", Names(["127.0.0.1"]))
        self.fetch = SafeFetch(self.policy, trust=trust, **options)


class Watch:
    """Stands at the connector: notes where a connection was asked for, and lets none be made."""

    def __init__(self) -> None:
        self.connections: list[tuple[str, int]] = []


ExceptedHost = Callable[..., AbstractContextManager[Excepted]]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def trust(authority: Authority) -> ssl.SSLContext:
    return trusting(str(authority.ca_file))


@pytest.fixture
def excepted_host(authority: Authority, trust: ssl.SSLContext) -> ExceptedHost:
    """``excepted_host(answer, certified_as=…, **options of SafeFetch)`` is a context with an `Excepted`."""

    @contextmanager
    def start(answer: Answer, certified_as: str = HOST, **options: Any) -> Iterator[Excepted]:
        with peer(answer, authority.serving(certified_as)) as served:
            yield Excepted(served, trust, **options)

    return start


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Nothing in the test can connect to anything, whatever the guard lets through."""
    found = Watch()
    for way in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, way, refusing(found))
    return found


def refusing(watch: Watch) -> Callable[[socket.socket, Any], None]:
    """What takes the place of ``connect``, for each socket."""

    def connect(_socket: socket.socket, address: Any) -> None:
        watch.connections.append(address[:2])
        raise ConnectionRefusedError

    return connect
