"""One test per form in which an address that must not be reached may come: no connection is made to any."""

import ssl
from ipaddress import IPv4Network, ip_address

import pytest

from authserver.outbound.addresses import ClientSupplied, Entered, is_public
from authserver.outbound.fetch import FetchRefused, Refusal, SafeFetch

from .conftest import Names, Watch

pytestmark = pytest.mark.requirement("CR-8")

PUBLIC = "93.184.215.14"
REFUSED = {
    "loopback": "127.0.0.1",
    "all of loopback": "127.255.255.254",
    "unspecified": "0.0.0.0",  # noqa: S104 - one of those that must be refused
    "this network": "0.1.2.3",
    "private 10": "10.0.0.1",
    "private 172": "172.16.0.1",
    "private 172, the last": "172.31.255.255",
    "private 192": "192.168.1.1",
    "carrier-grade NAT": "100.64.0.1",
    "a cloud's metadata in carrier-grade NAT": "100.100.100.200",
    "link-local, a cloud's metadata": "169.254.169.254",
    "a container's credentials": "169.254.170.2",
    "Azure's host": "168.63.129.16",
    "protocol assignments, a cloud's metadata": "192.0.0.192",
    "documentation 1": "192.0.2.1",
    "documentation 2": "198.51.100.1",
    "documentation 3": "203.0.113.1",
    "6to4 relays": "192.88.99.1",
    "AS112": "192.31.196.1",
    "AS112, the servers": "192.175.48.1",
    "AS112 v6": "2620:4f:8000::1",
    "multicast tunnels": "192.52.193.1",
    "benchmarks": "198.18.0.1",
    "benchmarks, the last": "198.19.255.255",
    "multicast": "224.0.0.1",
    "multicast, the last": "239.255.255.255",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 loopback": "::1",
    "IPv6 unspecified": "::",
    "IPv4-mapped loopback": "::ffff:127.0.0.1",
    "IPv4-mapped private": "::ffff:10.0.0.1",
    "IPv4-mapped public": f"::ffff:{PUBLIC}",
    "IPv4-translated": "::ffff:0:127.0.0.1",
    "IPv4-compatible loopback": "::127.0.0.1",
    "IPv4-compatible metadata": "::169.254.169.254",
    "NAT64 of loopback": "64:ff9b::7f00:1",
    "NAT64 of metadata": "64:ff9b::a9fe:a9fe",
    "NAT64 of a public address": "64:ff9b::5db8:d70e",
    "local NAT64": "64:ff9b:1::7f00:1",
    "local NAT64, address in the middle": "64:ff9b:1:a9fe:a9:fe00::",
    "6to4 of loopback": "2002:7f00:1::1",
    "6to4 of metadata": "2002:a9fe:a9fe::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:5601:5601",
    "ISATAP on a public prefix": "2606:2800:21f::5efe:7f00:1",
    "ISATAP, the universal form": "2606:2800:21f::200:5efe:a9fe:a9fe",
    "unique local": "fd00::1",
    "unique local, a cloud's metadata": "fd00:ec2::254",
    "unique local, the unassigned half": "fc00::1",
    "link-local v6": "fe80::1",
    "link-local v6 with a zone": "fe80::1%eth0",
    "public v6 with a zone": "2606:2800:21f::1%1",
    "site-local": "fec0::1",
    "IPv6 multicast": "ff02::1",
    "IPv6 multicast, global": "ff0e::1",
    "discard": "100::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation 2": "3fff::1",
    "IPv6 benchmarks": "2001:2::1",
    "ORCHID": "2001:20::1",
    "segment routing": "5f00::1",
    "not given out": "4000::1",
}


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED.keys())
def test_a_name_that_leads_there_is_refused_before_any_connection(watch: Watch, trust: ssl.SSLContext, address: str):
    fetch = SafeFetch(ClientSupplied(), trust=trust, resolver=Names([address]))
    with pytest.raises(FetchRefused) as refused:
        fetch.get("https://client.example/client.json")
    assert refused.value.reason == Refusal.ADDRESS
    assert watch.connections == []


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED.keys())
def test_as_the_host_of_the_url_it_is_refused_before_any_connection(watch: Watch, trust: ssl.SSLContext, address: str):
    names = Names([PUBLIC])
    fetch = SafeFetch(ClientSupplied(), trust=trust, resolver=names)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(FetchRefused):
        fetch.get(f"https://{host}/client.json")
    assert (watch.connections, names.asked) == ([], [])


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED.keys())
def test_among_public_ones_it_refuses_the_host(watch: Watch, trust: ssl.SSLContext, address: str):
    for answers in ([PUBLIC, address], [address, PUBLIC]):
        fetch = SafeFetch(ClientSupplied(), trust=trust, resolver=Names(answers))
        with pytest.raises(FetchRefused):
            fetch.get("https://client.example/client.json")
    assert watch.connections == []


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED.keys())
def test_a_proxy_is_not_asked_for_it(watch: Watch, trust: ssl.SSLContext, address: str):
    resolve = {"client.example": [address], "proxy.example": ["127.0.0.1"]}
    fetch = SafeFetch(ClientSupplied(), proxy="http://proxy.example:3128", trust=trust, resolver=resolve.__getitem__)
    with pytest.raises(FetchRefused):
        fetch.get("https://client.example/client.json")
    assert watch.connections == []


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "172.32.0.1", "100.128.0.1", "223.255.255.255", "2606:2800:21f:cb07::1", "2a00::1"]
)
def test_public_addresses_are_connected_to_and_no_others(watch: Watch, trust: ssl.SSLContext, address: str):
    fetch = SafeFetch(ClientSupplied(), trust=trust, resolver=Names([address]))
    with pytest.raises(FetchRefused) as refused:
        fetch.get("https://client.example/client.json")
    assert refused.value.reason == Refusal.CONNECTION
    assert watch.connections == [(address, 443)]


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "localhost.localdomain",
        "printer.local",
        "metadata.google.internal",
        "router.home.arpa",
        "hidden.onion",
        "nowhere.invalid",
        "intranet",
        "ip6-localhost",
    ],
)
def test_names_that_mean_the_inside_are_not_even_resolved(watch: Watch, trust: ssl.SSLContext, name: str):
    names = Names([PUBLIC])
    fetch = SafeFetch(ClientSupplied(), trust=trust, resolver=names)
    with pytest.raises(FetchRefused):
        fetch.get(f"https://{name}/client.json")
    assert (watch.connections, names.asked) == ([], [])


def test_a_name_inside_is_not_to_be_told_from_one_that_is_not_there(trust: ssl.SSLContext):
    def refusal(resolver):
        with pytest.raises(FetchRefused) as refused:
            SafeFetch(ClientSupplied(), trust=trust, resolver=resolver).get("https://jenkins.example/client.json")
        return str(refused.value)

    def nobody(_host):
        raise OSError("Name or service not known")

    assert refusal(Names(["10.1.2.3"])) == refusal(nobody) == refusal(Names([]))


def test_an_exception_is_for_its_host_its_port_and_its_networks(watch: Watch, trust: ssl.SSLContext):
    policy = ClientSupplied({("cimd.test", 8443): (IPv4Network("127.0.0.1/32"),)})
    asked = [
        ("https://cimd.test:8443/c", "127.0.0.1", True),
        ("https://CIMD.test:8443/c", "127.0.0.1", True),
        ("https://cimd.test:8443/c", "127.0.0.2", False),
        ("https://cimd.test:8443/c", "::ffff:127.0.0.1", False),
        ("https://cimd.test:8443/c", PUBLIC, False),
        ("https://cimd.test:8444/c", "127.0.0.1", False),
        ("https://cimd.test/c", "127.0.0.1", False),
        ("https://a.cimd.test:8443/c", "127.0.0.1", False),
        ("https://127.0.0.1:8443/c", "127.0.0.1", False),
    ]
    for url, address, allowed in asked:
        watch.connections.clear()
        fetch = SafeFetch(policy, trust=trust, resolver=Names([address]))
        with pytest.raises(FetchRefused):
            fetch.get(url)
        assert bool(watch.connections) is allowed, url


def test_an_entry_is_for_its_own_host_and_public_unless_its_networks_say_otherwise(watch: Watch, trust: ssl.SSLContext):
    private = (IPv4Network("10.0.0.0/8"),)
    asked = [
        (Entered("keys.intranet", 8443), "https://keys.intranet:8443/jwks", PUBLIC, True),
        (Entered("keys.intranet", 8443), "https://keys.intranet:8443/jwks", "10.0.0.1", False),
        (Entered("keys.intranet", 8443, private), "https://keys.intranet:8443/jwks", "10.0.0.1", True),
        (Entered("keys.intranet", 8443, private), "https://keys.intranet:8443/jwks", PUBLIC, False),
        (Entered("keys.intranet", 8443, private), "https://keys.intranet:443/jwks", "10.0.0.1", False),
        (Entered("keys.intranet", 8443, private), "https://other.intranet:8443/jwks", "10.0.0.1", False),
    ]
    for policy, url, address, allowed in asked:
        watch.connections.clear()
        fetch = SafeFetch(policy, trust=trust, resolver=Names([address]))
        with pytest.raises(FetchRefused):
            fetch.get(url)
        assert bool(watch.connections) is allowed, (url, address)


def test_the_list_does_not_depend_on_the_release_of_python():
    assert not is_public(ip_address("192.0.0.8"))
    assert not is_public(ip_address("64:ff9b:1::1"))
    assert not is_public(ip_address("2002::1"))
