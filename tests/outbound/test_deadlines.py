"""One deadline for everything, and no more fetches at once than agreed.

The slow ones go on for a minute, byte by byte: a limit for each read would never end them.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from ipaddress import IPv6Network
from pathlib import Path

import pytest

from authserver.outbound.addresses import ClientSupplied
from authserver.outbound.fetch import RESOLUTIONS_PER_FETCH, FetchRefused, Refusal, SafeFetch

from .authority import Authority
from .conftest import HOST, LOOPBACK, ExceptedHost, Names
from .peer import Answer, document, head, peer, says, slowly
from .tickets import flooding

pytestmark = pytest.mark.requirement("CR-8")

SECONDS = 0.4
ENOUGH = 20.0  # on a busy machine

SLOW: dict[str, Answer] = {
    "says nothing": slowly(b"", b""),
    "status line": slowly(b"HTTP/1.1 200 ", b"O"),
    "headers": slowly(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "interim answers": slowly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": slowly(head("Content-Length: 5000"), b" "),
    "body until the end": slowly(head(), b" "),
    "chunks": slowly(head("Transfer-Encoding: chunked"), b"1\r\n \r\n"),
    "trailers": slowly(head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
}


def refused_in_time(fetch: Callable[[], object]) -> Refusal:
    started = time.monotonic()
    with pytest.raises(FetchRefused) as refused:
        fetch()
    assert time.monotonic() - started < ENOUGH
    return refused.value.reason


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_slow_answers_end_at_the_deadline(excepted_host: ExceptedHost, answer: Answer):
    with excepted_host(answer, seconds=SECONDS) as host:
        assert refused_in_time(lambda: host.fetch.get(host.url)) == Refusal.TIMEOUT


@pytest.mark.parametrize("start", [b"", b"\x16\x03\x03\x40\x00"], ids=["silence", "drip"])
def test_a_slow_handshake_ends_at_the_deadline(trust: ssl.SSLContext, start: bytes):
    with peer(slowly_after_hello(start)) as plain:
        policy = ClientSupplied({(HOST, plain.port): LOOPBACK})
        fetch = SafeFetch(policy, trust=trust, seconds=SECONDS, resolver=Names(["127.0.0.1"]))
        assert refused_in_time(lambda: fetch.get(f"https://{HOST}:{plain.port}/c")) == Refusal.TIMEOUT


def slowly_after_hello(start: bytes) -> Answer:
    drip = slowly(start, b"\0" if start else b"")

    def answer(stream: socket.socket, empty: bytes) -> None:
        stream.recv(65_536)
        drip(stream, empty)

    return answer


def test_a_flood_of_session_tickets_is_cut_off(authority: Authority, trust: ssl.SSLContext, tmp_path: Path):
    context = authority.serving(HOST)
    with peer(flooding(context, tmp_path, seconds=60), context) as host:
        policy = ClientSupplied({(HOST, host.port): LOOPBACK})
        fetch = SafeFetch(policy, trust=trust, seconds=60, resolver=Names(["127.0.0.1"]))
        assert refused_in_time(lambda: fetch.get(f"https://{HOST}:{host.port}/c")) == Refusal.SIZE


def test_a_name_server_that_hangs_does_not_hold_the_caller(trust: ssl.SSLContext):
    answered = threading.Event()

    def hanging(_host: str) -> list[str]:
        answered.wait(30)
        return ["127.0.0.1"]

    fetch = SafeFetch(ClientSupplied(), trust=trust, seconds=SECONDS, resolver=hanging)
    assert refused_in_time(lambda: fetch.get("https://client.example/c")) == Refusal.TIMEOUT
    answered.set()


def test_name_servers_that_hang_hold_a_bounded_number_of_threads(trust: ssl.SSLContext):
    answered = threading.Event()

    def hanging(_host: str) -> list[str]:
        answered.wait(30)
        return []

    fetch = SafeFetch(ClientSupplied(), trust=trust, seconds=0.01, concurrent=1, resolver=hanging)
    before = threading.active_count()
    reasons = [refused_in_time(lambda: fetch.get("https://client.example/c")) for _ in range(20)]
    assert reasons == [Refusal.TIMEOUT] * RESOLUTIONS_PER_FETCH + [Refusal.BUSY] * (20 - RESOLUTIONS_PER_FETCH)
    assert threading.active_count() - before <= RESOLUTIONS_PER_FETCH
    answered.set()


def test_a_name_that_was_answered_holds_nothing(trust: ssl.SSLContext):
    fetch = SafeFetch(ClientSupplied(), trust=trust, concurrent=1, resolver=Names(["10.0.0.1"]))
    reasons = {refused_in_time(lambda: fetch.get("https://client.example/c")) for _ in range(20)}
    assert reasons == {Refusal.ADDRESS}


def test_an_address_that_swallows_connections_leaves_time_for_the_next(
    excepted_host: ExceptedHost, trust: ssl.SSLContext
):
    names = Names(["::1", "127.0.0.1"])
    with excepted_host(document(b"{}")) as host, swallowing("::1", host.peer.port):
        policy = ClientSupplied({(HOST, host.peer.port): (*LOOPBACK, IPv6Network("::1/128"))})
        fetch = SafeFetch(policy, trust=trust, seconds=5, resolver=names)
        assert fetch.get(host.url).body == b"{}"


@contextmanager
def swallowing(address: str, port: int) -> Iterator[None]:
    """A listener whose queue is full: the system answers no further connection."""
    with socket.create_server((address, port), family=socket.AF_INET6, backlog=0), ExitStack() as held:
        for _ in range(3):
            waiting = held.enter_context(socket.socket(socket.AF_INET6))
            waiting.setblocking(False)
            waiting.connect_ex((address, port))
        yield


def test_resolution_and_answer_share_one_deadline(excepted_host: ExceptedHost):
    """Nine tenths of the time go by before the name is known; half of it is what the answer would need."""
    never = threading.Event()

    def late(stream: socket.socket, empty: bytes) -> None:
        never.wait(SECONDS / 2)
        document(b"{}")(stream, empty)

    def slow(_host: str) -> list[str]:
        never.wait(SECONDS * 0.9)
        return ["127.0.0.1"]

    with excepted_host(late, seconds=SECONDS, resolver=slow) as host:
        assert refused_in_time(lambda: host.fetch.get(host.url)) == Refusal.TIMEOUT


class Gate:
    """An answer that waits until it is let through, and tells when somebody waits."""

    def __init__(self) -> None:
        self.waiting = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, stream: socket.socket, empty: bytes) -> None:
        self.waiting.release()
        self.open.wait(30)
        document(b"{}")(stream, empty)


def test_one_host_does_not_get_all_slots(excepted_host: ExceptedHost):
    gate = Gate()
    with excepted_host(gate, concurrent=3, per_host=2, seconds=30) as host, ThreadPoolExecutor(2) as crowd:
        two = [crowd.submit(host.fetch.get, host.url) for _ in range(2)]
        assert all(gate.waiting.acquire(timeout=30) for _ in two)
        assert refused_in_time(lambda: host.fetch.get(host.url)) == Refusal.BUSY
        assert refused_in_time(lambda: host.fetch.get(host.other_url)) == Refusal.TLS
        gate.open.set()
        assert [found.result().body for found in two] == [b"{}", b"{}"]
        assert host.fetch.get(host.url).body == b"{}"


def test_all_hosts_together_do_not_get_more_than_all_slots(excepted_host: ExceptedHost):
    gate = Gate()
    with excepted_host(gate, concurrent=2, per_host=2, seconds=30) as host, ThreadPoolExecutor(2) as crowd:
        two = [crowd.submit(host.fetch.get, host.url) for _ in range(2)]
        assert all(gate.waiting.acquire(timeout=30) for _ in two)
        assert refused_in_time(lambda: host.fetch.get(host.other_url)) == Refusal.BUSY
        gate.open.set()
        assert [found.result().body for found in two] == [b"{}", b"{}"]


def test_a_refused_fetch_gives_its_slot_back(excepted_host: ExceptedHost):
    with excepted_host(says(), concurrent=1, per_host=1) as host:
        reasons = {refused_in_time(lambda: host.fetch.get(host.url)) for _ in range(5)}
        assert reasons == {Refusal.CONNECTION}
