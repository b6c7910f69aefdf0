"""Streams: what is sealed reaches each target at least once, whatever falls over in between."""

import json
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from authserver.outbound.syslog import LocalCollector
from authserver.protocol.audit_seal import Recorded
from authserver.services.alerts.watch import Watch
from authserver.services.trail.formats import json_line
from authserver.services.trail.sealer import Sealer
from authserver.services.trail.streaming import Streams
from authserver.services.trail.targets import FileTarget, NotTaken, SyslogTarget, Target
from authserver.store.seals import SealStore
from tests.outbound.authority import Authority

from .collectors import hook
from .conftest import EVERYTHING, Trail
from .test_targets import webhook

SECONDS = 60  # at the most: on a busy machine a node needs ten to begin


@dataclass
class Listed:
    """Takes events into a list; while ``down`` it takes nothing."""

    name: str = "file"
    down: bool = False
    taken: list[str] = field(default_factory=list)

    def take(self, batch: Sequence[Recorded]) -> None:
        if self.down:
            raise NotTaken("down")
        self.taken += [recorded.event.name for recorded in batch]


def streams(trail: Trail, *targets: Target) -> Streams:
    return Streams(trail.stores.trail, trail.stores.seals, trail.stores.streams, targets, pause=0.01)


def deliver_all(found: Streams, target: Target) -> None:
    while found.deliver(target):
        pass


def test_what_is_sealed_is_sent_in_its_order_and_nothing_else(trail: Trail):
    target = Listed()
    trail.seal("a", "b")
    trail.write("not sealed yet")
    deliver_all(streams(trail), target)
    assert target.taken == trail.names()
    trail.seal("c")
    deliver_all(streams(trail), target)
    assert target.taken[-1:] != ["c"]  # another process has the lease
    end_leases(trail)
    deliver_all(streams(trail), target)
    assert target.taken == trail.names()


def test_many_events_are_sent_in_batches(trail: Trail, monkeypatch):
    monkeypatch.setattr("authserver.services.trail.streaming.BATCH", 3)
    target, found = Listed(), streams(trail)
    trail.seal(*"abcdefgh")
    deliver_all(found, target)
    assert target.taken == trail.names()


def test_batches_are_bounded_by_their_bytes_too(trail: Trail, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authserver.services.trail.streaming.BATCH_BYTES", 1000)
    sizes: list[int] = []

    class Measuring(Listed):
        def take(self, batch: Sequence[Recorded]) -> None:
            sizes.append(sum(len(json_line(recorded)) for recorded in batch))
            super().take(batch)

    trail.write(*"abcdefgh")
    trail.write_large("large", 3000)
    trail.seal("i")
    target = Measuring()
    deliver_all(streams(trail), target)
    assert target.taken == trail.names()
    assert [size > 1000 for size in sizes].count(True) == 1, "the large one alone"


def test_a_webhook_that_refuses_large_bodies_gets_everything(trail: Trail, tmp_path: Path):
    authority = Authority(tmp_path)
    with hook(authority.serving("127.0.0.1")) as hooked:
        hooked.most = 2000
        trail.write(*"abcdefgh")
        trail.write_large("large", 3000)
        trail.seal(*"ijkl")
        found, target = streams(trail), webhook(hooked, authority)
        deliver_all(found, target)
        assert hooked.names == trail.names()
        [large] = [event for event in hooked.events if event["name"] == "large"]
        assert large["detail"] == {"left_out_bytes": 3000 + len('{"note":""}')}
        hooked.most = 10
        trail.seal("too much, however small")
        with pytest.raises(NotTaken, match="413"):
            found.deliver(target)


def test_a_datagram_that_is_too_large_goes_without_its_detail(trail: Trail, short_path: Path):
    got: list[dict[str, Any]] = []

    def read(listening: socket.socket) -> None:
        while message := listening.recv(65_536):
            got.append(json.loads(b"{" + message.partition(b"{")[2]))

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(short_path))
        threading.Thread(target=read, args=(listening,), daemon=True).start()
        trail.write_large("large", 4_000_000)
        trail.seal("after")
        deliver_all(streams(trail), SyslogTarget(LocalCollector(str(short_path)), "h"))
        wait_for(lambda: {event["name"] for event in got} == set(trail.names()))
        listening.shutdown(socket.SHUT_RDWR)
    assert {"left_out_bytes": 4_000_000 + len('{"note":""}')} in [event["detail"] for event in got]


def test_a_target_that_was_down_gets_everything_afterwards(trail: Trail):
    target, found = Listed(down=True), streams(trail)
    trail.seal("a")
    with pytest.raises(NotTaken):
        found.deliver(target)
    [stream] = trail.stores.streams.all()
    assert (stream.failure, stream.delivered_at) == ("down", None)
    trail.seal("b")
    target.down = False
    deliver_all(found, target)
    assert target.taken == trail.names()
    [stream] = trail.stores.streams.all()
    assert stream.failure is None
    assert stream.delivered_at


def test_one_process_at_a_time_sends_to_a_target(trail: Trail):
    """The first one is still sending when the second one asks."""
    second = Listed()

    class Slow(Listed):
        def take(self, batch: Sequence[Recorded]) -> None:
            assert streams(trail).deliver(second) == 0
            super().take(batch)

    first = Slow()
    trail.seal("a")
    deliver_all(streams(trail), first)
    assert first.taken == trail.names()
    assert second.taken == []


def test_who_lost_the_lease_moves_nothing(trail: Trail):
    other = streams(trail)

    class Late(Listed):
        def take(self, batch: Sequence[Recorded]) -> None:
            end_leases(trail)
            deliver_all(other, Listed())
            trail.seal("b")
            super().take(batch)

    trail.seal("a")
    before = trail.stores.seals.head()
    assert streams(trail).deliver(Late()) == 0
    [stream] = trail.stores.streams.all()
    assert before
    assert stream.last == before.last


def test_each_target_has_its_own_place(trail: Trail):
    found, file, hooked = streams(trail), Listed("file"), Listed("webhook")
    trail.seal("a")
    deliver_all(found, file)
    trail.seal("b")
    deliver_all(found, hooked)
    assert file.taken != trail.names()
    assert hooked.taken == trail.names()
    assert trail.wrong() == []


def test_retention_waits_for_a_target(trail: Trail):
    target = Listed(down=True)
    trail.seal("a")
    trail.seal("b")
    assert trail.sealer(EVERYTHING, (target,)).drop() == 0
    target.down = False
    deliver_all(streams(trail), target)
    assert trail.sealer(EVERYTHING, (target,)).drop()
    assert "a" in target.taken
    assert trail.wrong() == []


def test_a_sealer_that_never_catches_up_still_drops(trail: Trail, monkeypatch: pytest.MonkeyPatch):
    trail.seal("a")
    trail.seal("b")
    monkeypatch.setattr(SealStore, "seal", lambda self, sign: 1)
    with running(trail.sealer(EVERYTHING)):
        wait_for(lambda: trail.names() == ["b"])


def test_a_webhook_gets_everything_after_it_came_back(trail: Trail, tmp_path: Path):
    authority = Authority(tmp_path)
    context = authority.serving("127.0.0.1")
    with hook(context) as first:
        target = webhook(first, authority)
        running = Streams(trail.stores.trail, trail.stores.seals, trail.stores.streams, (target,), pause=0.01)
        stop = running.start()
        trail.seal("a")
        wait_for(lambda: "a" in first.names)
        first.status = 503
        trail.seal("b")
        wait_for(lambda: [stream.failure for stream in trail.stores.streams.all()] != [None])
    trail.seal("c")
    with hook(context, first.port) as second:
        wait_for(lambda: "c" in second.names)
        assert [*first.names, *second.names] == trail.names()
    stop.set()
    wait_for(lambda: not any(thread.name == f"audit-{target.name}" for thread in threading.enumerate()))


def test_nothing_is_lost_when_a_process_is_killed_after_a_target_took_a_batch(trail: Trail, tmp_path: Path):
    path = tmp_path / "audit.jsonl"
    trail.seal("a", "b")
    killed = multiprocessing.get_context("spawn").Process(target=die_after_taking, args=(trail.url, str(path)))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    trail.seal("c")
    end_leases(trail)
    deliver_all(streams(trail), FileTarget(str(path)))
    events = [json.loads(line) for line in path.read_text().splitlines()]
    once = {event["id"]: event["name"] for event in events}
    assert [*once.values()] == trail.names()
    assert len(events) > len(once)


def die_after_taking(url: str, path: str) -> None:
    """In a process of its own: killed between the target's taking and the place's moving on."""

    class Last(FileTarget):
        def take(self, batch: Sequence[Recorded]) -> None:
            FileTarget.take(self, batch)
            os.kill(os.getpid(), signal.SIGKILL)

    streams(Trail.at(url)).deliver(Last(path))


@contextmanager
def running(started: Sealer | Watch) -> Iterator[None]:
    """What runs in a thread runs, and has ended afterwards."""
    before = set(threading.enumerate())
    stop = started.start()
    try:
        yield
    finally:
        stop.set()
        for thread in set(threading.enumerate()) - before:
            thread.join()


def end_leases(trail: Trail) -> None:
    """As time does."""
    trail.tamper("UPDATE audit_streams SET leased_until = 0")


def wait_for(condition, seconds: int = SECONDS) -> None:
    ticking = threading.Event()
    for _ in range(seconds * 100):
        if condition():
            return
        ticking.wait(0.01)
    raise TimeoutError
