"""Ceilings that processes share through a real Redis, and what becomes of them when it is killed."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import redis

from authserver.store.ceilings import Ceilings
from authserver.store.shared_ceilings import SharedCeilings
from tests.browser.scene import scene
from tests.conformance.site import NOTES
from tests.database import Databases
from tests.journeys.ports import free_port
from tests.redis_server import served
from tests.web.backchannel.test_client_credentials import Machine, machine

from .conftest import asks, caller


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


class Node:
    """One process's ceiling of ten per hour."""

    def __init__(self, port: int) -> None:
        ceilings = Ceilings()
        self.ceiling = ceilings.of("own", "10 per hour")
        self.shared = SharedCeilings(ceilings, f"redis://127.0.0.1:{port}/0")

    def takes(self, times: int, key: str = "ann") -> int:
        """How many of so many are admitted."""
        return sum(self.ceiling.take(key) == 0 for _ in range(times))


@pytest.fixture
def port() -> int:
    return free_port()


def test_two_share_one_ceiling(port: int, tmp_path: Path) -> None:
    with served(port, tmp_path):
        one, other = Node(port), Node(port)
        assert one.takes(6) == 6
        assert one.shared.agree()
        assert other.takes(1) == 1
        assert other.shared.agree()
        assert other.takes(10) == 3
        assert other.takes(10, "bob") == 10, "another key is another count"
        assert other.shared.agree()
        assert one.takes(1) == 1, "it has not been told yet"
        assert one.shared.agree()
        assert one.takes(5) == 0
        assert one.ceiling.refused == 5


def test_what_is_admitted_while_redis_is_asked_is_counted_on_top(port: int, tmp_path: Path) -> None:
    with served(port, tmp_path):
        one = Node(port)
        one.takes(2)
        one.ceiling.taken()  # told, and the answer is on its way
        assert one.takes(3) == 3
        one.ceiling.owes({"ann": 2 * one.ceiling.one})
        assert one.takes(10) == 5


def test_without_redis_each_counts_by_itself_and_nothing_waits(port: int, tmp_path: Path) -> None:
    one, other = Node(port), Node(port)
    assert not one.shared.agree()
    assert one.shared.reachable is False
    assert (one.takes(20), other.takes(20)) == (10, 10)
    with served(port, tmp_path):
        assert one.shared.agree()
        assert one.takes(5) == 0, "what it counted alone still holds"
        assert one.takes(3, "bob") == 3
        assert one.shared.agree()
    assert one.takes(20, "bob") == 7, "killed in between: nothing is forgotten here"
    with served(port, tmp_path):
        assert one.shared.agree()
        assert one.takes(5, "bob") == 0, "a Redis that has forgotten opens nothing that was closed here"


def test_a_clock_of_redis_that_was_set_back_refuses_for_a_span_at_most(port: int, tmp_path: Path) -> None:
    with served(port, tmp_path), closing(redis.Redis(port=port)) as asked:
        one = Node(port)
        one.takes(1)
        assert one.shared.agree()
        (name,) = asked.keys()
        asked.set(name, f"{time.time() + 50 * 3600:.6f}")  # as if the clock had stood that much later
        one.takes(1)
        assert one.shared.agree()
        assert 3600 < owed(asked) <= 2 * 3600
        assert 0 < one.ceiling.take("ann") <= 3600 + one.ceiling.one
        assert asked.ttl(name) <= 2 * 3600 + 1


def test_redis_learns_no_address_and_no_id(port: int, tmp_path: Path) -> None:
    with served(port, tmp_path), closing(redis.Redis(port=port, decode_responses=True)) as asked:
        one = Node(port)
        one.takes(1, "203.0.113.5")
        assert one.shared.agree()
        (name,) = asked.keys()
        assert "113.5" not in name
        assert 0 < asked.ttl(name) <= 3600


def test_two_real_processes_share_a_ceiling_until_redis_is_killed(
    port: int, tmp_path: Path, databases: Databases
) -> None:
    url, home = databases.create(), tmp_path / "home"
    home.mkdir()
    settings = {"own_tokens_per_client": "10 per hour", "redis_url": f"redis://127.0.0.1:{port}/0"}
    with scene(url, home, free_port(), **settings) as running, caller() as http:
        shared = running.site.deployment.shared_ceilings
        one, other = machine(running.site), machine(running.site)
        with served(port, tmp_path), closing(redis.Redis(port=port)) as asked:
            assert [asks(running, one, http) for _ in range(6)] == [200] * 6
            until(lambda: owed(asked) > 5 * 360)
            assert here(one) == 200
            assert shared.agree()
            assert [here(one) for _ in range(4)] == [200, 200, 200, 429]
        until(lambda: b"this process counts by itself" in (home / "serve.log").read_bytes())
        assert [asks(running, other, http) for _ in range(11)] == [200] * 10 + [429]
        assert not shared.agree()
        assert here(other) == 200
    databases.drop(url)


def here(who: Machine) -> int:
    """What this process answers *who*."""
    return who.ask(resource=NOTES.identifier).status_code


def owed(asked: "redis.Redis") -> float:
    """The greatest debt that Redis knows of, in seconds."""
    return max((float(asked.get(name)) - time.time() for name in asked.keys("mcp-authserver:ceiling:*")), default=0.0)
