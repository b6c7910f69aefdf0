"""Looks at an MCP server that is registered here, as clients do: whether their way leads from there to this issuer."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from ...outbound.addresses import Pins
from ...outbound.deadline import Deadline
from ...outbound.probe import WORDS, Probe
from ...outbound.refusal import Refusal
from ...protocol.msg import Filled, msg
from ...protocol.resource import Resource
from .examination import OF_SERVER, told
from .finding import Tell, finding
from .mcp_server import ServerVisit
from .outcome import Outcome, State, fail, shown

AT_ONCE = 2
FIRST = {"challenge": OF_SERVER["challenge"]}
"""All that is to be told of a server that does not answer."""


class Busy(Exception):
    """As many are looked at in this process already as may be."""


@dataclass(frozen=True, slots=True)
class ServerDoctor:
    """Looks for at most *seconds*; ``networks`` are the private ones that it may reach, *tell* has alerts raised."""

    issuer: str
    networks: Pins
    trust: ssl.SSLContext
    tell: Tell
    proxy: str = ""
    seconds: float = 20.0
    _room: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE))

    def look(self, resource: Resource) -> list[Outcome]:
        """What each check found at *resource*. Raises `Busy`, so that such looks take up no more threads."""
        if not self._room.acquire(blocking=False):
            raise Busy
        try:
            probe = Probe(self.trust, Deadline(self.seconds), networks=self.networks, proxy=self.proxy)
            visit = ServerVisit(resource.identifier, probe)
            checks = OF_SERVER if visit.unauthorized.status else FIRST
            found = list(told(visit, checks.items()))
            found.extend(self._elsewhere(visit, found))
            if visit.unauthorized.problem != WORDS[Refusal.ADDRESS]:  # else nobody knows
                self.tell(finding(resource.identifier, found, resource.identifier))
            return found
        finally:
            self._room.release()

    def _elsewhere(self, visit: ServerVisit, found: list[Outcome]) -> Iterator[Outcome]:
        listed = visit.metadata.get("authorization_servers")
        here = isinstance(listed, list) and self.issuer in listed
        if not here and not any(one.state is State.FAIL for one in found):
            yield fail(
                Filled(msg("it sends clients to other authorization servers: {}"), shown(listed)),
                msg("They do not come here for tokens, and those of others may not be meant for them."),
                Filled(msg("Give its guard the issuer {}"), self.issuer),
            )
