"""Calls of a provider's endpoints with a code or a token, a few at a time."""

import base64
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from ...outbound.addresses import Pins
from ...outbound.correspondence import Correspondence, Message
from ...outbound.refusal import FetchRefused
from ...protocol import strict_json
from .errors import Down, NotBelieved

SECONDS = 10.0
MOST_ANSWER = 256 * 1024
SLOTS = 4  # threads of a process that wait for providers at one time: a slow one never holds all
PATIENCE = 2.0  # seconds
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of hosts that the operator entered, or that such a host's metadata names; https, and nobody is followed.

    ``networks`` are the private ones that the operator chose, by host and port.
    """

    networks: Pins
    proxy: str
    trust: ssl.SSLContext
    _slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(SLOTS))

    def token(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        """What a token endpoint answers to *form* (RFC 6749 §5.1). Raises `Down` and `NotBelieved`."""
        message = self._send(url, "POST", {**headers, "Content-Type": FORM}, urlencode(form).encode("ascii"))
        found: dict[str, Any] = _read(url, message)
        # GitHub tells errors with a status of 200.
        if message.status != 200 or "error" in found:
            raise NotBelieved(f"{url} gave no token: {found.get('error')!r:.80} (status {message.status})")
        if not isinstance(found.get("access_token"), str):
            raise NotBelieved(f"{url} gave no token")
        return found

    def resource(self, url: str, access_token: str) -> Any:  # noqa: ANN401 - whatever JSON the resource is
        """What is at *url* for whoever holds *access_token* (RFC 6750 §2.1). Raises `Down` and `NotBelieved`."""
        if not access_token.isascii() or not access_token.isprintable():
            raise NotBelieved("the access token is none")
        message = self._send(url, "GET", {"Authorization": f"Bearer {access_token}"}, b"")
        if message.status != 200:
            raise NotBelieved(f"{url} answered with status {message.status}")
        return _read(url, message, strict_json.value)

    def _send(self, url: str, method: str, headers: Mapping[str, str], body: bytes) -> Message:
        with self._slot():
            try:
                way = Correspondence(
                    url, self.networks, proxy=self.proxy, trust=self.trust, most_bytes=MOST_ANSWER, seconds=SECONDS
                )
                message = way.send(method, {"Accept": "application/json", **headers}, body)
            except FetchRefused as refused:
                raise Down(f"{url}: {refused}") from None
        if message.status >= 500:
            raise Down(f"{url} answered with status {message.status}")
        return message

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=PATIENCE):
            raise Down("too many people are signing in there at the moment")
        try:
            yield
        finally:
            self._slots.release()


def basic(client_id: str, secret: str) -> dict[str, str]:
    """The header that proves a client by its secret; both are encoded as in a form first (RFC 6749 §2.3.1)."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}


def _read(url: str, message: Message, loads: Any = strict_json.loads) -> Any:  # noqa: ANN401 - JSON
    try:
        return loads(message.body)
    except ValueError:
        raise Down(f"{url} did not answer with JSON (status {message.status})") from None
