"""Many who do the same thing at one instant: threads in several processes, as in a cluster of nodes."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any

from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from authserver.protocol.client import Client
from authserver.protocol.errors import OAuthError
from authserver.store.database import connect
from authserver.store.stores import Stores

from .scene import Scene

PROCESSES = 5
THREADS = 10
SIZE = PROCESSES * THREADS
PATIENCE = 120  # seconds, on a busy machine

Deed = Callable[[Scene, str, int], Any]


@dataclass(frozen=True)
class Crowd:
    """`SIZE` callers."""

    pool: ProcessPoolExecutor

    @classmethod
    @contextmanager
    def gathered(cls) -> Iterator["Crowd"]:
        spawn = multiprocessing.get_context("spawn")
        start = spawn.Barrier(SIZE)
        others = set(multiprocessing.active_children())
        with ProcessPoolExecutor(PROCESSES, spawn, initializer=_join, initargs=(start,)) as pool:
            crowd = cls(pool)
            # Processes start on first use, which can take longer than what they are to do may wait for: a code's life.
            crowd._share(_wait_in_threads)
            yield crowd
            # They hold nothing by now: one that hangs as it ends holds nobody up.
            for process in set(multiprocessing.active_children()) - others:
                process.kill()

    def all_do(self, deed: Deed, url: str, scene: Scene, subject: str) -> list[Any]:
        """What *deed* returns to each of them, or the name of the error that it met.

        *deed* is a module's function; it is called with the scene, as each process sees it, *subject*, and the
        caller's number.
        """
        return self._share(_do_in_threads, deed, url, scene.user_id, scene.client, subject)

    def _share(self, work: Callable[..., list[Any]], *arguments: object) -> list[Any]:
        shares = [self.pool.submit(work, *arguments, first) for first in range(0, SIZE, THREADS)]
        return [result for share in shares for result in share.result(PATIENCE)]


def _join(start: Barrier) -> None:
    global _start  # noqa: PLW0603 - a barrier reaches a spawned process only at its start
    _start = start


_start: Barrier


def _wait_in_threads(first: int) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda number: _start.wait(PATIENCE), range(first, first + THREADS)))


def _do_in_threads(deed: Deed, url: str, user_id: str, client: Client, subject: str, first: int) -> list[Any]:
    database = connect(Flask("crowd"), url)
    scene = Scene(Stores.over(database), user_id, client)

    def do(number: int) -> Any:
        with database.reading() as connection:
            connection.execute(text("SELECT 1"))
            connection.rollback()  # behind a pooler a transaction would hold one of its few sessions
            _start.wait(PATIENCE)
        try:
            return deed(scene, subject, number)
        except OAuthError as refused:
            return type(refused).__name__
        except SQLAlchemyError as failed:
            raise RuntimeError(str(failed)) from None  # the error itself carries what cannot cross to another process

    with ThreadPoolExecutor(THREADS) as threads:
        results = list(threads.map(do, range(first, first + THREADS)))
    database.close()
    return results
