"""However an address is spelled, nothing gets past the policy that the system's own parsers take for one inside."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authserver.outbound.addresses import is_public
from authserver.outbound.fetch import FetchRefused
from authserver.outbound.urls import check_client_url

pytestmark = pytest.mark.requirement("CR-8")

INSIDE = [0x7F000001, 0x0A000001, 0xA9FEA9FE, 0xC0A80001, 0xAC100001, 0x64400001, 0x00000000, 0xFFFFFFFF, 0xE0000001]
IPV4 = st.one_of(st.sampled_from(INSIDE), st.integers(0, 2**32 - 1))
NUMBER = st.sampled_from(["{:d}", "0{:o}", "000{:o}", "0x{:x}", "0X{:X}", "0x000{:x}"])


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """An IPv4 address in one to four parts, each decimal, octal or hexadecimal, as ``inet_aton`` reads them."""
    number, parts = draw(IPV4), draw(st.integers(1, 4))
    heads = [number >> shift & 0xFF for shift in (24, 16, 8)][: parts - 1]
    tail = number & (2 ** (32 - 8 * (parts - 1)) - 1)
    return ".".join(draw(NUMBER).format(part) for part in [*heads, tail]) + draw(st.sampled_from(["", "", "", "."]))


@given(spellings())
@example("0x7f.1")
@example("2130706433")
@example("017700000001")
def test_spellings_of_ipv4(host: str):
    try:
        found = check_client_url(f"https://{host}/c")
    except FetchRefused:
        return
    assert found.address == IPv4Address(socket.inet_aton(host))
    assert is_public(found.address)
    assert host == str(found.address)


@st.composite
def carriers(draw: st.DrawFn) -> IPv6Address:
    """An IPv6 address that carries an IPv4 address somewhere, or any other."""
    ipv4, low = draw(IPV4), draw(st.integers(0, 2**64 - 1))
    prefixes = [0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96, 0x64FF9B0001 << 80]
    forms = [
        *((prefix | ipv4) for prefix in prefixes),
        0x2002 << 112 | ipv4 << 80 | low,
        0x20010000 << 96 | ipv4 << 64 | low,
        0x20010000 << 96 | low << 32 | ipv4 ^ 0xFFFFFFFF,
        low << 64 | 0x5EFE << 32 | ipv4,
        low << 64 | 0x02005EFE << 32 | ipv4,
        0x64FF9B0001 << 80 | low,
        0xFE80 << 112 | low,
        0xFD << 120 | low,
        draw(st.integers(0, 2**128 - 1)),
    ]
    return IPv6Address(draw(st.sampled_from(forms)))


@given(carriers(), st.booleans(), st.booleans())
def test_spellings_of_ipv6(address: IPv6Address, dotted: bool, exploded: bool):
    text = address.exploded if exploded else str(address)
    if dotted:
        text = ":".join(address.exploded.split(":")[:6]) + f":{IPv4Address(int(address) & 0xFFFFFFFF)}"
    try:
        found = check_client_url(f"https://[{text.upper()}]/c")
    except FetchRefused:
        return
    assert found.address == IPv6Address(socket.inet_pton(socket.AF_INET6, text))
    assert _carries_nothing(address)


def _carries_nothing(address: IPv6Address) -> bool:
    """An opinion that is not that of `is_public`: the standard library's, made stricter."""
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or address.is_site_local or address.is_link_local)
        and not (address.ipv4_mapped or address.sixtofour or address.teredo)
        and int(address) >> 96 not in (0, 0x64FF9B)
        and int(address) >> 80 != 0x64FF9B0001
        and f"{int(address):032x}"[16:24] not in ("00005efe", "02005efe")
    )


@given(IPV4)
def test_the_standard_library_takes_no_public_ipv4_for_one_inside(number: int):
    address = IPv4Address(number)
    assert not is_public(address) or (address.is_global and not address.is_multicast and not address.is_reserved)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_makes_the_reader_fail(host: str, rest: str):
    for url in (host, f"https://{host}", f"https://{host}/{rest}", f"https://{host}:{rest}/"):
        try:
            found = check_client_url(url)
        except FetchRefused:
            continue
        assert found.address is None or is_public(ip_address(found.host))
        assert found.host.isascii()
