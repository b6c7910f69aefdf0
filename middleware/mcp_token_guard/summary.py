"""One question in each cycle for all that is kept: which keys and lists the authorization server has now (TK-10).

Who keeps just those need ask for none of them. The summary is not signed: it comes over the same connection as the
answer "not modified" that it stands for. Servers that have no summary are asked for each thing.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .discovery import ServerMetadata
from .fetch import Document, FetchError, fetch
from .freshness import Cycle, KeptFresh
from .refusals import IssuerUnavailable
from .status_urls import StatusUrls


@dataclass(frozen=True, slots=True)
class Stated:
    """What the server has: the names of its keys, and the version of each list by the last part of its URL."""

    url: str
    document: Document
    keys: frozenset[str]
    lists: Mapping[str, str]


class Summary:
    """The summary of one resource's lists, by which others know how fresh is what they keep."""

    def __init__(
        self,
        urls: StatusUrls,
        metadata: KeptFresh[ServerMetadata],
        cycle: Cycle,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._urls = urls
        self._metadata = metadata
        self._kept = KeptFresh(self._read, cycle, clock=clock)

    async def has_keys(self, names: frozenset[str]) -> float | None:
        """When the server had just the keys of these *names*; None when it has others, or nobody can tell."""
        stated = await self._due()
        return stated[1] if stated and stated[0].keys == names else None

    async def has_list(self, url: str, version: str | None) -> float | None:
        """When the list at *url* was of this *version*; None when it is of another, or nobody can tell."""
        stated = await self._due()
        if stated is None or version is None:
            return None
        found, at = stated
        return at if found.lists.get(url.removeprefix(found.url + "/")) == version else None

    async def settle(self) -> None:
        """Wait for what is being fetched."""
        await self._kept.settle()

    async def _due(self) -> tuple[Stated, float] | None:
        try:
            has_one = (await self._metadata.current()).status_summary is not None
            return await self._kept.due() if has_one else None
        except IssuerUnavailable:
            return None

    async def _read(self, previous: Stated | None) -> Stated:
        template = (await self._metadata.current()).status_summary
        if template is None:
            raise FetchError("the authorization server has no summary of its lists any more")
        url = self._urls.of(template)
        known = previous if previous is not None and previous.url == url else None
        document = await fetch(url, known.document if known else None)
        return known if known is not None and known.document is document else _parsed(url, document)


def _parsed(url: str, document: Document) -> Stated:
    try:
        said = json.loads(document.body)
        keys, lists = said["keys"], said["lists"]
        if not all(isinstance(each, str) for each in (*keys, *lists, *lists.values())):
            raise ValueError("names are strings")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise FetchError(f"{url} is no summary: {error!r}") from error
    return Stated(url, document, frozenset(keys), lists)
