"""A host that the operator excepted, and whose certificates the fetch trusts."""

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
LOOPBACK = (IPv4Network("127.0.0.1/32"),)


class Excepted:
    """A peer, and a `SafeFetch` whose operator excepted it as ``cimd.test`` on loopback."""

    def __init__(self, served: Peer, trust: ssl.SSLContext, **options: Any) -> None:
        self.peer = served
        self.url = f"https://{HOST}:{served.port}/client.json"
        self.policy = ClientSupplied({(HOST, served.port): LOOPBACK})
        options.setdefault("resolver", lambda _host: ["127.0.0.1"])
        self.fetch = SafeFetch(self.policy, trust=trust, **options)


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
