"""Access tokens as text: written in the format of their resource, and read in both (TK-2)."""

import time
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..keys.keyring import Keyring
from ..keys.opaque import OpaqueTokens
from ..protocol import access_token, credential
from ..protocol.credential import Prefix
from ..protocol.ports import Resources
from ..protocol.resource import TokenFormat, identified
from ..store.cache import RecentlyUsed
from .status_lists import StatusLists

READ_LATELY = 2000  # tokens, of about two kilobytes each
READ_SECONDS = 600

Claims: TypeAlias = dict[str, Any]


def _lately() -> RecentlyUsed[Claims]:
    return RecentlyUsed(READ_LATELY, READ_SECONDS)


@dataclass(frozen=True, slots=True)
class TokenFormats:
    """JWTs, which carry their place on the status lists; and opaque tokens, whose servers ask us about each.

    ``algorithm`` signs where a resource has not chosen another. A guard that asks about each call asks about the same
    token again and again: what was read ``lately``, by its digest, is not verified again while the keys are the same.
    """

    issuer: str
    resources: Resources
    keyring: Keyring
    opaque: OpaqueTokens
    status_lists: StatusLists
    algorithm: str
    lately: RecentlyUsed[Claims] = field(default_factory=_lately)

    def write(self, claims: Claims, position: int | None) -> str:
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

    def read(self, token: str) -> Claims | None:
        """The claims of an access token of ours, intact and unexpired, whatever format its resource has by now."""
        digest, keys = credential.digest(token).hex(), self.keyring.kids()
        claims = self.lately.get(digest, keys)
        if claims is None:
            claims = self._verified(token)
            if claims is None:
                return None
            self.lately.keep(digest, claims, keys)
        return dict(claims) if time.time() < claims["exp"] else None

    def _verified(self, token: str) -> Claims | None:
        if token.startswith(Prefix.ACCESS):
            return self.opaque.open(token)
        return self.keyring.read(token, typ=access_token.TYPE, issuer=self.issuer)
