"""The authorization server's public keys, by `kid`: refetched when due, dropped when they vanish.

A key is taken from the issuer's JWKS only; what a token says about where its key might be is not read. Keys are bound
to one algorithm when they come in, so a token cannot choose another use for them (RFC 8725 §3.1).
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from .discovery import ServerMetadata
from .fetch import Document, FetchError, fetch
from .freshness import NEVER, Cycle, KeptFresh
from .summary import Summary

FEWEST_RSA_BITS = 2048
UNKNOWN_KEY_INTERVAL = 10.0
LISTS = "status"


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of one JWKS document, for tokens and for lists. A new object means that something changed.

    A key with a ``purpose`` is for lists alone, and where there is one no other signs lists. ``names`` are of all keys,
    those included that are not usable here.
    """

    url: str
    document: Document
    names: frozenset[str]
    keys: Mapping[str, PyJWK]
    list_keys: Mapping[str, PyJWK]


class Keys:
    """The keys of the issuer whose ``metadata`` is kept.

    Checked in each ``cycle`` of use, by the ``summary`` or else by a conditional request, and not used when the last
    answer is older than the cycle's bound. A `kid` that is unknown asks again, at most every ten seconds, whoever
    sends it.
    """

    def __init__(
        self,
        metadata: KeptFresh[ServerMetadata],
        algorithms: Collection[str],
        summary: Summary,
        cycle: Cycle,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metadata = metadata
        self.algorithms = frozenset(algorithms)
        self._summary = summary
        self._clock = clock
        self._kept = KeptFresh(self._read, cycle, vouch=self._vouch, clock=clock)
        self._asked_for_unknown = NEVER

    async def current(self) -> KeySet:
        """The keys. Raises `IssuerUnavailable` when they cannot be had, or are older than the bound."""
        return await self._kept.current()

    async def find(self, kid: str) -> PyJWK | None:
        """The key called *kid*, or None when the issuer has none by that name. Raises like `current`."""
        key = (await self.current()).keys.get(kid)
        now = self._clock()
        if key is None and now - self._asked_for_unknown >= UNKNOWN_KEY_INTERVAL:
            self._asked_for_unknown = now
            key = (await self._kept.renew()).keys.get(kid)
        return key

    async def find_for_lists(self, kid: str) -> PyJWK | None:
        """The key for lists called *kid*, asking at once for one that is unknown: lists come from the issuer alone."""
        return (await self.current()).list_keys.get(kid) or (await self._kept.renew()).list_keys.get(kid)

    async def settle(self) -> None:
        """Wait for what is being fetched."""
        await self._kept.settle()

    async def _vouch(self, found: KeySet) -> float | None:
        if found.url != (await self._metadata.current()).jwks_uri:
            return None
        return await self._summary.has_keys(found.names)

    async def _read(self, previous: KeySet | None) -> KeySet:
        url = (await self._metadata.current()).jwks_uri
        known = previous if previous is not None and previous.url == url else None
        document = await fetch(url, known.document if known else None)
        if known is not None and known.document is document:
            return known
        entries = _entries(document)
        found = self._usable(entries)
        tokens = {kid: key for kid, (key, purpose) in found.items() if purpose is None}
        lists = {kid: key for kid, (key, purpose) in found.items() if purpose == LISTS}
        return KeySet(url, document, frozenset(map(_name, entries)), tokens, lists or tokens)

    def _usable(self, entries: list[Any]) -> dict[str, tuple[PyJWK, object]]:
        # RFC 7517 §5: members that are not understood are ignored, not fatal.
        found = [(key, entry.get("purpose")) for entry in entries if (key := self._key(entry)) is not None]
        return {str(key.key_id): (key, purpose) for key, purpose in reversed(found)}

    def _key(self, entry: object) -> PyJWK | None:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
            return None
        if entry.get("use", "sig") != "sig":
            return None
        try:
            key = PyJWK(entry)
        except (PyJWTError, ValueError, TypeError, LookupError):
            return None
        weak = isinstance(key.key, RSAPublicKey) and key.key.key_size < FEWEST_RSA_BITS
        return key if key.algorithm_name in self.algorithms and not weak else None


def _entries(document: Document) -> list[Any]:
    try:
        entries = json.loads(document.body)["keys"]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise FetchError(f"the JWKS is not one: {error!r}") from error
    if not isinstance(entries, list):
        raise FetchError("the JWKS has no list of keys")
    return entries


def _name(entry: object) -> str:
    return str(entry.get("kid")) if isinstance(entry, dict) else ""
