"""Gathering: notices of one topic that come soon after one another become one message."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...protocol.alert import AlertKind, Severity
from ...store.notices import NoticeStore

MOST_TOLD = 50
ALERT = "alert."


@dataclass(frozen=True, slots=True)
class Gathering:
    """Makes messages to *targets*: the first notice of a topic at once, those of the next ``seconds`` together.

    Alerts below the severity ``least`` are told to nobody.
    """

    notices: NoticeStore
    targets: Sequence[str]
    least: Severity
    seconds: int

    def gather(self) -> int:
        """Make the messages that are due; returns how many notices are in them."""
        total = 0
        for topic in self.notices.due(self.seconds):
            while count := self.notices.gather(topic, self._told_to(topic), MOST_TOLD):
                total += count
        return total

    def _told_to(self, topic: str) -> Sequence[str]:
        return self.targets if severity_of(topic).reaches(self.least) else ()


def severity_of(topic: str) -> Severity:
    """How much the notices of *topic* matter. What waits for a decision matters as much as a warning."""
    kind = topic.removeprefix(ALERT)
    known = topic.startswith(ALERT) and kind in set(AlertKind)
    return AlertKind(kind).severity if known else Severity.WARNING
