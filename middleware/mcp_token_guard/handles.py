"""Handles of state that a client is given to bring back: good only from the caller to whom they were given.

A caller is the issuer, the subject and the client together (MCP, Security Best Practices, Session Hijacking). Whoever
else brings a handle learns no more than of one that never was.
"""

import base64
import hmac
import json
import time
from collections.abc import Callable
from hashlib import sha256

from .caller import Caller

FEWEST_KEY_BYTES = 32
MAC_BYTES = 32
TIME_BYTES = 8
MOST_CHARACTERS = 16_384
PURPOSE = b"mcp_token_guard handle 1\x00"


class HandleUnknown(ValueError):
    """The handle is not one that this caller was given, or its time is over; which of them is not told."""


class Handles:
    """Seals and opens handles with *key*, of 32 random bytes or more; *previous* keys open what they sealed.

    What is sealed cannot be changed or used by others. It can be read by who holds it: put nothing secret inside.
    Raises `ValueError` for a key that is too short.
    """

    def __init__(self, key: bytes, *previous: bytes, clock: Callable[[], float] = time.time) -> None:
        self._keys = (key, *previous)
        self._clock = clock
        if any(len(each) < FEWEST_KEY_BYTES for each in self._keys):
            raise ValueError(f"a key has at least {FEWEST_KEY_BYTES} bytes")

    def seal(self, state: bytes, caller: Caller, lifetime: float) -> str:
        """A handle of *state* for *caller*, good for *lifetime* seconds; characters are those of base64url."""
        content = int(self._clock() + lifetime).to_bytes(TIME_BYTES, "big") + state
        return base64.urlsafe_b64encode(_mac(self._keys[0], content, caller) + content).decode("ascii").rstrip("=")

    def open(self, handle: str, caller: Caller) -> bytes:
        """The state that was sealed for *caller*. Raises `HandleUnknown`."""
        sealed = _decoded(handle)
        mac, content = sealed[:MAC_BYTES], sealed[MAC_BYTES:]
        good = [hmac.compare_digest(mac, _mac(key, content, caller)) for key in self._keys]
        if not any(good) or self._clock() >= int.from_bytes(content[:TIME_BYTES], "big"):
            raise HandleUnknown("there is no such handle")
        return content[TIME_BYTES:]


def _mac(key: bytes, content: bytes, caller: Caller) -> bytes:
    # As JSON, no two callers read the same.
    owner = json.dumps(caller.identity).encode("ascii")
    return hmac.digest(key, PURPOSE + sha256(owner).digest() + content, "sha256")


def _decoded(handle: str) -> bytes:
    if len(handle) > MOST_CHARACTERS or not handle.isascii():
        raise HandleUnknown("there is no such handle")
    try:
        sealed = base64.b64decode(handle + "=" * (-len(handle) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise HandleUnknown("there is no such handle") from None
    if len(sealed) < MAC_BYTES + TIME_BYTES:
        raise HandleUnknown("there is no such handle")
    return sealed
