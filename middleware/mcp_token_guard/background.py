"""The thread that fetches, and how others wait for it: one machinery for servers with an event loop and without.

What the guard decides is written once, as coroutines. Under ASGI the server's loop runs them; a WSGI server's thread
runs them by `drive`, from start to end, without a loop. Both wait, where they must, for what the guard's own thread
fetches, so neither a busy loop nor a pause between requests stands in the way of a refresh.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
END_SECONDS = 1.0


class _Here(threading.local):
    """Whether this thread is inside `drive`."""

    driving = False


class _Thread:
    """A daemon thread with an event loop, begun when it is first needed; a forked process begins its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        os.register_at_fork(after_in_child=self._forget)

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="mcp_token_guard", daemon=True).start()
            return self._loop

    def end(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with self._lock:
            loop = self._loop
        if loop is not None:
            wait([asyncio.run_coroutine_threadsafe(work(), loop)], END_SECONDS)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._loop = None


_here = _Here()
_thread = _Thread()


def start(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Run *work* in the guard's thread, now."""
    return asyncio.run_coroutine_threadsafe(work, _thread.loop())


async def ask(work: Coroutine[Any, Any, T]) -> T:
    """What *work* returns or raises, run in the guard's thread."""
    running = start(work)
    await finished(running)
    return running.result()


def at_end(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """When the process ends, run *work* in the guard's thread if there is one; nobody waits longer than a second."""
    atexit.register(_thread.end, work)


async def finished(work: Future[Any]) -> None:
    """Wait until *work* has ended, however it did. Who stops waiting takes nothing from the others."""
    if _here.driving:
        wait([work])
        return
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()

    def wake(_: Future[Any]) -> None:
        with suppress(RuntimeError):  # the waiter's loop is closed
            loop.call_soon_threadsafe(_settle, waiter)

    work.add_done_callback(wake)
    await waiter


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """What *coroutine*, one of the guard's own, returns or raises: run in this thread, which may wait in `finished`."""
    before, _here.driving = _here.driving, True
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        _here.driving = before
        coroutine.close()
    raise RuntimeError("the coroutine waited for something else than the guard's thread")
