"""Which hosts may be asked and which addresses may be connected to (CR-8).

`is_public` is this package's own list and not `ipaddress.is_global`, which differs between patch releases of Python
and takes multicast, 6to4 and NAT64 forms for global. An IPv6 form that carries an IPv4 address is refused and never
unwrapped: no host on the public internet needs one to be reached from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Protocol

from .refusal import FetchRefused, Refusal

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network
Pins = Mapping[tuple[str, int], tuple[IPNetwork, ...]]

# IANA's special-purpose registry, multicast and reserved space, and one address of a cloud's own inside.
REFUSED_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "127.0.0.0/8",  # loopback (RFC 1122)
        "168.63.129.16/32",  # Azure's host, which every machine there reaches
        "169.254.0.0/16",  # link-local (RFC 3927)
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.31.196.0/24",  # AS112 (RFC 7535)
        "192.52.193.0/24",  # multicast tunnels (RFC 7450)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private (RFC 1918)
        "192.175.48.0/24",  # AS112 (RFC 7534)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation (RFC 5737)
        "203.0.113.0/24",  # documentation (RFC 5737)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved, and broadcast (RFC 1112)
    )
)
# All that is given out to the public. What is outside is loopback, IPv4-mapped and -compatible forms, NAT64, unique
# local, link- and site-local, multicast, and not given out.
PUBLIC_IPV6 = IPv6Network("2000::/3")
REFUSED_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo (RFC 4380), benchmarks, ORCHID
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4 (RFC 3056)
        "2620:4f:8000::/48",  # AS112 (RFC 7534)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
ISATAP = 0x5EFE  # RFC 5214 §6.1: an interface id of 0000:5efe or 0200:5efe and an IPv4 address
LOCAL_NAMES = ("localhost", "local", "localdomain", "internal", "home.arpa", "onion", "invalid")
HTTPS_PORT = 443


def is_public(address: IPAddress) -> bool:
    """Whether *address* belongs to one host on the public internet, and carries no other address in it."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in REFUSED_IPV4)
    if address.scope_id is not None or address not in PUBLIC_IPV6 or _is_isatap(address):
        return False
    return not any(address in network for network in REFUSED_IPV6)


def _is_isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFDFF_FFFF == ISATAP


class AddressPolicy(Protocol):
    """Asked twice: about the host before its name is resolved, and about every address that it resolved to."""

    def check_host(self, host: str, port: int) -> None:
        """Raise `FetchRefused` if *host* (lower case) may not be asked at *port*."""

    def check_address(self, host: str, port: int, address: IPAddress) -> None:
        """Raise `FetchRefused` if *address*, which *host* resolved to, may not be connected to."""


@dataclass(frozen=True, slots=True)
class ClientSupplied:
    """For URLs that strangers supply: public addresses, port 443.

    ``exceptions`` are the operator's own test hosts and intranets: host and port with the only networks it may be in.
    """

    exceptions: Pins = field(default_factory=dict)

    def check_host(self, host: str, port: int) -> None:
        """Refuse other ports, names without a dot, and names that mean this machine or this network."""
        if (host, port) in self.exceptions:
            return
        if port != HTTPS_PORT:
            raise FetchRefused(Refusal.URL, f"the URL may have no other port than {HTTPS_PORT}")
        labels = host.split(".")
        if ":" not in host and (len(labels) == 1 or f".{host}".endswith(tuple(f".{name}" for name in LOCAL_NAMES))):
            raise FetchRefused(Refusal.ADDRESS)

    def check_address(self, host: str, port: int, address: IPAddress) -> None:
        """Refuse what is not public, or for an exception what is not in its networks."""
        networks = self.exceptions.get((host, port))
        allowed = is_public(address) if networks is None else any(address in network for network in networks)
        if not allowed:
            raise FetchRefused(Refusal.ADDRESS)


@dataclass(frozen=True, slots=True)
class Entered:
    """For one host that an administrator entered: this host and port, in public space or in the *networks* chosen.

    Each entry has its own. It is never asked about a URL that a stranger supplied.
    """

    host: str
    port: int
    networks: tuple[IPNetwork, ...] = ()

    def check_host(self, host: str, port: int) -> None:
        """Refuse every other host and port."""
        if (host, port) != (self.host, self.port):
            raise FetchRefused(Refusal.ADDRESS)

    def check_address(self, host: str, port: int, address: IPAddress) -> None:
        """Refuse what is not in the entry's networks, or not public if it has none."""
        allowed = any(address in network for network in self.networks) if self.networks else is_public(address)
        if not allowed:
            raise FetchRefused(Refusal.ADDRESS)
