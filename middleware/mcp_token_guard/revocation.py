"""Has this token been revoked since? Asked at every call, answered from lists that are kept fresh (TK-10).

A token names its status list and its place there; tokens that were revoked one by one are on a second, short list of
this resource. Both are fetched from the configured issuer only, on the same cycle as its keys.
"""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

from .discovery import ServerMetadata
from .freshness import KeptFresh
from .keys import Keys
from .refusals import IssuerUnavailable, TokenRefused
from .signed_list import Entries, ListReader, SignedList, entries, revoked

MOST_LISTS = 256
TAG_CHARACTERS = 22
PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+")
MOST_PATH = 512

Content = TypeVar("Content")
Kept = KeptFresh[SignedList[Content]]


@dataclass(frozen=True, slots=True)
class Cycle:
    """How often lists are checked, and how old an answer may be; in seconds."""

    interval: float
    bound: float


class Revocations:
    """The lists that the tokens of one resource are on."""

    def __init__(
        self, issuer: str, resource: str, keys: Keys, metadata: KeptFresh[ServerMetadata], cycle: Cycle
    ) -> None:
        self._issuer = issuer
        self._base = issuer.removesuffix("/")
        digest = urlsafe_b64encode(sha256(resource.encode()).digest()).decode()
        self._tag = digest[:TAG_CHARACTERS]
        self._keys = keys
        self._metadata = metadata
        self._cycle = cycle
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
        if uri not in self._lists and not self._is_own(uri):
            raise TokenRefused("the token's status list is not its issuer's")
        return uri, index

    def _is_own(self, uri: str) -> bool:
        path = uri.removeprefix(self._base)
        return uri.startswith(self._base) and len(path) <= MOST_PATH and PATH.fullmatch(path) is not None

    def _list(self, uri: str) -> Kept[Entries]:
        kept = self._lists.get(uri)
        if kept is None:
            if len(self._lists) >= MOST_LISTS:
                self._lists.pop(next(iter(self._lists)), None)
            reader = ListReader(uri, self._issuer, "statuslist+jwt", entries, self._keys)
            kept = KeptFresh(reader.read, interval=self._cycle.interval, bound=self._cycle.bound)
            kept = self._lists.setdefault(uri, kept)
        return kept

    async def _single_tokens(self) -> Kept[frozenset[str]] | None:
        template = (await self._metadata.current()).revoked_tokens
        if template is None:
            return None
        uri = template.replace("{resource}", self._tag)
        if not self._is_own(uri):
            raise IssuerUnavailable("the authorization server's list of revoked tokens is somewhere else")
        if self._single is None or self._single[0] != uri:
            reader = ListReader(uri, self._issuer, "revoked-tokens+jwt", revoked, self._keys)
            self._single = uri, KeptFresh(reader.read, interval=self._cycle.interval, bound=self._cycle.bound)
        return self._single[1]

    async def _current(self, kept: Kept[Content]) -> Content:
        found = await kept.current()
        if not found.stands(await self._keys.current(), time.time()):
            # Its key was withdrawn, or the source has been away too long: what it said counts no more.
            found = await kept.renew()
            if not found.stands(await self._keys.current(), time.time()):
                raise IssuerUnavailable("it cannot be told whether the token was revoked; try again shortly")
        return found.content
