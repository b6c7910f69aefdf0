"""Rules over a stretch of the sealed trail: sign-ins that fail, tokens that were used twice, and new networks.

What is looked at twice, because a process died in between, raises no alert twice; what is counted may then count twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ...protocol.alert import AlertKind
from ...protocol.audit import Event
from ...store.alerts import Alert
from ...store.watching import Stretch, WatchStore
from .network_rules import DAY, NetworkRules
from .networks import network_of
from .sign_in_rules import SignInRules

Seen = tuple[str, str]
REUSED = {"token.reused": "refresh token", "code.replayed": "authorization code"}
COPIED = "session.copied"
NAMES = frozenset({*REUSED, COPIED})
"""Of the events that are looked at one by one."""


@dataclass(frozen=True, slots=True)
class TrailRules:
    """Judges stretches."""

    watch: WatchStore
    sign_ins: SignInRules
    networks: NetworkRules

    def judge(self, stretch: Stretch) -> tuple[list[Alert], set[Seen]]:
        """What is unusual in *stretch*, and which networks of it to remember once that is told, so that none is lost.

        Failures are counted as it goes.
        """
        known = self.watch.networks({each.grant_id for each in stretch.refreshes})
        told = (self.sign_ins.judge(stretch.failures), _reuses(stretch), self.networks.judge(stretch.refreshes, known))
        seen = {(each.grant_id, network) for each in stretch.refreshes if (network := network_of(each.address))}
        return [alert for rule in told for alert in rule], {
            pair for pair in seen if known.get(pair[0], {}).get(pair[1], DAY) >= DAY
        }


def _reuses(stretch: Stretch) -> Iterator[Alert]:
    for recorded in stretch.events:
        if (what := REUSED.get(recorded.event.name)) is not None:
            yield _reuse(recorded.event, what, recorded.at_ms // 1000 // DAY)
        elif recorded.event.name == COPIED:
            detail = {"source": recorded.event.origin.address}
            person = recorded.event.user_id
            occasion = f"{person} {recorded.at_ms // 1000 // DAY}"
            yield Alert(AlertKind.SIGN_IN_COPIED, "", user_id=person, occasion=occasion, detail=detail)


def _reuse(event: Event, what: str, day: int) -> Alert:
    detail = {"what": what, "source": event.origin.address, "grant": event.grant_id}
    return Alert(
        AlertKind.TOKEN_REUSED,
        event.resource or "",
        event.client_id,
        event.user_id,
        occasion=f"{event.grant_id} {day}",
        detail=detail,
    )
