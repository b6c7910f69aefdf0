"""What may be fetched from others, and by which way."""

import re
import ssl
from ipaddress import IPv4Network, IPv6Network, ip_network

from pydantic import field_validator

from .group import Group

IPNetwork = IPv4Network | IPv6Network
PROXY = re.compile(r"http://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})/?")
PIN = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})=(?P<networks>.+)")


class Fetching(Group):
    """Fetches of URLs that clients or administrators named."""

    fetch_proxy: str = ""
    """Egress proxy for the documents that clients name by URL: ``http://host:port``, asked by CONNECT for addresses
    that were resolved and judged here. Empty means none; proxy variables of the environment are not read."""

    fetch_exceptions: list[str] = []
    """Hosts that clients may name by URL although they are not on the public internet: test hosts, intranets. Each is
    ``host:port=network`` or ``host:port=network,network``, such as ``cimd.test:8443=127.0.0.1/32``: that host and port
    may be fetched from, in those networks only."""

    fetch_entered_networks: list[str] = []
    """Hosts in private networks that administrators' own entries (such as the ``jwks_uri`` of a pre-registered client)
    may lead to, written like `fetch_exceptions`. No URL that a client supplied is ever fetched from there."""

    fetch_ca_file: str = ""
    """PEM file of certification authorities that are trusted for fetches, beside the system's own."""

    @field_validator("fetch_proxy")
    @classmethod
    def _proxy_is_a_host_and_port(cls, proxy: str) -> str:
        found = PROXY.fullmatch(proxy)
        if proxy and not (found and 0 < int(found["port"]) < 65_536):
            raise ValueError("must be http://host:port, without user name and password")
        return proxy

    @field_validator("fetch_exceptions", "fetch_entered_networks")
    @classmethod
    def _exceptions_are_pins(cls, exceptions: list[str]) -> list[str]:
        for text in exceptions:
            _pin(text)
        return exceptions

    @field_validator("fetch_ca_file")
    @classmethod
    def _ca_file_holds_certificates(cls, ca_file: str) -> str:
        try:
            if ca_file:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
        except OSError as wrong:
            raise ValueError(f"{ca_file}: no certificates in PEM could be read ({wrong.strerror})") from None
        return ca_file

    @property
    def pinned_hosts(self) -> dict[tuple[str, int], tuple[IPNetwork, ...]]:
        """`fetch_exceptions` by host and port."""
        return dict(_pin(text) for text in self.fetch_exceptions)

    @property
    def entered_networks(self) -> dict[tuple[str, int], tuple[IPNetwork, ...]]:
        """`fetch_entered_networks` by host and port."""
        return dict(_pin(text) for text in self.fetch_entered_networks)


def _pin(text: str) -> tuple[tuple[str, int], tuple[IPNetwork, ...]]:
    found = PIN.fullmatch(text)
    if not (found and 0 < int(found["port"]) < 65_536):
        raise ValueError(f"{text}: must be host:port=network or host:port=network,network")
    networks = tuple(ip_network(network.strip()) for network in found["networks"].split(","))
    return (found["host"].strip("[]").lower(), int(found["port"])), networks
