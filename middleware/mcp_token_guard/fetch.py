"""One careful request: no redirect, no cookie, no more than so many bytes, no longer than so many seconds.

All of them are made in the guard's own thread, over connections that are kept from one to the next: what a guard asks
every other second costs neither side a handshake each time.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2

from .background import ask, at_end
from .urls import is_loopback

MOST_BYTES = 256 * 1024
MOST_SECONDS = 5.0
REST_SECONDS = 4.0  # after which a connection is used no more; common servers close theirs after five

T = TypeVar("T")
# Of each event loop: after a fork there is another one, and what was here is the parent's, never used nor closed.
_clients: dict[tuple[asyncio.AbstractEventLoop, bool], httpx2.AsyncClient] = {}


class FetchError(Exception):
    """The document could not be had; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Document:
    """What was fetched: the body's bytes, and the ``ETag`` it came with, if it can be sent back."""

    body: bytes
    etag: str | None


async def fetch(url: str, previous: Document | None = None, *, accept: str = "application/json") -> Document:
    """The document at *url*; *previous* itself when it has not changed (RFC 9110 §13.1.2).

    Raises `FetchError` unless the answer is 200 (or 304 to *previous*), within 256 KiB and 5 seconds.
    """
    return await ask(_in_time(url, _get(url, previous, accept)))


async def post(url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body of the answer to *form* at *url*. Raises `FetchError` without one in 5 seconds."""
    return await ask(_in_time(url, _post(url, form)))


async def _in_time(url: str, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(MOST_SECONDS):
            return await work
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
        raise FetchError(f"{url}: {type(error).__name__} {error}") from error


async def _get(url: str, previous: Document | None, accept: str) -> Document:
    headers = {"Accept": accept}
    if previous is not None and previous.etag is not None:
        headers["If-None-Match"] = previous.etag
    try:
        status, etag, body = await _ask_for(url, headers)
    except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
        # The server may have closed a kept connection in the moment in which we asked.
        status, etag, body = await _ask_for(url, headers)
    if status == 304 and previous is not None:
        return previous
    if status != 200:
        raise FetchError(f"{url} answered {status}")
    return previous if previous is not None and previous.body == body else Document(body, etag)


async def _ask_for(url: str, headers: Mapping[str, str]) -> tuple[int, str | None, bytes]:
    """Status, ``ETag`` and body; read to its end whatever it is, for a connection is kept only then."""
    async with _client(url).stream("GET", url, headers=headers) as response:
        etag = response.headers.get("etag")
        return response.status_code, etag if etag and etag.isascii() else None, await _body(response)


async def _post(url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
    accepted = {"Accept": "application/json"}
    async with _client(url).stream("POST", url, data=dict(form), headers=accepted) as response:
        return response.status_code, await _body(response)


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise FetchError(f"{response.url} is larger than {MOST_BYTES} bytes")
    return bytes(body)


def _client(url: str) -> httpx2.AsyncClient:
    # A proxy of the environment is for what is far away: what is said on loopback stays there.
    far = not is_loopback(urlsplit(url).hostname or "")
    of_this_loop = asyncio.get_running_loop(), far
    if of_this_loop not in _clients:
        _clients[of_this_loop] = httpx2.AsyncClient(
            verify=_tls(),
            timeout=MOST_SECONDS,
            trust_env=far,
            limits=httpx2.Limits(keepalive_expiry=REST_SECONDS),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
    return _clients[of_this_loop]


async def _close() -> None:
    loop = asyncio.get_running_loop()
    for of_this_loop in [key for key in _clients if key[0] is loop]:
        await _clients.pop(of_this_loop).aclose()


@cache
def _tls() -> ssl.SSLContext:
    """The machine's trusted roots, read once: that alone takes a tenth of a second."""
    return httpx2.create_ssl_context()


at_end(_close)
