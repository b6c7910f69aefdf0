"""Receipts on their way to the issuer: put on disk at once, sent in batches by the guard's thread, at least once.

A receipt has an id of its own, so the issuer counts it once however often it comes. It leaves the disk when the issuer
has answered for it. While the issuer is away, or answers anything else, it stays there, and calls go on.
"""

import asyncio
import json
import logging
import os
import random
import threading
import weakref
from collections.abc import Mapping
from typing import Any

from .background import finished, start
from .fetch import FetchError
from .identity import AsItself
from .refusals import IssuerUnavailable
from .spool import Portion, Spool, SpoolFull

ENDPOINT = "tool_receipts_endpoint"
INTERVAL = 1.0
LONGEST_PAUSE = 30.0
MOST_DOUBLINGS = 10
MOST_LINES = 100
MOST_BYTES = 128 * 1024  # three times as much in a form, where it is worst
ENDING_SECONDS = 1.0

log = logging.getLogger("mcp_token_guard")


class NotTaken(Exception):
    """The issuer did not answer for a batch; the text says why, for the log."""


class Delivery:
    """Brings what is put to *as_itself*'s issuer, by way of *spool*.

    Nothing that goes wrong leaves it but by the log: when it begins, and when it is over.
    """

    def __init__(self, spool: Spool, as_itself: AsItself) -> None:
        self._spool = spool
        self._as_itself = as_itself
        self._process: int | None = None
        self._lock = threading.Lock()
        self._lost = 0
        self._losing = False
        self._failures = 0
        self._most_lines = MOST_LINES

    def begin(self) -> None:
        """Send from now on what waits in the spool, in this process."""
        if self._process == os.getpid():
            return
        if self._process is not None:
            self._lock = threading.Lock()  # after a fork: a thread that is not here may have held the old one
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                self._round = asyncio.Lock()
                start(_go_on(weakref.ref(self)))

    def put(self, receipt: Mapping[str, Any]) -> None:
        """Have *receipt* sent. One that the disk does not take is counted, and the issuer is told how many."""
        self.begin()
        try:
            self._spool.put(json.dumps(receipt).encode() + b"\n")
        except SpoolFull:
            self._lose(1, "the spool is full")
        except OSError as wrong:
            self._lose(1, f"the spool cannot be written: {wrong}")
        else:
            self._losing = False

    async def settle(self) -> None:
        """Send what waits, for a second at most: the server ends. What is left is sent when the next one begins."""
        if self._process == os.getpid():
            await finished(start(self._last()))

    async def deliver(self) -> float:
        """Send all that waits; returns in how many seconds to look again. Raises nothing."""
        try:
            async with self._round:
                while portion := self._spool.portion(MOST_BYTES, self._most_lines):
                    await self._send(portion)
                if self._lost:
                    await self._say([])
        except (FetchError, IssuerUnavailable, NotTaken, OSError) as wrong:
            return self._failed(wrong)
        except Exception as wrong:  # what nobody thought of must not end the sending
            log.debug("receipts", exc_info=True)
            return self._failed(wrong)
        if self._failures:
            log.info("receipts are sent again")
        self._failures = 0
        return INTERVAL

    async def _last(self) -> None:
        try:
            async with asyncio.timeout(ENDING_SECONDS):
                await self.deliver()
            self._spool.tidy()
        except TimeoutError:
            log.warning("receipts wait on disk for the next start: %s did not take them in time", ENDPOINT)

    async def _send(self, portion: Portion) -> None:
        lines = [line for line in portion.lines if _is_object(line)]
        wrong = await self._say(lines) if lines else None
        if wrong is None:
            self._spool.dealt_with(portion)
            self._most_lines = min(MOST_LINES, self._most_lines * 2)
        elif len(portion.lines) > 1:
            self._most_lines = len(portion.lines) // 2  # one of them may be what is wrong
        else:
            self._spool.dealt_with(portion)
            self._lose(1, f"the authorization server cannot read it: {wrong}")

    async def _say(self, lines: list[bytes]) -> str | None:
        """Send *lines*; why the issuer cannot read them, or None when it has them. Raises `NotTaken`."""
        lost = self._lost
        form = {"receipts": f"[{b','.join(lines).decode()}]", **({"lost": str(lost)} if lost else {})}
        status, body = await self._as_itself.say(ENDPOINT, form)
        if status == 413 or (status == 400 and body.get("error") == "invalid_request"):
            return f"{body.get('error_description')!s:.200}"
        if status != 200 or _answered_for(body) != len(lines):
            raise NotTaken(f"{ENDPOINT} answered {status}, and not for each of {len(lines)}")
        with self._lock:
            self._lost -= lost
        if refused := body["refused"]:
            log.warning("%d receipts were refused, the first: %.200s", len(refused), refused[0])
        return None

    def _lose(self, number: int, why: str) -> None:
        with self._lock:
            self._lost += number
        if not self._losing:
            log.warning("a receipt is lost, and perhaps more: %s", why)
        self._losing = True

    def _failed(self, why: Exception) -> float:
        if not self._failures:
            log.warning("receipts cannot be sent, and wait: %s: %s", type(why).__name__, why)
        self._failures += 1
        pause: float = min(LONGEST_PAUSE, INTERVAL * 2 ** min(self._failures, MOST_DOUBLINGS))
        return pause * random.uniform(0.5, 1)  # noqa: S311 - so that guards do not all come back at once


async def _go_on(delivery: weakref.ref[Delivery]) -> None:
    """Deliver for as long as somebody has the guard."""
    pause = INTERVAL * random.uniform(0.2, 1)  # noqa: S311
    while True:
        await asyncio.sleep(pause)
        alive = delivery()
        if alive is None:
            return
        pause = await alive.deliver()
        del alive


def _answered_for(body: Mapping[str, Any]) -> int | None:
    """Of how many receipts an answer tells what became of them."""
    accepted, repeated, refused = (body.get(name) for name in ("accepted", "repeated", "refused"))
    if not isinstance(accepted, int) or not isinstance(repeated, int) or not isinstance(refused, list):
        return None
    return accepted + repeated + len(refused)


def _is_object(line: bytes) -> bool:
    """Whether *line* is whole: what a crash cut short is left out."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
