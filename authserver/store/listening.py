"""Hearing of a new epoch at once: a connection of its own, on which PostgreSQL tells what was announced with a commit.

It only quickens what looking once a second does anyway (`epoch`): without it, or while it is lost, nothing is missed.
"""

import threading
from typing import Any

import structlog
from sqlalchemy import make_url

from .epoch import CHANNEL, ConfigEpoch

FIRST_PAUSE = 1.0  # seconds, doubled with each attempt that fails
LONGEST_PAUSE = 60.0
PROBE_SECONDS = 30.0  # of silence, after which the connection is asked whether it lives
HALF_OPEN: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "tcp_user_timeout": 10_000,
}
log = structlog.get_logger(__name__)


class Listener:
    """Has the caches of this process look again as soon as another process has changed what they keep."""

    def __init__(self, url: str, epoch: ConfigEpoch) -> None:
        """*url* leads to the PostgreSQL server itself: a pooler of transactions hands no announcements on."""
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._epoch = epoch

    def start(self) -> threading.Event:
        """Listen in a daemon thread until the returned event is set."""
        stop = threading.Event()
        threading.Thread(target=self._run, args=(stop,), name="listener", daemon=True).start()
        return stop

    def _run(self, stop: threading.Event) -> None:
        import psycopg  # noqa: PLC0415 - the driver is an extra

        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, **HALF_OPEN) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    log.info("listening for changes")
                    pause = FIRST_PAUSE
                    self._hear(connection, stop)
            except psycopg.Error as lost:
                log.warning("not listening for changes, looking for them", again_in=pause, private=str(lost))
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _hear(self, connection: Any, stop: threading.Event) -> None:  # noqa: ANN401
        self._epoch.forget()  # what was announced before was not heard
        while not stop.is_set():
            for _ in connection.notifies(timeout=PROBE_SECONDS):
                self._epoch.forget()
            connection.execute("SELECT 1")
