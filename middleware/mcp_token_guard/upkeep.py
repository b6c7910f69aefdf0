"""All that a guard keeps of its issuer, and keeps fresh: metadata, keys, and lists of what counts no more."""

import time
from collections.abc import Callable, Collection

from .discovery import Discovery, ServerMetadata
from .freshness import Cycle, KeptFresh
from .keys import Keys
from .revocation import Revocations
from .status_urls import StatusUrls
from .summary import Summary

METADATA_INTERVAL = 300.0


class Upkeep:
    """For one *issuer* and one *resource*; keys and lists in one *cycle* of *clock*, the metadata more seldom."""

    def __init__(
        self,
        issuer: str,
        resource: str,
        algorithms: Collection[str],
        cycle: Cycle,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # It outlives any outage: where the keys are is no reason to refuse while the keys themselves are fresh.
        seldom = Cycle.spread(METADATA_INTERVAL, float("inf"))
        urls = StatusUrls(issuer, resource)
        self.metadata: KeptFresh[ServerMetadata] = KeptFresh(Discovery(issuer).read, seldom, clock=clock)
        self._summary = Summary(urls, self.metadata, cycle, clock)
        self.keys = Keys(self.metadata, algorithms, self._summary, cycle, clock)
        self.revocations = Revocations(issuer, urls, self.keys, self.metadata, self._summary, cycle, clock)

    async def settle(self) -> None:
        """Wait for what is being fetched."""
        for each in (self.keys, self.revocations, self._summary, self.metadata):
            await each.settle()
