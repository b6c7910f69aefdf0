"""The buffer of steps that wait to be written, and the thread that writes them."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from ...protocol.trace.record import Record
from ...store.traces import TraceStore

BATCH = 200  # steps a second: more would take from those who ask what people only look at afterwards
MOST_WAITING = 2000
MOST_OF_NOBODY = MOST_WAITING // 2  # the other half is for those who signed in
MOST_PER_SOURCE = 120  # steps a minute, of one person, or of one address where nobody has signed in
MOST_SOURCES = 10_000
MOST_OF_STRANGERS = 100_000  # attempts in which nobody signed in, in the database
MINUTE = 60
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Ceiling:
    """Counts by source in fixed minutes. Where there are too many sources, the further ones share one count."""

    most: int = MOST_PER_SOURCE
    clock: Callable[[], float] = time.monotonic
    _counts: dict[str, int] = field(default_factory=dict)
    _ends: float = 0.0

    def has_room(self, source: str) -> bool:
        """Whether one more of *source* would be taken."""
        self._begin_minute()
        return self._counts.get(self._key(source), 0) < self.most

    def take(self, source: str) -> bool:
        """Count one of *source*; False if that is too many."""
        self._begin_minute()
        key = self._key(source)
        counted = self._counts.get(key, 0)
        self._counts[key] = counted + 1
        return counted < self.most

    def _key(self, source: str) -> str:
        return source if source in self._counts or len(self._counts) < MOST_SOURCES else ""

    def _begin_minute(self) -> None:
        now = self.clock()
        if now >= self._ends:
            self._counts, self._ends = {}, now + MINUTE


class Recorder:
    """Takes steps from requests, and writes them down later, `BATCH` at once."""

    def __init__(self, store: TraceStore, *, pause: float = 1.0) -> None:
        """*pause* is the time between batches in seconds. Nothing is written before `start` or `flush`."""
        self._store = store
        self._pause = pause
        self._waiting: deque[tuple[float, Record]] = deque()
        self._ceiling = Ceiling()
        self._writing = threading.Lock()
        self._dropped = 0

    def has_room(self, source: str) -> bool:
        """Whether a step of *source* would be taken now: for whoever has to look something up for it."""
        return len(self._waiting) < MOST_OF_NOBODY and self._ceiling.has_room(source)

    def take(self, record: Record) -> None:
        """Have *record* written soon; dropped and counted where its source or the buffer has no room."""
        room = MOST_WAITING if record.user_id else MOST_OF_NOBODY
        if len(self._waiting) < room and self._ceiling.take(record.user_id or record.origin.site):
            self._waiting.append((time.monotonic(), record))
        else:
            self._dropped += 1

    def start(self) -> threading.Event:
        """Write in a daemon thread until the returned event is set."""
        stop = threading.Event()
        threading.Thread(target=self._run, args=(stop,), name="traces", daemon=True).start()
        return stop

    def flush(self) -> None:
        """Write all that waits."""
        while self._write():
            pass

    def _write(self) -> bool:
        with self._writing:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if batch:
                now = time.monotonic()
                self._store.write((round((now - at) * 1000), record) for at, record in batch)
        return bool(batch)

    def _run(self, stop: threading.Event) -> None:
        trimmed = time.monotonic()
        while not stop.wait(self._pause):
            try:
                self._write()
                self._tell_dropped()
                if time.monotonic() - trimmed > MINUTE:
                    trimmed = time.monotonic()
                    self._trim(stop)
            except Exception:
                log.exception("steps of traces are lost")

    def _trim(self, stop: threading.Event) -> None:
        while self._store.trim(MOST_OF_STRANGERS, BATCH) == BATCH and not stop.is_set():
            pass

    def _tell_dropped(self) -> None:
        dropped, self._dropped = self._dropped, 0
        if dropped:
            log.warning("steps of traces were dropped: too many from one source, or in all", count=dropped)
