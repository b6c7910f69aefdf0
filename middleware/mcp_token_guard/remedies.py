"""What is challenged for, registered at the authorization server.

A call outside its limits gets a scope there to ask its permission by (``limit:<id>``), for clients that know nothing of
limits. A tool, or a single call of it, is announced: clients keep the scopes of a challenge and send them along with
the next one, so the server takes for asked only what was announced, and not answered since. Only the server knows when
a person has answered, so nothing is remembered here: each challenge is told anew, and the server has one scope for the
same while it waits. How often that is done is bounded, in all and for each caller, so that nobody floods the server
through a guard.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping

from . import derived
from .caller import Caller
from .fetch import FetchError
from .identity import AsItself
from .limits import reading
from .refusals import IssuerUnavailable

ENDPOINT = "tool_challenge_endpoint"
SECONDS = 60.0
MOST = 640
MOST_EACH = 64

log = logging.getLogger("mcp_token_guard")


class Remedies:
    """The scopes by which permission for tools and single calls may be asked."""

    def __init__(self, as_itself: AsItself | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._as_itself = as_itself
        self._clock = clock
        self._told: list[tuple[float, tuple[str, str, str]]] = []

    async def scope(self, caller: Caller, detail: Mapping[str, object]) -> str | None:
        """The scope that asks for *detail*, which lets a call of *caller* through; None where there is none."""
        if self._as_itself is None:
            return None
        form = {"authorization_details": json.dumps([detail], sort_keys=True)}
        return derived.of_limit(await self._answer(self._as_itself, caller, form))

    async def announce(self, caller: Caller, tool: str, scope: str, *, once: bool) -> bool:
        """Whether *caller* can ask for *tool*, or for a single call of it, by *scope*: the issuer says that it knows.

        A guard without an identity cannot tell it, and its issuer does not expect that.
        """
        if self._as_itself is None:
            return True
        detail = {"type": reading.TYPE, "locations": [caller.resource], "tools": [tool]}
        form = {"authorization_details": json.dumps([detail]), **({"once": "true"} if once else {})}
        return await self._answer(self._as_itself, caller, form) == scope

    async def _answer(self, as_itself: AsItself, caller: Caller, form: Mapping[str, str]) -> object:
        """The scope in the answer to *form*; None where there is none."""
        jti = caller.claims.get("jti")
        if not isinstance(jti, str) or not self._has_room(caller.identity):
            return None
        try:
            status, answer = await as_itself.say(ENDPOINT, {"jti": jti, **form})
        except (FetchError, IssuerUnavailable) as failed:
            log.warning("a challenge cannot be registered: %s", failed)
            return None
        return answer.get("scope") if status == 200 else None

    def _has_room(self, who: tuple[str, str, str]) -> bool:
        """Whether one more may be told for *who*; it counts as told then."""
        now = self._clock()
        told = [one for one in self._told if one[0] > now - SECONDS]
        has_room = len(told) < MOST and sum(each == who for _, each in told) < MOST_EACH
        # Replaced whole: threads that are here at one instant may miss each other's, and never see a half.
        self._told = [*told, (now, who)] if has_room else told
        return has_room
