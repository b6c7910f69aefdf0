"""Asking MCP servers for their tools: the token for it, and where it may go."""

import ssl
import time
from dataclasses import dataclass

from ...keys.keyring import Keyring
from ...outbound.addresses import Pins
from ...outbound.correspondence import Correspondence
from ...protocol import access_token
from ...protocol.access_token import ClientAuthority
from ...protocol.resource import Resource
from ...protocol.tool_list import MOST_BYTES, Listed
from . import conversation

LIFETIME = 60  # seconds, of the token
SECONDS = 20.0  # for the whole conversation


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Asks servers, each at its identifier and nowhere else. ``networks`` and ``proxy`` as in `Correspondence`."""

    issuer: str
    keyring: Keyring
    algorithm: str
    networks: Pins
    proxy: str
    trust: ssl.SSLContext

    def tools_of(self, resource: Resource) -> Listed:
        """What the server lists. Raises `FetchRefused`, and `NotTools` in words."""
        where = Correspondence(
            resource.identifier,
            self.networks,
            proxy=self.proxy,
            trust=self.trust,
            most_bytes=MOST_BYTES,
            seconds=SECONDS,
        )
        return conversation.ask(where, self._token(resource))

    def _token(self, resource: Resource) -> str:
        """One that lists tools and calls none, for this server alone."""
        scopes = resource.default_scopes
        claims = access_token.claims(
            ClientAuthority(access_token.OWN_CLIENT, resource.identifier, scopes),
            issuer=self.issuer,
            scopes=scopes,
            issued_at=int(time.time()),
            lifetime=LIFETIME,
        )
        claims[access_token.ONLY_METHODS] = list(conversation.METHODS)
        alg = self.keyring.fit(resource.signing_algorithm, self.algorithm)
        return self.keyring.sign(claims, typ=access_token.TYPE, alg=alg)
