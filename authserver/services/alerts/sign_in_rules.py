"""Rules over sign-ins that fail: of one person, from one source, and overall.

Whoever fails on purpose decides neither that further failures are told to nobody (the same day's are told again when
they are four times as many), nor how long the list of alerts is (of single people and sources there are so many a day).
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...protocol.alert import AlertKind
from ...protocol.audit import Origin
from ...store.alerts import Alert, AlertStore
from ...store.watching import Failures, WatchStore

DAY = 86_400
MINUTES_A_DAY = DAY // 60
MOST_A_DAY = 100  # alerts about people, and as many about sources: more than anybody looks at one by one
EVERYBODY = "all"
BOUNDED = {AlertKind.FAILED_SIGN_INS_OF_ACCOUNT: "people", AlertKind.FAILED_SIGN_INS_OF_SOURCE: "sources"}


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on failed sign-ins are an alert: counts within ``minutes``, of a person, a source, and overall.

    Overall fewer are one too, but not fewer than ``least``, if they are ``factor`` times as many as are usual.
    """

    minutes: int
    of_account: int
    of_source: int
    overall: int
    factor: int
    least: int


@dataclass(frozen=True, slots=True)
class SignInRules:
    """Counts failures, and says of whom or from where they are too many."""

    watch: WatchStore
    alerts: AlertStore
    limits: Limits

    def judge(self, failures: Iterable[Failures]) -> list[Alert]:
        """What is unusual once *failures* are counted with those before them."""
        new: Counter[tuple[str, int]] = Counter()
        for each in failures:
            subjects = [EVERYBODY, f"source:{Origin(each.address).site}"]
            subjects += [f"account:{each.user_id}"] if each.user_id else []
            for subject in subjects:
                new[subject, each.minute] += each.count
        self.watch.count(new)
        found = dict.fromkeys(alert for subject, minute in sorted(new) for alert in self._burst(subject, minute))
        return [*(alert for alert in found if alert.kind not in BOUNDED), *self._bounded(found)]

    def _burst(self, subject: str, minute: int) -> Iterator[Alert]:
        sort, _, about = subject.partition(":")
        kind, most = {
            "account": (AlertKind.FAILED_SIGN_INS_OF_ACCOUNT, self.limits.of_account),
            "source": (AlertKind.FAILED_SIGN_INS_OF_SOURCE, self.limits.of_source),
            EVERYBODY: (AlertKind.FAILED_SIGN_INS_OVERALL, self.limits.overall),
        }[sort]
        failures = self.watch.counted(subject, minute, self.limits.minutes)
        if failures < (min(most, self._far_more(minute)) if subject == EVERYBODY else most):
            return
        day, of_day = divmod(minute, MINUTES_A_DAY)
        today = max(failures, self.watch.counted(subject, minute, of_day + 1))
        detail: dict[str, Any] = {"failures": failures, "minutes": self.limits.minutes, "today": today}
        detail |= {"source": about} if sort == "source" else {}
        occasion = f"{about} {day} {_fours(today // most)}"
        yield Alert(kind, "", user_id=about if sort == "account" else None, occasion=occasion, detail=detail)

    def _far_more(self, minute: int) -> int:
        """From where on failures are far more than in the day before."""
        before = self.watch.counted(EVERYBODY, minute - self.limits.minutes, MINUTES_A_DAY)
        usual = before * self.limits.minutes // MINUTES_A_DAY
        return max(self.limits.least, self.limits.factor * usual)

    def _bounded(self, found: Iterable[Alert]) -> Iterator[Alert]:
        """Those of *found* of which there are so many a day, and that there are more."""
        for kind, whom in BOUNDED.items():
            new = self._untold([alert for alert in found if alert.kind is kind])
            room = max(0, MOST_A_DAY - self.alerts.lately(kind)) if new else 0
            yield from new[:room]
            if new[room:]:
                occasion = f"{whom} {int(time.time()) // DAY}"
                detail = {"most": MOST_A_DAY, "whom": whom}
                yield Alert(AlertKind.FAILED_SIGN_INS_OF_MANY, "", occasion=occasion, detail=detail)

    def _untold(self, alerts: Sequence[Alert]) -> list[Alert]:
        known = self.alerts.listed([alert.id for alert in alerts])
        return [alert for alert in alerts if alert.id not in known]


def _fours(times: int) -> int:
    """How often *times*, 1 or more, can be divided by four; less for none."""
    return (times.bit_length() - 1) // 2
