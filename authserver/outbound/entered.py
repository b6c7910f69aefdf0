"""Fetches from hosts that an administrator entered, each pinned to its host, and to private networks where chosen."""

import ssl

from .addresses import Entered, Pins
from .fetch import Fetched, SafeFetch
from .urls import parse


class EnteredFetch:
    """A safe fetch of its own for each URL: what one entry may reach, no other may, and no stranger's URL.

    ``networks`` are the private ones that the operator chose, by host and port; other entries are in public space.
    """

    def __init__(self, networks: Pins, *, proxy: str, trust: ssl.SSLContext, most_bytes: int) -> None:
        self._networks = networks
        self._proxy = proxy
        self._trust = trust
        self._most_bytes = most_bytes

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """See `SafeFetch.get`. Raises `FetchRefused`."""
        target = parse(url)
        policy = Entered(target.host, target.port, self._networks.get((target.host, target.port), ()))
        fetch = SafeFetch(policy, proxy=self._proxy, trust=self._trust, most_bytes=self._most_bytes)
        return fetch.get(url, etag=etag, last_modified=last_modified)
