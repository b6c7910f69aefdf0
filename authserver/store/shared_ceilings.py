"""Ceilings that several processes share through Redis or Valkey, without a call ever waiting for it.

Each process decides by its own counts. Some times a second it tells what it admitted since, and is told what all
together did: so all of them are over a ceiling by no more than what the others admit in that time. When Redis cannot be
reached, each goes on by itself; what Redis has forgotten, each still knows of its own.
"""

import hashlib
import threading
from typing import Any

import structlog

from .ceilings import Ceiling, Ceilings

PAUSE = 0.25  # seconds
PAUSE_WHEN_GONE = 2.0
PATIENCE = 1.0  # seconds that Redis may take; only the thread here waits for it
AT_ONCE = 500
PREFIX = "mcp-authserver:ceiling:"
# By the clock of Redis: those of the nodes may differ. That one may be set back, so what is owed has an upper bound.
COUNT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local free_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + tonumber(ARGV[1])
free_at = math.min(free_at, now + tonumber(ARGV[2]))
redis.call('SET', KEYS[1], string.format('%.6f', free_at), 'PX', math.ceil((free_at - now) * 1000) + 1000)
return string.format('%.6f', free_at - now)
"""
log = structlog.get_logger(__name__)
Taken = tuple[Ceiling, str, str, float]
"""A ceiling, a key of it, the name of both in Redis, and the seconds that were taken of it."""


class SharedCeilings:
    """Brings *ceilings* together with those of other processes that use the Redis at *url*."""

    def __init__(self, ceilings: Ceilings, url: str) -> None:
        """Needs the extra ``redis``; nothing is connected to yet."""
        import redis  # noqa: PLC0415 - it is there only where the extra is

        self._ceilings = ceilings
        self._failure = (redis.RedisError, OSError)
        timeouts = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        self._redis: Any = redis.Redis.from_url(url, **timeouts)
        self._count = self._redis.register_script(COUNT)
        self.reachable: bool | None = None
        """Whether Redis answered the last time; None before the first. For metrics."""
        self._take()

    def start(self) -> threading.Event:
        """Agree in a daemon thread until the returned event is set."""
        stop = threading.Event()
        threading.Thread(target=self._run, args=(stop,), name="ceilings", daemon=True).start()
        return stop

    def agree(self) -> bool:
        """Tell what was admitted since the last time, and take over what all did; whether Redis could be reached."""
        try:
            taken = self._take()
            for at in range(0, len(taken), AT_ONCE):
                self._exchange(taken[at : at + AT_ONCE])
            if not taken or self.reachable is not True:
                self._redis.ping()
        except self._failure as failed:
            self._note(reachable=False, why=str(failed))
            return False
        self._note(reachable=True)
        return True

    def _take(self) -> list[Taken]:
        return [
            (ceiling, key, _named(name, key), count * ceiling.one)
            for name, ceiling in self._ceilings
            for key, count in ceiling.taken().items()
        ]

    def _exchange(self, asked: list[Taken]) -> None:
        with self._redis.pipeline(transaction=False) as pipeline:
            for ceiling, _, name, seconds in asked:
                self._count(keys=[name], args=[f"{seconds:.6f}", ceiling.most_owed], client=pipeline)
            debts = pipeline.execute()
        for (ceiling, key, _, _), debt in zip(asked, debts, strict=True):
            ceiling.owes({key: float(debt)})

    def _note(self, *, reachable: bool, why: str = "") -> None:
        if reachable is not self.reachable:
            if reachable:
                log.info("ceilings are shared with the other processes by Redis")
            else:
                log.warning("Redis cannot be reached: this process counts by itself", private=why)
        self.reachable = reachable

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE if self.reachable is not False else PAUSE_WHEN_GONE):
            try:
                self.agree()
            except Exception:
                log.exception("ceilings are not shared")


def _named(ceiling: str, key: str) -> str:
    """The name in Redis: addresses and ids are nobody's business there."""
    return PREFIX + hashlib.sha256(f"{ceiling}\0{key}".encode()).hexdigest()[:32]
