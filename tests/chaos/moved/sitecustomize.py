"""Python, on the path of a node whose wall clock is off by the seconds that the file ``MOVED_CLOCK`` says.

Not by libfaketime, under which ``time.sleep`` fails and a process of many threads stands still for half a minute.
"""

import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

import time_machine

FILE = Path(os.environ["MOVED_CLOCK"])
LOOK_SECONDS = 0.05

moved = 0.0
clock = time_machine.travel(datetime.now(UTC)).start()


def _follow() -> None:
    global moved  # noqa: PLW0603 - a process has one clock
    while True:
        with suppress(ValueError):  # while it is written, it is empty
            said = float(FILE.read_text())
            clock.shift(said - moved)
            moved = said
        sleep(LOOK_SECONDS)


def _begin() -> None:
    threading.Thread(target=_follow, name="moved clock", daemon=True).start()


_begin()
os.register_at_fork(after_in_child=_begin)
