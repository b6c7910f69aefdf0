"""Networks that addresses are of: what one provider gives to one place, without asking any database where that is."""

import ipaddress
from functools import lru_cache

BITS = {4: 24, 6: 48}
REMEMBERED = 10_000


@lru_cache(maxsize=REMEMBERED)
def network_of(address: str) -> str | None:
    """The /24 of an IPv4 *address*, the /48 of an IPv6 one; None for what is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return str(ipaddress.ip_network((found, BITS[found.version]), strict=False))
