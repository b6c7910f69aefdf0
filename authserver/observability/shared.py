"""Metrics of all worker processes of a node together: prometheus-client's multiprocess mode, over memory.

Each process writes its counts into files that are mapped into memory; whichever process is scraped adds them up. They
lie in ``/dev/shm`` where there is one, since a page that a disk is just writing would hold up the thread that counts.
"""

import os
import shutil
import tempfile
from pathlib import Path

from prometheus_client import values
from prometheus_client.multiprocess import mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name, under which a server of another kind may set one too
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, readable by its owner


def begin() -> None:
    """In the process that starts the workers, before it does: make the folder, unless one is given."""
    if not folder():
        where = MEMORY if os.access(MEMORY, os.W_OK) else None
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="authserver-metrics-", dir=where)


def use() -> None:
    """In a worker: count into the folder from now on. Without one, metrics are of this process alone."""
    if folder() and values.ValueClass is values.MutexValue:
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def folder() -> str | None:
    """Where the processes count together; None for a process that counts alone."""
    return os.environ.get(FOLDER)


def forget(process: int) -> None:
    """After a worker has ended: its gauges are of the past. Its counters go on to count."""
    where = folder()
    if where:
        mark_process_dead(process, where)  # type: ignore[no-untyped-call]


def end() -> None:
    """When all workers have ended: remove the folder."""
    where = os.environ.pop(FOLDER, None)
    if where:
        shutil.rmtree(where, ignore_errors=True)
