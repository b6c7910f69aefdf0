"""Tokens that say nothing: their issuer is asked about each, and believed for a moment (RFC 7662, TK-2).

The guard asks as itself, once for all who wait for the same answer. An answer, a negative one too, is used no longer
than some seconds from the question on, and never past the token's ``exp``. Where there is no answer nobody gets in.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from .background import finished, start
from .fetch import FetchError
from .freshness import NEVER
from .identity import AsItself
from .refusals import IssuerUnavailable, TokenRefused

OPAQUE = "mcpa_"
"""How an opaque token begins."""

ENDPOINT = "introspection_endpoint"
ABOUT_THE_ANSWER = frozenset({"active", "token_type"})
MOST_REMEMBERED = 10_000
MOST_QUESTIONS = 100
"""At one time: what strangers make up is asked about too."""

LAST_SECOND = 10**12
SAID_AGAIN = 60.0
"""Seconds after which the log is told again."""

log = logging.getLogger("mcp_token_guard")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the issuer says of a token, None for one that counts nothing; used until ``until`` of the clock."""

    claims: dict[str, Any] | None
    until: float


class Introspection:
    """Asks the issuer about opaque tokens, for all threads and event loops of a process."""

    def __init__(self, as_itself: AsItself | None, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """*as_itself* is None for a guard without identity, which takes no such token; *seconds* of *clock*."""
        self._as_itself = as_itself
        self._seconds = seconds
        self._clock = clock
        self._answers: dict[bytes, _Answer] = {}
        self._questions: dict[bytes, Future[_Answer]] = {}
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._said = NEVER

    async def claims(self, token: str) -> dict[str, Any]:
        """What *token* says, as its issuer has it; not yet judged.

        Raises `TokenRefused` for one that counts nothing, and `IssuerUnavailable` when nobody can tell.
        """
        if self._as_itself is None:
            self._say_once("an opaque token came, and without Guard(identity=…) the issuer cannot be asked about it")
            raise TokenRefused("opaque tokens are not taken here")
        digest = sha256(token.encode()).digest()
        answer = self._answers.get(digest)
        if answer is None or self._clock() >= answer.until:
            question = self._question(digest, token, self._as_itself)
            await finished(question)
            answer = question.result()
        if answer.claims is None:
            raise TokenRefused("the token is not, or no longer, valid")
        return answer.claims

    def accepted(self, token: str) -> bool:
        """Whether the issuer said of *token* that it is for this server, as far as that is remembered."""
        answer = self._answers.get(sha256(token.encode()).digest())
        return answer is not None and answer.claims is not None

    def _question(self, digest: bytes, token: str, as_itself: AsItself) -> "Future[_Answer]":
        """The question about a token that is under way, or a new one."""
        if self._process != os.getpid():
            # After a fork, what was under way is the parent's: it would never end here.
            self._process, self._lock, self._questions = os.getpid(), threading.Lock(), {}
        with self._lock:
            question = self._questions.get(digest)
            if question is None:
                if len(self._questions) >= MOST_QUESTIONS:
                    raise IssuerUnavailable("too many tokens are being asked about; try again shortly")
                question = self._questions[digest] = start(self._ask(digest, token, as_itself))
        return question

    async def _ask(self, digest: bytes, token: str, as_itself: AsItself) -> _Answer:
        begun = self._clock()
        try:
            status, found = await as_itself.say(ENDPOINT, {"token": token, "token_type_hint": "access_token"})
            answer = self._read(status, found, begun)
            self._remember(digest, answer)
        except FetchError as error:
            self._say_once(f"cannot ask about an opaque token: {error}")
            raise IssuerUnavailable("the authorization server cannot be reached; try again shortly") from error
        finally:
            with self._lock:
                self._questions.pop(digest, None)
        return answer

    def _read(self, status: int, found: Mapping[str, Any], begun: float) -> _Answer:
        if status != 200 or not isinstance(found.get("active"), bool):
            raise FetchError(f"the authorization server answered {status} {found.get('error', '')!s:.100}")
        if not found["active"]:
            return _Answer(None, begun + self._seconds)
        expires_at = found.get("exp")
        left = min(expires_at, LAST_SECOND) - time.time() if isinstance(expires_at, int | float) else 0.0
        claims = {name: value for name, value in found.items() if name not in ABOUT_THE_ANSWER}
        return _Answer(claims, begun + min(self._seconds, left))

    def _remember(self, digest: bytes, answer: _Answer) -> None:
        with self._lock:
            self._answers.pop(digest, None)
            while len(self._answers) >= MOST_REMEMBERED:
                del self._answers[next(iter(self._answers))]
            self._answers[digest] = answer

    def _say_once(self, text: str) -> None:
        if time.monotonic() - self._said >= SAID_AGAIN:
            self._said = time.monotonic()
            log.warning("%s", text)
