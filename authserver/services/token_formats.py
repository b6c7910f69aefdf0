"""Access tokens as text: written in the format of their resource, and read in both (TK-2)."""

from dataclasses import dataclass
from typing import Any

from ..keys.keyring import Keyring
from ..keys.opaque import OpaqueTokens
from ..protocol import access_token
from ..protocol.credential import Prefix
from ..protocol.ports import Resources
from ..protocol.resource import TokenFormat, identified
from .status_lists import StatusLists


@dataclass(frozen=True, slots=True)
class TokenFormats:
    """JWTs, which carry their place on the status lists; and opaque tokens, whose servers ask us about each."""

    issuer: str
    resources: Resources
    keyring: Keyring
    opaque: OpaqueTokens
    status_lists: StatusLists
    algorithm: str

    def write(self, claims: dict[str, Any], position: int | None) -> str:
        """The token that says *claims*; *position* is its place on the lists of its resource, if it has one."""
        resource = claims["aud"]
        if self._of(resource) is TokenFormat.OPAQUE:
            return self.opaque.seal(claims)
        if position is not None:
            claims = {**claims, "status": self.status_lists.claim(resource, position)}
        return self.keyring.sign(claims, typ=access_token.TYPE, alg=self.algorithm)

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of an access token of ours, intact and unexpired, whatever format its resource has by now."""
        if token.startswith(Prefix.ACCESS):
            return self.opaque.open(token)
        return self.keyring.read(token, typ=access_token.TYPE, issuer=self.issuer)

    def _of(self, identifier: str) -> TokenFormat:
        """The format for a resource; of one that is suspended or gone nothing is to be read in its tokens."""
        found = identified(self.resources.all(), identifier)
        return found.token_format if found else TokenFormat.OPAQUE
