"""A fault on the stage, under load: what the answers were, when all was well again, and what the reckoning found."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from .answers import Answer
from .faults import Fault
from .reckoning import reckon
from .stage import Stage

BEFORE = 1.5  # seconds of load before the fault
WELL = 3.0  # seconds without a refusal: then it is over
PATIENCE = 240.0  # seconds until it has to be over, on whatever machine
LONGEST_ANSWER, LONGEST_AWAY = 12.0, 10.0  # seconds, on a machine that has nothing else to do
EXPECTED = frozenset({"/token", "/revoke", "/introspect", "/register", "/authorize"})


@dataclass
class Trial:
    """What came of a fault. ``resumed`` is in seconds after it was mended, ``away`` in seconds of refusals.

    ``wrong`` is what must not be, in words.
    """

    fault: Fault
    served: int = 0
    retry: int = 0
    lost: int = 0
    longest: float = 0.0
    away: float = 0.0
    resumed: float = 0.0
    wrong: list[str] = field(default_factory=list)
    lacks: str | None = None

    def slow(self, times: float = 1.0) -> list[str]:
        """What took longer than it may, in words; so many *times* as long where others use the machine, too."""
        longest = [f"an answer took {self.longest:.0f} s"] if self.longest > times * LONGEST_ANSWER else []
        return longest + ([f"well again after {self.resumed:.0f} s"] if self.resumed > times * LONGEST_AWAY else [])


def trial(fault: Fault, stage: Stage) -> Trial:
    """Break it, mend it, wait until all is well, and reckon."""
    lacks = fault.lacks(stage)
    if lacks:
        return Trial(fault, lacks=lacks)
    load = stage.load
    with load.running():
        time.sleep(BEFORE)
        began = time.monotonic()
        with fault.do(stage):
            time.sleep(fault.hold)
        mended = time.monotonic()
        is_over = _await_well(stage, began, mended)
    answers = load.answers.since(began)
    found = _told(fault, answers, began, mended)
    if not is_over:
        found.wrong.append(f"not well again within {PATIENCE:.0f} s")
    found.wrong += reckon(stage.url, load, stage.nodes[0])
    found.wrong += fault.afterwards(stage)
    found.wrong = list(dict.fromkeys(found.wrong))
    return found


def _await_well(stage: Stage, began: float, mended: float) -> bool:
    """Wait until nothing was refused for a while and each node served each kind of request since."""
    while time.monotonic() < mended + PATIENCE:
        time.sleep(0.1)
        now = time.monotonic()
        recent = stage.load.answers.since(max(mended, now - WELL))
        if now < mended + WELL or not all(answer.is_served for answer in recent):
            continue
        answers = stage.load.answers.since(mended)
        if all({a.path for a in answers if a.port == node.port and a.is_served} >= EXPECTED for node in stage.nodes):
            return True
    return False


def _told(fault: Fault, answers: list[Answer], began: float, mended: float) -> Trial:
    refused = [answer for answer in answers if not answer.is_served]
    lost = [answer for answer in answers if answer.is_lost]
    found = Trial(
        fault,
        served=sum(answer.is_served for answer in answers),
        retry=len(refused) - len(lost),
        lost=len(lost),
        longest=max((answer.seconds for answer in answers), default=0.0),
        away=refused[-1].at - refused[0].at if refused else 0.0,
        resumed=max(0.0, refused[-1].at - mended) if refused else 0.0,
    )
    found.wrong += _wrong(fault, answers)
    return found


def _wrong(fault: Fault, answers: list[Answer]) -> Iterator[str]:
    for answer in answers:
        if answer.fault:
            yield answer.fault
        elif answer.is_lost and not fault.loses:
            yield f"{answer.path} was not answered: {answer.said}"
        elif fault.unfelt and not answer.is_served:
            yield f"{answer.path} was refused: {answer.said}"
