"""Documents of others, kept as long as they may be: fetched once however many ask, and served stale when they fail."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from ..observability.tally import Tally
from ..outbound.fetch import Fetched, FetchRefused, Refusal
from ..outbound.freshness import lifetime
from ..protocol.errors import OAuthError, TemporarilyUnavailable
from ..store.fetched import AGAIN_SECONDS, STALE_SECONDS, FetchedDocument, FetchedStore

log = structlog.get_logger(__name__)

LEAST_FRESH = 300
MOST_FRESH = 86_400
DEFAULT_FRESH = 3600
RETRY_SECONDS = 60
BUSY_SECONDS = 1
LEASE_SECONDS = 10
POLL_SECONDS = 0.05
WAITING = 4  # requests of a process that wait for a fetch at one time: a slow source never holds all threads


class Source(Protocol):
    """A safe fetch (`authserver.outbound.fetch.SafeFetch`)."""

    def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """What *url* answers. Raises `FetchRefused`."""


class DocumentUnavailable(Exception):
    """There is no document to be had; the text says why, in a sentence for a stranger."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents by URL.

    ``check`` raises an `OAuthError` for a body that must not take the place of a good one. ``prefix`` sets apart what
    has another check, or was fetched under another policy than that for strangers' URLs: who calls the URL of a
    document that of a key set must not spoil the document.
    """

    store: FetchedStore
    source: Source
    check: Callable[[str, str], object]
    prefix: str = ""
    outcomes: Tally = field(default_factory=Tally)
    _slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(WAITING))

    def kept(self, url: str) -> FetchedDocument | None:
        """The document as it is known here, not older than it may be; never fetches."""
        found = self.store.current(self.prefix + url) or self.store.find(self.prefix + url)
        return found if found and _usable(found) else None

    def get(self, url: str, admit: Callable[[], None]) -> FetchedDocument:
        """The document: the kept one while it is current, else a fetched one, else the kept one while not too old.

        *admit* is called before anything is fetched, and may raise. Raises `DocumentUnavailable`, and
        `TemporarilyUnavailable` when too many wait already.
        """
        if found := self.store.current(self.prefix + url):
            return found
        found = self.store.find(self.prefix + url)
        if found and (found.is_current or found.retry_in > 0):
            return _checked(found)
        admit()
        if not self._slots.acquire(blocking=False):
            return _stale(found)
        try:
            return _checked(self._renewed(url, found))
        finally:
            self._slots.release()

    def renew(self, url: str) -> None:
        """Fetch the document again, unless that was done just now by whichever process; says nothing of failures."""
        if self.may_renew(url) and self.store.claim(self.prefix + url, LEASE_SECONDS):
            self._fetch(url, self.store.find(self.prefix + url))

    def may_renew(self, url: str) -> bool:
        """Whether there is a point in fetching the document again: it was not fetched, and did not fail, just now."""
        found = self.store.find(self.prefix + url)
        return found is None or (not found.pinned and found.age >= AGAIN_SECONDS and found.retry_in <= 0)

    def _renewed(self, url: str, found: FetchedDocument | None) -> FetchedDocument | None:
        if self.store.claim(self.prefix + url, LEASE_SECONDS):
            self._fetch(url, found)
        elif found and _usable(found):
            return found
        else:
            self._await(url)
        return self.store.find(self.prefix + url)

    def _fetch(self, url: str, found: FetchedDocument | None) -> None:
        etag, last_modified = (found.etag, found.last_modified) if found and found.body is not None else (None, None)
        try:
            self._save(url, self.source.get(url, etag=etag, last_modified=last_modified))
            self.outcomes.add("fetched")
        except FetchRefused as refused:
            log.info("fetch.refused", url=url.partition("?")[0], reason=refused.reason.value)
            self.outcomes.add(refused.reason.value)
            retry_in = BUSY_SECONDS if refused.reason is Refusal.BUSY else RETRY_SECONDS
            self.store.fail(self.prefix + url, f"{refused}", retry_in)
        except UnicodeDecodeError:
            self.outcomes.add("not_right")
            self.store.fail(self.prefix + url, "the document is not UTF-8 text", RETRY_SECONDS)
        except OAuthError as wrong:
            self.outcomes.add("not_right")
            self.store.fail(self.prefix + url, f"the document is not right: {wrong.description}", RETRY_SECONDS)

    def _save(self, url: str, answer: Fetched) -> None:
        seconds = lifetime(answer.headers, least=LEAST_FRESH, most=MOST_FRESH, default=DEFAULT_FRESH)
        if answer.status == 304:
            self.store.confirm(self.prefix + url, seconds)
            return
        body = answer.body.decode("utf-8")
        self.check(url, body)
        about = answer.headers.get("etag"), answer.headers.get("last-modified")
        self.store.keep(self.prefix + url, body, *about, seconds)

    def _await(self, url: str) -> None:
        """Wait for whoever fetches, no longer than a fetch may take."""
        until = time.monotonic() + LEASE_SECONDS
        while time.monotonic() < until:
            found = self.store.find(self.prefix + url)
            if found and (found.is_current or found.retry_in > 0):
                return
            time.sleep(POLL_SECONDS)


def _usable(found: FetchedDocument) -> bool:
    return found.body is not None and (found.pinned or found.age <= STALE_SECONDS)


def _checked(found: FetchedDocument | None) -> FetchedDocument:
    if found is None or not _usable(found):
        raise DocumentUnavailable((found.failure if found else None) or "the document did not arrive in time")
    return found


def _stale(found: FetchedDocument | None) -> FetchedDocument:
    if found and _usable(found):
        return found
    raise TemporarilyUnavailable("too many documents are being fetched; try again", retry_after=2)
