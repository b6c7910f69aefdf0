"""The most telling faults of ``make chaos``, one after the other on one stage."""

import sys
from collections.abc import Iterator

import pytest

from .faults import FAULTS, Fault
from .stage import Stage, stage
from .trial import trial

BUSY = 4.0
"""How many times as long it may take here, beside other tests: a minute is too long."""


@pytest.fixture(scope="module")
def running(pytestconfig: pytest.Config) -> Iterator[Stage]:
    if pytestconfig.getoption("database") != "postgresql":
        pytest.skip("about PostgreSQL, of which it starts its own")
    if sys.platform != "linux":
        pytest.skip("finds processes in /proc")
    with stage() as found:
        yield found


@pytest.mark.requirement("AZ-7", "TK-4")
@pytest.mark.parametrize("fault", [pytest.param(each, id=each.name) for each in FAULTS if each.is_short])
def test_whatever_breaks_nothing_is_lost_and_all_is_well_again_by_itself(running: Stage, fault: Fault):
    found = trial(fault, running)
    if found.lacks:
        pytest.skip(found.lacks)
    assert found.wrong == []
    assert found.slow(BUSY) == []
