"""What the audit trail is told: one event per change of state, written in the change's own transaction."""

import ipaddress
from functools import lru_cache
from typing import Any, NamedTuple

IPV6_SITE_BITS = 64
MOST_AGENT = 200  # characters of what software calls itself


class Origin(NamedTuple):
    """Where a request came from: the client's ``address`` and the ``correlation_id`` that its log lines carry.

    What an operator's command does comes from ``user@machine``. ``agent`` is what the caller's software calls itself
    (RFC 9110 §10.1.5), for flow traces.
    """

    address: str = ""
    correlation_id: str = ""
    agent: str = ""

    @property
    def site(self) -> str:
        """Whom limits count: the address, or for IPv6 the /64 that one customer has to itself.

        An IPv4 address stays one where a socket for both writes it as IPv6 (RFC 4291 §2.5.5.2).
        """
        return _site(self.address)


@lru_cache(maxsize=4096)
def _site(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    return str(found if found.version == 4 else ipaddress.ip_network((found, IPV6_SITE_BITS), strict=False))


class Event(NamedTuple):
    """Who did what to what, through which client, from where, and how it ended.

    ``name`` is ``subject.verb`` (``token.refreshed``); ``actor`` is ``user:<id>``, ``client:<id>`` or ``system``.
    """

    name: str
    actor: str
    origin: Origin = Origin()
    outcome: str = "success"
    user_id: str | None = None
    client_id: str | None = None
    resource: str | None = None
    grant_id: str | None = None
    detail: dict[str, Any] = {}  # noqa: RUF012 - one for all that tell none: nobody changes it

    def about(self, **changes: Any) -> "Event":  # noqa: ANN401 - the fields of Event
        """The same event with more known of it."""
        return self._replace(**changes)
