"""Permissions for one single call: the authorization server counts them, and is asked before such a call goes on.

The one exception to "no question per request": whatever is not a plain yes or no leaves the call undone (503), and
what was asked once is never asked again for the same call, since an answer that was lost may have been yes.
"""

import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256

from .caller import Caller
from .fetch import FetchError
from .identity import AsItself
from .messages import Message
from .refusals import BodyMalformed, IssuerUnavailable

ENDPOINT = "tool_permission_endpoint"
MOST_REMEMBERED = 10_000

UNCONFIRMED = "the permission for this one call cannot be confirmed now; the call was not made"
NOTE = ", one-time permission unconfirmed"

log = logging.getLogger("mcp_token_guard")


class _UnconfirmedError(Exception):
    """There was no answer, or one that is neither yes nor no; the text is for the log."""


class Permissions:
    """Uses permissions up. Those that are spent are remembered, so that a token with two has the second one used."""

    def __init__(self, as_itself: AsItself | None) -> None:
        self._as_itself = as_itself
        self._spent: dict[str, None] = {}

    def unspent(self, permissions: Iterable[str]) -> str | None:
        """The first of *permissions* that is not known to be spent."""
        return next((permission for permission in permissions if permission not in self._spent), None)

    async def consume(self, caller: Caller, permission: str, call: Message) -> bool:
        """Whether *call* may be made now, under *permission*, which is then spent.

        Raises `IssuerUnavailable` when that cannot be known, and `BodyMalformed`.
        """
        form = {"permission": permission, "tool": call.name or "", "arguments_digest": digest(call.arguments or {})}
        try:
            consumed = await self._ask({**form, "jti": _jti(caller)})
        except _UnconfirmedError as why:
            log.warning("a permission for one call cannot be used: %s", why)
            raise IssuerUnavailable(UNCONFIRMED, request_id=call.request_id, note=NOTE) from None
        self._remember(permission)
        return consumed

    async def _ask(self, form: Mapping[str, str]) -> bool:
        if self._as_itself is None:
            raise _UnconfirmedError("the guard has no identity")
        try:
            status, answer = await self._as_itself.say(ENDPOINT, form)
        except (FetchError, IssuerUnavailable) as failed:
            raise _UnconfirmedError(str(failed)) from None
        consumed = answer.get("consumed")
        if status != 200 or not isinstance(consumed, bool):
            raise _UnconfirmedError(f"the answer was {status}, and neither yes nor no")
        return consumed

    def _remember(self, permission: str) -> None:
        while len(self._spent) >= MOST_REMEMBERED:
            with suppress(KeyError, RuntimeError, StopIteration):  # another thread was here
                del self._spent[next(iter(self._spent))]
        self._spent[permission] = None


def digest(arguments: Mapping[str, object]) -> str:
    """SHA-256 of *arguments* as JSON with sorted names and no spaces, in base64url. Raises `BodyMalformed`."""
    try:
        text = json.dumps(arguments, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        raise BodyMalformed("the arguments are nested too deeply") from None
    # A surrogate without its other half is JSON, and no UTF-8.
    return urlsafe_b64encode(sha256(text.encode("utf-8", "surrogatepass")).digest()).rstrip(b"=").decode("ascii")


def _jti(caller: Caller) -> str:
    jti = caller.claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise _UnconfirmedError("the token has no jti")
    return jti
