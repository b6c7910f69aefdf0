"""One careful request: no redirect, no more than so many bytes, no longer than so many seconds."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpx2

from .urls import is_loopback

MOST_BYTES = 256 * 1024
MOST_SECONDS = 5.0


class FetchError(Exception):
    """The document could not be had; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Document:
    """What was fetched: the body's bytes, and the ``ETag`` it came with."""

    body: bytes
    etag: str | None


async def fetch(url: str, previous: Document | None = None, *, accept: str = "application/json") -> Document:
    """The document at *url*; *previous* itself when it has not changed (RFC 9110 §13.1.2).

    Raises `FetchError` unless the answer is 200 (or 304 to *previous*), within 256 KiB and 5 seconds.
    """
    try:
        async with asyncio.timeout(MOST_SECONDS):
            return await _get(url, previous, accept)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
        raise FetchError(f"{url}: {type(error).__name__} {error}") from error


async def post(url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body of the answer to *form* at *url*. Raises `FetchError` without one in 5 seconds."""
    try:
        async with (
            asyncio.timeout(MOST_SECONDS),
            _client(url) as client,
            client.stream("POST", url, data=dict(form), headers={"Accept": "application/json"}) as response,
        ):
            return response.status_code, await _body(response)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
        raise FetchError(f"{url}: {type(error).__name__} {error}") from error


async def _get(url: str, previous: Document | None, accept: str) -> Document:
    headers = {"Accept": accept}
    if previous is not None and previous.etag is not None:
        headers["If-None-Match"] = previous.etag
    async with (
        _client(url) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        if response.status_code == 304 and previous is not None:
            return previous
        if response.status_code != 200:
            raise FetchError(f"{url} answered {response.status_code}")
        document = Document(await _body(response), response.headers.get("etag"))
    return previous if previous is not None and previous.body == document.body else document


def _client(url: str) -> httpx2.AsyncClient:
    # A proxy of the environment is for what is far away: what is said on loopback stays there.
    far = not is_loopback(urlsplit(url).hostname or "")
    return httpx2.AsyncClient(verify=_tls(), timeout=MOST_SECONDS, trust_env=far)


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise FetchError(f"{response.url} is larger than {MOST_BYTES} bytes")
    return bytes(body)


@cache
def _tls() -> ssl.SSLContext:
    """The machine's trusted roots, read once: that alone takes a tenth of a second."""
    return httpx2.create_ssl_context()
