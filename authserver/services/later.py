"""What a request starts and must not wait for."""

import queue
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

import structlog

MOST_WAITING = 100
THREADS = 4  # one slow source holds up no other
log = structlog.get_logger(__name__)


class Later:
    """Does things in a few threads of its own; what waits already is not queued twice."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[str, Callable[[], None]]] = queue.Queue(MOST_WAITING)
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._threads = 0

    def do(self, name: str, what: Callable[[], None]) -> None:
        """Do *what* soon; silently not when too much waits, since whoever needs it asks again."""
        with self._lock:
            if name in self._waiting or self._queue.full():
                return
            self._waiting.add(name)
            self._queue.put_nowait((name, partial(copy_context().run, what)))
            if self._threads < THREADS:  # none before the first use: a worker forks before that
                self._threads += 1
                threading.Thread(target=self._run, name=f"later-{self._threads}", daemon=True).start()

    def _run(self) -> None:
        while True:
            name, what = self._queue.get()
            with self._lock:
                self._waiting.discard(name)
            try:
                what()
            except Exception:
                log.exception("what was to be done later failed", about=name)
