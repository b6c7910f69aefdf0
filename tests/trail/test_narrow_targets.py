"""Targets that take little at once."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from authserver.protocol.audit_seal import Recorded
from authserver.services.trail import streaming
from authserver.services.trail.targets import NotTaken, TooMuch

from .conftest import Trail
from .test_streaming import streams


@dataclass
class Narrow:
    """Takes at most ``most`` events at once."""

    most: int
    name: str = "file"
    asked: list[int] = field(default_factory=list)

    def take(self, batch: Sequence[Recorded]) -> None:
        self.asked.append(len(batch))
        if len(batch) > self.most:
            raise TooMuch("too many")


def test_how_much_a_target_takes_is_remembered_so_that_it_is_not_asked_for_too_long(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(streaming, "LEASE_SECONDS", 0)
    target = Narrow(3)
    trail.seal(*map(str, range(40)))
    found = streams(trail, target)
    while True:
        with contextlib.suppress(NotTaken):
            if not found.deliver(target) and target.asked[-1] <= 3:
                break
    halved = list(pairwise(target.asked[:5]))
    assert all(less == more // 2 for more, less in halved), "each try is a round of its own here"
    assert max(target.asked[5:]) <= 6
