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
    """JWTs, which carry their place on the status lists; and opaque tokens, whose servers ask us about each.

    ``algorithm`` signs where a resource has not chosen another.
    """

    issuer: str
    resources: Resources
    keyring: Keyring
    opaque: OpaqueTokens
    status_lists: StatusLists
    algorithm: str

    def write(self, claims: dict[str, Any], position: int | None) -> str:
        """The token that says *claims*; *position* is its place on the lists of its resource, if it has one."""
        resource = identified(self.resources.all(), claims["aud"])
        if (
            resource is None or resource.token_format is TokenFormat.OPAQUE
        ):  # of one that is gone, nothing is to be read
            return self.opaque.seal(claims)
        if position is not None:
            claims = {**claims, "status": self.status_lists.claim(claims["aud"], position)}
        alg = self.keyring.fit(resource.signing_algorithm, self.algorithm)
        return self.keyring.sign(claims, typ=access_token.TYPE, alg=alg)

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of an access token of ours, intact and unexpired, whatever format its resource has by now."""
        if token.startswith(Prefix.ACCESS):
            return self.opaque.open(token)
        return self.keyring.read(token, typ=access_token.TYPE, issuer=self.issuer)
