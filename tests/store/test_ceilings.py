"""How often something may be done: a key's amount at once, then one after the other, and never at another's cost."""

import time
from threading import Barrier, Thread

import pytest

from authserver.settings.rate import Rate
from authserver.store import ceilings
from authserver.store.ceilings import Ceiling, Ceilings


class Clock:
    """Seconds that stand until they are moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("amount", [1, 3, 7, 60, 600])
def test_the_amount_is_admitted_at_once_and_no_more(clock: Clock, amount: int):
    ceiling = Ceiling(Rate(amount, 60), clock)
    assert [ceiling.take("ann") for _ in range(amount)] == [0.0] * amount
    assert ceiling.take("ann") == pytest.approx(60 / amount, abs=1e-4)
    assert ceiling.wait("ann") == pytest.approx(60 / amount, abs=1e-4)


def test_who_waits_as_long_as_told_is_admitted_once_more(clock: Clock):
    ceiling = Ceiling(Rate(3, 60), clock)
    while not (wait := ceiling.take("ann")):
        pass
    clock.now += wait
    assert ceiling.take("ann") == 0
    assert ceiling.take("ann") > 0


def test_what_is_refused_costs_nothing(clock: Clock):
    ceiling = Ceiling(Rate(3, 60), clock)
    waits = [ceiling.take("ann") for _ in range(100)]
    assert waits[3] == waits[-1] == pytest.approx(20, abs=1e-4)


def test_one_key_leaves_another_its_own(clock: Clock):
    ceiling = Ceiling(Rate(1, 60), clock)
    assert [ceiling.take("ann"), ceiling.take("ann") > 0, ceiling.take("bob")] == [0.0, True, 0.0]


def test_after_a_rest_all_is_there_again(clock: Clock):
    ceiling = Ceiling(Rate(5, 60), clock)
    for _ in range(2):
        assert [ceiling.take("ann") for _ in range(5)] == [0.0] * 5
        clock.now += 60


def test_no_more_keys_are_known_than_there_is_room_for(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ceilings, "MOST_KEYS", 10)
    ceiling = Ceiling(Rate(1, 60), clock)
    for number in range(1000):
        assert ceiling.take(str(number)) == 0
    assert [ceiling.wait(str(number)) > 0 for number in (0, 989, 990, 999)] == [False, False, True, True]


def test_who_owes_nothing_any_more_is_forgotten(clock: Clock):
    ceiling = Ceiling(Rate(2, 60), clock)
    for number in range(1000):
        assert ceiling.take(str(number)) == 0
        clock.now += 10
    assert len(ceiling._free_at) == 3
    assert [ceiling.take("999"), ceiling.take("999") > 0, ceiling.take("0")] == [0.0, True, 0.0]


def test_of_a_crowd_at_one_instant_no_more_than_the_amount_get_in():
    ceiling, start = Ceiling(Rate(50, 3600)), Barrier(8)
    admitted: list[bool] = []

    def take() -> None:
        start.wait()
        admitted.extend(ceiling.take("ann") == 0 for _ in range(100))

    crowd = [Thread(target=take) for _ in range(8)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert sum(admitted) == 50


def test_whatever_others_tell_nobody_waits_for_more_than_a_span_and_one(clock: Clock):
    ceiling = Ceiling(Rate(3, 60), clock)
    ceiling.owes({"ann": 1e6})
    assert ceiling.wait("ann") == pytest.approx(60 + 20, abs=1e-4)


def test_without_a_ceiling_everything_is_admitted():
    ceiling = Ceiling.of("0")
    assert not any(ceiling.take("ann") for _ in range(1000))
    assert not ceiling.is_busy


def test_a_name_is_one_ceiling():
    made = Ceilings()
    assert made.of("a", "1 per hour") is made.of("a", "1 per hour") is not made.of("b", "1 per hour")


def test_a_check_costs_microseconds():
    ceiling = Ceiling.of("1000000 per second")
    started = time.process_time()
    for number in range(10_000):
        ceiling.take(f"family {number % 100}")
    assert (time.process_time() - started) / 10_000 < 50e-6
