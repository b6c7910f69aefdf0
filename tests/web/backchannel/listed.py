"""What the tests of status lists share: lists that look at the state at each request, and what a token says."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jwt
import pytest

from authserver.services import ended_places, status_lists


@pytest.fixture
def look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each request look at the state, as the first one of each half second does."""
    monkeypatch.setattr(status_lists, "LOOK_SECONDS", 0)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds pass for nodes."""
    passed = [0.0]
    clock = SimpleNamespace(time=time.time, monotonic=lambda: time.monotonic() + passed[0])
    monkeypatch.setattr(status_lists, "time", clock)
    monkeypatch.setattr(ended_places, "time", clock)

    def let_pass(seconds: float) -> None:
        passed[0] += seconds

    return let_pass


def claims(token: str) -> dict[str, Any]:
    """What *token* says, by whomever it is signed."""
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found
