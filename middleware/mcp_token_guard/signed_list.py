"""Lists that the authorization server signs: which tokens count no more (draft-ietf-oauth-status-list-21 §5, §8.3).

Taken from one URL, for one issuer, signed by a key of its JWKS that is meant for lists. An older one than the last is
refused, so that nobody can bring back a token by playing an old list again.
"""

import base64
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import jwt
from jwt import PyJWK

from . import strict_json
from .fetch import Document, FetchError, fetch
from .keys import Keys, KeySet

MOST_ENTRY_BYTES = 1024 * 1024
MOST_REVOKED = 100_000
BITS = (1, 2, 4, 8)

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Entries:
    """A status list, unpacked: *bits* for each place, the lowest of a byte first (§4.1)."""

    bits: int
    data: bytes

    def at(self, index: int) -> int | None:
        """The status at *index*, 0 for a token that counts; None when there is no such place."""
        per_byte = 8 // self.bits
        if not 0 <= index < len(self.data) * per_byte:
            return None
        return self.data[index // per_byte] >> index % per_byte * self.bits & (1 << self.bits) - 1


@dataclass(frozen=True, slots=True)
class SignedList(Generic[Content]):
    """What a list says, which key signed it, and its times in Unix seconds; ``version`` is its issuer's name for it."""

    document: Document
    kid: str
    key: PyJWK
    issued_at: float
    expires_at: float
    version: str | None
    content: Content

    def is_young(self, now: float) -> bool:
        """Whether less than half of its time is over: an older one is asked for anew, whatever it says."""
        return now - self.issued_at < self.expires_at - now

    def stands(self, keys: KeySet, now: float) -> bool:
        """Whether it may be used: its key is still published, and it has not expired."""
        known = keys.list_keys.get(self.kid)
        same = known is self.key or (known is not None and known.key == self.key.key)
        return same and now < self.expires_at


class ListReader(Generic[Content]):
    """Reads the list at *url*: a JWT of *kind* whose content is what *parse* makes of its claims."""

    def __init__(
        self,
        url: str,
        issuer: str,
        kind: str,
        parse: Callable[[dict[str, Any]], Content],
        keys: Keys,
    ) -> None:
        self._url = url
        self._issuer = issuer
        self._kinds = (kind, f"application/{kind}")
        self._parse = parse
        self._keys = keys
        self._signatures = jwt.PyJWS(algorithms=sorted(keys.algorithms))

    async def read(self, previous: SignedList[Content] | None) -> SignedList[Content]:
        """The list as it is now; *previous* itself when it has not changed.

        Raises `FetchError` for what is no list of this URL, issuer and kind, is not signed by a key for lists, has
        expired, or is older than *previous*; `IssuerUnavailable` when there are no keys.
        """
        known = previous if previous and previous.stands(await self._keys.current(), time.time()) else None
        document = await fetch(self._url, known.document if known else None, accept=self._kinds[1])
        if known is not None and document is known.document:
            return known
        found = await self._verified(document)
        if previous is not None and found.issued_at < previous.issued_at:
            raise FetchError(f"{self._url} is older than what it was before")
        return found

    async def _verified(self, document: Document) -> SignedList[Content]:
        try:
            token = document.body.decode("ascii")
            header = jwt.get_unverified_header(token)
            kid = header["kid"]
            if str(header.get("typ")).lower() not in self._kinds or not isinstance(kid, str):
                raise FetchError(f"{self._url} is no {self._kinds[0]}")
            key = await self._keys.find_for_lists(kid)
            if key is None:
                raise FetchError(f"{self._url} is not signed by a key for lists")
            claims = strict_json.loads(self._signatures.decode(token, key, [key.algorithm_name]))
            return self._checked(document, kid, key, claims)
        except (jwt.PyJWTError, ValueError, LookupError, TypeError, AttributeError, zlib.error) as error:
            raise FetchError(f"{self._url} is no list: {error!r}") from error

    def _checked(self, document: Document, kid: str, key: PyJWK, claims: Any) -> SignedList[Content]:  # noqa: ANN401
        if claims["sub"] != self._url or claims.get("iss", self._issuer) != self._issuer:
            raise FetchError(f"{self._url} is the list of somebody else")
        issued_at, expires_at = claims["iat"], claims.get("exp", float("inf"))
        if any(isinstance(at, bool) or not isinstance(at, int | float) for at in (issued_at, expires_at)):
            raise FetchError(f"{self._url} has no times")
        if time.time() >= expires_at:
            raise FetchError(f"{self._url} has expired")
        version = claims.get("version")
        named = version if isinstance(version, str) else None
        return SignedList(document, kid, key, issued_at, expires_at, named, self._parse(claims))


def entries(claims: dict[str, Any]) -> Entries:
    """The entries of a status list's *claims*. Raises `ValueError` and its like for what is none, or too large."""
    found = claims["status_list"]
    bits, packed = found["bits"], found["lst"]
    if isinstance(bits, bool) or bits not in BITS:
        raise ValueError("bits are 1, 2, 4 or 8")
    # Bounded while it unpacks: what is small on the wire may be anything.
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), MOST_ENTRY_BYTES)
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("the list is too large, or is cut off")
    return Entries(bits, data)


def revoked(claims: dict[str, Any]) -> frozenset[str]:
    """The ids of the tokens that a list of single revoked tokens has."""
    found = claims["revoked"]
    if not isinstance(found, list) or len(found) > MOST_REVOKED or not all(isinstance(jti, str) for jti in found):
        raise ValueError("revoked is a list of ids")
    return frozenset(found)
