"""What each worker does beside answering: one thing that fails keeps none of the others back."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from authserver.keys.rotation import Rotation
from authserver.services import maintenance
from authserver.services.approvals.queue import Approvals
from authserver.services.maintenance import Kept, Maintenance
from authserver.services.reaper import Reaper
from authserver.store.purge import Purged
from authserver.store.stores import Stores

SECONDS = 20
KEPT = Kept(receipts_for=86_400, grace=86_400, ended_for=86_400)
STEPS = {"erase_sealed", "expire", "ending", "reap", "recount", "keep_up", "purge", "expire approvals"}


class Failing:
    """Steps that fail, each of them for ever."""

    def __init__(self) -> None:
        self.tried: set[str] = set()
        self.all_were = threading.Event()

    def step(self, name: str) -> Callable[..., object]:
        def fail(*given: object, **named: object) -> object:
            self.tried.add(name)
            if self.tried == STEPS:
                self.all_were.set()
            raise LookupError(name)

        return fail


@dataclass
class Part:
    """Stands for a part of which maintenance takes one step."""

    reap: Callable[..., object]
    keep_up: Callable[..., object]
    expire: Callable[..., object]


@pytest.mark.parametrize(
    ("wrong", "is_traced"), [(OperationalError("", {}, Exception("gone")), False), (LookupError(), True)]
)
def test_a_database_that_is_away_is_told_without_a_traceback(wrong: Exception, is_traced: bool):
    def fail() -> None:
        raise wrong

    with capture_logs() as told:
        assert maintenance._take("count", fail) is None
    (line,) = told
    assert ("exc_info" in line) is is_traced
    assert line["step"] == "count"


def test_tables_that_a_purge_could_not_have_are_told(stores: Stores, monkeypatch: pytest.MonkeyPatch):
    done = Purged({"sessions": 0}, {"clients": "lock timeout"}, left=True)
    monkeypatch.setattr(maintenance, "purge_all", lambda *given, **named: done)
    part = cast(Any, Failing())
    with capture_logs() as told:
        assert Maintenance(stores, 300, part, part, part, KEPT).purge(threading.Event()) is done
    assert [(line["log_level"], line["step"], line["private"]) for line in told] == [("error", "purge", done.failed)]


def test_each_step_is_tried_whatever_becomes_of_the_others(stores: Stores, monkeypatch: pytest.MonkeyPatch):
    failing = Failing()
    for part, name in (
        (stores.refresh_tokens, "erase_sealed"),
        (stores.grants, "expire"),
        (stores.users, "ending"),
        (stores.tallies, "recount"),
    ):
        monkeypatch.setattr(part, name, failing.step(name))
    monkeypatch.setattr(maintenance, "purge_all", failing.step("purge"))
    other = Part(*(failing.step(name) for name in ("reap", "keep_up", "expire approvals")))
    parts = (cast(Reaper, other), cast(Approvals, other), cast(Rotation, other))
    stop = Maintenance(stores, 300, *parts, KEPT, pause=0.01).start()
    assert failing.all_were.wait(SECONDS), f"never tried: {STEPS - failing.tried}"
    stop.set()
