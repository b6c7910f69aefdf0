"""What is challenged for, registered at the authorization server.

A call outside its limits gets a scope there to ask its permission by (``limit:<id>``), for clients that know nothing of
limits. A tool, or a single call of it, is announced: clients keep the scopes of a challenge and send them along with
the next one, so the server takes for asked only what was announced a moment ago. What is registered is bounded, in all
and for each caller, and the same is registered once in a minute, so that nobody floods the authorization server through
a guard.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from . import derived
from .caller import Caller
from .fetch import FetchError
from .identity import AsItself
from .limits import reading
from .refusals import IssuerUnavailable

ENDPOINT = "tool_challenge_endpoint"
SECONDS = 60.0
MOST = 120
MOST_EACH = 12

log = logging.getLogger("mcp_token_guard")


@dataclass(slots=True)
class _Registered:
    """When, for whom, and by which scope; None while that is not known, and where there was none to be had."""

    when: float
    who: tuple[str, str, str]
    scope: object = None


class Remedies:
    """The scopes by which permission for single calls may be asked."""

    def __init__(self, as_itself: AsItself | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._as_itself = as_itself
        self._clock = clock
        self._known: dict[bytes, _Registered] = {}

    async def scope(self, caller: Caller, detail: Mapping[str, object]) -> str | None:
        """The scope that asks for *detail*, which lets a call of *caller* through; None where there is none."""
        jti = caller.claims.get("jti")
        if self._as_itself is None or not isinstance(jti, str):
            return None
        form = {"jti": jti, "authorization_details": json.dumps([detail], sort_keys=True)}
        return derived.of_limit(await self._told(self._as_itself, caller, form))

    async def announce(self, caller: Caller, tool: str, *, once: bool) -> None:
        """Say that *caller* is challenged for *tool*, or for a single call of it; what cannot be said is not."""
        jti = caller.claims.get("jti")
        if self._as_itself is None or not isinstance(jti, str):
            return
        detail = {"type": reading.TYPE, "locations": [caller.resource], "tools": [tool]}
        form = {"jti": jti, "authorization_details": json.dumps([detail]), **({"once": "true"} if once else {})}
        await self._told(self._as_itself, caller, form)

    async def _told(self, as_itself: AsItself, caller: Caller, form: Mapping[str, str]) -> object:
        """The scope in the answer to *form*; None where there is none."""
        key = sha256(json.dumps(form, sort_keys=True).encode("utf-8", "surrogatepass")).digest()
        self._forget()
        if key not in self._known and not self._has_room(caller.identity):
            return None
        mine = _Registered(self._clock(), caller.identity)
        known = self._known.setdefault(key, mine)
        if known is mine:
            mine.scope = await _registered(as_itself, form)
        return known.scope

    def _forget(self) -> None:
        """Drop what is older than a minute; what is kept is never more than what may be registered in one."""
        oldest = self._clock() - SECONDS
        for key, known in list(self._known.items()):
            if known.when <= oldest:
                self._known.pop(key, None)

    def _has_room(self, who: tuple[str, str, str]) -> bool:
        known = list(self._known.values())
        return len(known) < MOST and sum(each.who == who for each in known) < MOST_EACH


async def _registered(as_itself: AsItself, form: Mapping[str, str]) -> object:
    try:
        status, answer = await as_itself.say(ENDPOINT, form)
    except (FetchError, IssuerUnavailable) as failed:
        log.warning("a challenge cannot be registered: %s", failed)
        return None
    return answer.get("scope") if status == 200 else None
