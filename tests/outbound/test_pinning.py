"""A name is resolved once, and the connection goes to what was judged: directly, or by the proxy of the operator."""

import socket
import ssl
import threading
from contextlib import suppress
from ipaddress import IPv6Network, ip_network

import pytest

from authserver.outbound.addresses import ClientSupplied, Entered
from authserver.outbound.deadline import Deadline
from authserver.outbound.fetch import FetchRefused, Refusal, SafeFetch
from authserver.outbound.probe import Probe
from authserver.outbound.resolution import Resolution

from .conftest import HOST, LOOPBACK, ExceptedHost, Names, Watch
from .peer import Answer, document, peer, read_head, says

pytestmark = pytest.mark.requirement("CR-8")

PUBLIC = "93.184.215.14"


def test_a_name_that_is_rebound_is_not_asked_again(watch: Watch, trust: ssl.SSLContext):
    names = Names([PUBLIC], ["127.0.0.1"])
    fetch = SafeFetch(ClientSupplied(), trust=trust, resolver=names)
    with pytest.raises(FetchRefused) as refused:
        fetch.get("https://client.example/c")
    assert refused.value.reason == Refusal.CONNECTION
    assert names.asked == ["client.example"]
    assert watch.connections == [(PUBLIC, 443)]


def test_a_rebound_name_is_judged_anew_by_the_next_fetch(watch: Watch, trust: ssl.SSLContext):
    fetch = SafeFetch(ClientSupplied(), trust=trust, resolver=Names([PUBLIC], ["127.0.0.1"]))
    for reason in (Refusal.CONNECTION, Refusal.ADDRESS):
        with pytest.raises(FetchRefused) as refused:
            fetch.get("https://client.example/c")
        assert refused.value.reason == reason
    assert watch.connections == [(PUBLIC, 443)]


def test_the_document_comes_from_the_address_that_was_judged(excepted_host: ExceptedHost):
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    with excepted_host(document(b"{}"), resolver=names) as host:
        assert host.fetch.get(host.url).body == b"{}"
        assert names.asked == [HOST]


def test_another_address_of_the_host_is_tried_when_the_first_does_not_answer(watch: Watch, trust: ssl.SSLContext):
    names = Names(["2606:2800:21f:cb07::1", PUBLIC, PUBLIC])
    fetch = SafeFetch(ClientSupplied(), trust=trust, resolver=names)
    with pytest.raises(FetchRefused):
        fetch.get("https://client.example/c")
    assert watch.connections == [("2606:2800:21f:cb07::1", 443), (PUBLIC, 443)]


def test_a_host_with_very_many_addresses_gets_no_more_than_a_few_attempts(watch: Watch, trust: ssl.SSLContext):
    names = Names([f"93.184.215.{number}" for number in range(1, 200)])
    with pytest.raises(FetchRefused):
        SafeFetch(ClientSupplied(), trust=trust, resolver=names).get("https://client.example/c")
    assert len(watch.connections) == 4


def test_the_system_is_asked_for_names(excepted_host: ExceptedHost, trust: ssl.SSLContext):
    with excepted_host(document(b"{}"), certified_as="localhost") as host:
        url = f"https://localhost:{host.peer.port}/c"
        with pytest.raises(FetchRefused):
            SafeFetch(Entered("localhost", host.peer.port), trust=trust).get(url)
        assert host.peer.connections == 0
        loopback = Entered("localhost", host.peer.port, (*LOOPBACK, IPv6Network("::1/128")))
        assert SafeFetch(loopback, trust=trust).get(url).body == b"{}"


def test_proxies_of_the_environment_are_not_asked(excepted_host: ExceptedHost, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with excepted_host(document(b"{}")) as host:
        assert host.fetch.get(host.url).body == b"{}"


class Tunnel:
    """A proxy that connects as it is told by CONNECT; ``asked`` are the request heads that it got."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def __call__(self, stream: socket.socket, _empty: bytes) -> None:
        self.asked.append(read_head(stream))
        host, _, port = self.asked[-1].split(b" ")[1].decode().rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port))) as onward:
            stream.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(onward, stream), daemon=True)
            back.start()
            _pump(stream, onward)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_a_proxy_is_asked_for_the_address_that_was_judged(excepted_host: ExceptedHost, trust: ssl.SSLContext):
    tunnel = Tunnel()
    with excepted_host(document(b"{}")) as host, peer(tunnel) as proxy:
        names = Names(["127.0.0.1"])
        fetch = SafeFetch(host.policy, proxy=f"http://proxy.test:{proxy.port}", trust=trust, resolver=names)
        assert fetch.get(host.url).body == b"{}"
        assert names.asked == [HOST, "proxy.test"]
        assert tunnel.asked[0].startswith(f"CONNECT 127.0.0.1:{host.peer.port} HTTP/1.1\r\n".encode())
        assert HOST.encode() not in tunnel.asked[0]
        assert host.peer.names == [HOST]


@pytest.mark.parametrize(
    "answer",
    [
        says(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
        says(b"HTTP/1.1 503 the inside\r\nContent-Length: 6\r\n\r\nbanner"),
        says(b"220 mail.inside ESMTP\r\n"),
        says(),
    ],
    ids=["407", "503", "no HTTP", "silence"],
)
def test_a_proxy_that_refuses_is_a_refusal_that_does_not_tell_of_it(trust: ssl.SSLContext, answer: Answer):
    with peer(answer) as proxy:
        policy = ClientSupplied({(HOST, 8443): LOOPBACK})
        names = Names(["127.0.0.1"])
        fetch = SafeFetch(policy, proxy=f"http://proxy.test:{proxy.port}", trust=trust, resolver=names)
        with pytest.raises(FetchRefused) as refused:
            fetch.get(f"https://{HOST}:8443/c")
        assert refused.value.reason == Refusal.CONNECTION
        assert str(refused.value) == "the host could not be reached, or did not answer in HTTP"


def test_the_proxy_does_not_get_round_the_certificate(excepted_host: ExceptedHost, trust: ssl.SSLContext):
    with excepted_host(document(b"{}"), certified_as="other.test") as host, peer(Tunnel()) as proxy:
        names = Names(["127.0.0.1"])
        fetch = SafeFetch(host.policy, proxy=f"http://127.0.0.1:{proxy.port}", trust=trust, resolver=names)
        with pytest.raises(FetchRefused) as refused:
            fetch.get(host.url)
        assert refused.value.reason == Refusal.TLS


def test_a_probe_goes_by_the_proxy_to_what_was_judged(excepted_host: ExceptedHost, trust: ssl.SSLContext):
    tunnel = Tunnel()
    with excepted_host(document(b"{}")) as host, peer(tunnel) as proxy:
        names = Resolution(Names(["127.0.0.1"]), 2)
        networks = {(HOST, host.peer.port): (ip_network("127.0.0.0/8"),)}
        at = f"http://proxy.test:{proxy.port}"
        probe = Probe(trust, Deadline(10), resolution=names, networks=networks, proxy=at)
        assert probe.ask("GET", host.url).body == b"{}"
        assert tunnel.asked[0].startswith(f"CONNECT 127.0.0.1:{host.peer.port} HTTP/1.1\r\n".encode())
        refused = Probe(trust, Deadline(10), resolution=names, networks={}, proxy=at).ask("GET", host.url)
        assert "private network" in refused.problem
        assert len(tunnel.asked) == 1
