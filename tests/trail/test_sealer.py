"""The sealer's threads: whatever becomes of dropping, sealing goes on."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from authserver.services.trail import sealer
from authserver.store.partitions import TrailBusy

from .conftest import Trail

DAYS, PAUSE, PATIENCE = 1, 0.01, 20


@contextmanager
def sealing(trail: Trail, monkeypatch: pytest.MonkeyPatch, drop: Callable[..., int]) -> Iterator[None]:
    """A sealer that drops in this way."""
    monkeypatch.setattr(sealer, "SECONDS_AFTER_FAILURE", PAUSE)
    monkeypatch.setattr(trail.stores.seals, "drop", drop)
    before = set(threading.enumerate())
    stop = replace(trail.sealer(DAYS), pause=PAUSE).start()
    threads = set(threading.enumerate()) - before
    yield
    stop.set()
    for each in threads:
        each.join()


def await_seal_of(trail: Trail, name: str) -> None:
    trail.write(name)
    until = time.monotonic() + PATIENCE
    while name not in trail.names():
        assert time.monotonic() < until, f"{name} is not sealed"
        time.sleep(PAUSE)


def test_when_the_trail_is_in_use_dropping_is_tried_again_much_later(trail: Trail, monkeypatch: pytest.MonkeyPatch):
    tried: list[object] = []
    first = threading.Event()

    def busy(*given: object) -> int:
        tried.append(given)
        first.set()
        raise TrailBusy("somebody reads")

    with sealing(trail, monkeypatch, busy):
        assert first.wait(PATIENCE)
        for name in "abcde":
            await_seal_of(trail, name)
    assert len(tried) == 1


def test_while_a_drop_takes_its_time_the_trail_is_sealed(trail: Trail, monkeypatch: pytest.MonkeyPatch):
    under_way, over = threading.Event(), threading.Event()

    def slow(*given: object) -> int:
        under_way.set()
        over.wait(PATIENCE)
        return 0

    with sealing(trail, monkeypatch, slow):
        assert under_way.wait(PATIENCE)
        await_seal_of(trail, "a")
        assert not over.is_set()
        over.set()
