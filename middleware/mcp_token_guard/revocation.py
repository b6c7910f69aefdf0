"""Has this token been revoked since? Asked at every call, answered from lists that are kept fresh (TK-10).

A token names its status list and its place there; tokens that were revoked one by one are on a second, short list of
this resource. Both are fetched from the configured issuer only, on the same cycle as its keys.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .discovery import ServerMetadata
from .freshness import Cycle, KeptFresh
from .keys import Keys
from .refusals import IssuerUnavailable, TokenRefused
from .signed_list import Entries, ListReader, SignedList, entries, revoked
from .status_urls import StatusUrls
from .summary import Summary

MOST_LISTS = 256

Content = TypeVar("Content")
Kept = KeptFresh[SignedList[Content]]


class Revocations:
    """The lists of *issuer* that the tokens of one resource are on."""

    def __init__(
        self,
        issuer: str,
        urls: StatusUrls,
        keys: Keys,
        metadata: KeptFresh[ServerMetadata],
        summary: Summary,
        cycle: Cycle,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._urls = urls
        self._keys = keys
        self._metadata = metadata
        self._summary = summary
        self._cycle = cycle
        self._clock = clock
        self._lists: dict[str, Kept[Entries]] = {}
        self._single: tuple[str, Kept[frozenset[str]]] | None = None

    async def check(self, claims: Mapping[str, Any]) -> None:
        """Raises `TokenRefused` for a token that was revoked, `IssuerUnavailable` when nobody can tell."""
        if "status" in claims:
            uri, index = self._reference(claims["status"])
            status = (await self._current(self._list(uri))).at(index)
            if status is None:
                raise TokenRefused("the token has no place on its status list")
            if status:
                raise TokenRefused("the token was revoked")
        single = await self._single_tokens()
        if single is not None and claims.get("jti") in await self._current(single):
            raise TokenRefused("the token was revoked")

    async def settle(self) -> None:
        """Wait for what is being fetched."""
        for kept in list(self._lists.values()):
            await kept.settle()
        if self._single is not None:
            await self._single[1].settle()

    def _reference(self, status: object) -> tuple[str, int]:
        """URI and index (§6.2); a list that is not the issuer's own is never fetched."""
        reference = status.get("status_list") if isinstance(status, Mapping) else None
        uri, index = (reference.get("uri"), reference.get("idx")) if isinstance(reference, Mapping) else (None, None)
        if not isinstance(uri, str) or not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise TokenRefused("the token's status is not understood")
        if uri not in self._lists and not self._urls.are_own(uri):
            raise TokenRefused("the token's status list is not its issuer's")
        return uri, index

    def _list(self, uri: str) -> Kept[Entries]:
        kept = self._lists.get(uri)
        if kept is None:
            if len(self._lists) >= MOST_LISTS:
                self._lists.pop(next(iter(self._lists)), None)
            kept = self._lists.setdefault(uri, self._kept(uri, "statuslist+jwt", entries))
        return kept

    async def _single_tokens(self) -> Kept[frozenset[str]] | None:
        template = (await self._metadata.current()).revoked_tokens
        if template is None:
            return None
        uri = self._urls.of(template)
        if self._single is None or self._single[0] != uri:
            self._single = uri, self._kept(uri, "revoked-tokens+jwt", revoked)
        return self._single[1]

    def _kept(self, uri: str, kind: str, parse: Callable[[dict[str, Any]], Content]) -> Kept[Content]:
        async def vouch(found: SignedList[Content]) -> float | None:
            return await self._summary.has_list(uri, found.version) if found.is_young(time.time()) else None

        reader = ListReader(uri, self._issuer, kind, parse, self._keys)
        return KeptFresh(reader.read, self._cycle, vouch=vouch, clock=self._clock)

    async def _current(self, kept: Kept[Content]) -> Content:
        found = await kept.current()
        if not found.stands(await self._keys.current(), time.time()):
            # Its key was withdrawn, or the source has been away too long: what it said counts no more.
            found = await kept.renew()
            if not found.stands(await self._keys.current(), time.time()):
                raise IssuerUnavailable("it cannot be told whether the token was revoked; try again shortly")
        return found.content
