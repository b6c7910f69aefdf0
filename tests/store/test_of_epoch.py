"""What all threads need anew after a change is read once, by one for all; and never older than what they ask for."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from authserver.store import epoch as module
from authserver.store.epoch import ConfigEpoch, OfEpoch, bump

from .scene import Scene

THREADS = 8


class Shelf:
    """What is read: how often it was; each reading waits until it may end."""

    def __init__(self) -> None:
        self.readings = 0
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)
        self.wrong: Exception | None = None

    def read(self) -> int:
        self.readings += 1
        found = self.readings
        self.begun.release()
        assert self.may_end.acquire(timeout=30)
        if self.wrong:
            raise self.wrong
        return found


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def epoch(scene: Scene) -> ConfigEpoch:
    return ConfigEpoch(scene.stores.database)


@pytest.fixture
def kept(epoch: ConfigEpoch, shelf: Shelf) -> OfEpoch[int]:
    return OfEpoch(epoch, shelf.read)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(THREADS) as pool:
        yield pool


def change(scene: Scene, epoch: ConfigEpoch) -> None:
    with scene.stores.database.transaction() as connection:
        bump(connection)
    epoch.forget()


def all_asking(threads: ThreadPoolExecutor, kept: OfEpoch[int]) -> list[Future[int]]:
    """The answers of as many as there are threads, each of which is about to ask."""
    about = threading.Barrier(THREADS + 1)

    def ask() -> int:
        about.wait(30)
        return kept.current()

    asked = [threads.submit(ask) for _ in range(THREADS)]
    about.wait(30)
    return asked


def test_one_reads_for_all(threads: ThreadPoolExecutor, kept: OfEpoch[int], shelf: Shelf):
    asked = all_asking(threads, kept)
    assert shelf.begun.acquire(timeout=30)
    shelf.may_end.release()
    assert [one.result(30) for one in asked] == [1] * THREADS
    assert kept.current() == 1
    assert shelf.readings == 1


def test_after_a_change_it_is_read_again(kept: OfEpoch[int], shelf: Shelf, scene: Scene, epoch: ConfigEpoch):
    shelf.may_end.release(2)
    assert (kept.current(), kept.current()) == (1, 1)
    change(scene, epoch)
    assert (kept.current(), kept.current()) == (2, 2)


def test_what_was_being_read_as_it_changed_is_not_good_enough(
    threads: ThreadPoolExecutor, kept: OfEpoch[int], shelf: Shelf, scene: Scene, epoch: ConfigEpoch
):
    early = threads.submit(kept.current)
    assert shelf.begun.acquire(timeout=30)
    change(scene, epoch)
    late = threads.submit(kept.current)
    shelf.may_end.release()
    assert early.result(30) == 1
    assert shelf.begun.acquire(timeout=30), "another reading, which began after the change"
    shelf.may_end.release()
    assert late.result(30) == 2


def test_what_fails_fails_for_all_who_wait_and_is_tried_again(
    threads: ThreadPoolExecutor, kept: OfEpoch[int], shelf: Shelf
):
    shelf.wrong = OSError("away")
    asked = all_asking(threads, kept)
    shelf.may_end.release(THREADS)  # who asks a little later than others reads by itself, and fails too
    assert [type(one.exception(30)) for one in asked] == [OSError] * THREADS
    shelf.wrong = None
    shelf.may_end.release()
    assert kept.current() == shelf.readings


def test_what_a_late_answer_tells_is_as_old_as_the_look(
    scene: Scene, epoch: ConfigEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database answers slowly, and another process changes something when it has just been looked at."""
    now, look = [100.0], epoch._read
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def late() -> int:
        found = look()
        with scene.stores.database.transaction() as connection:
            bump(connection)
        now[0] += 0.9
        return found

    monkeypatch.setattr(epoch, "_read", late)
    before = epoch.current()
    monkeypatch.setattr(epoch, "_read", look)
    assert epoch.current() == before
    now[0] += 0.2
    assert epoch.current() == before + 1
