"""Rules over a stretch of the sealed trail: sign-ins that fail, tokens that were used twice, and new networks.

What is looked at twice, because a process died in between, raises no alert twice; failures may then count twice.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from ...protocol.alert import AlertKind
from ...protocol.audit import Event
from ...protocol.client import Client
from ...protocol.ports import Clients
from ...protocol.registry.recognition import stays_on_device
from ...store.alerts import Alert
from ...store.watching import Refresh, Stretch, WatchStore
from .networks import network_of
from .sign_in_rules import SignInRules

DAY = 86_400
Seen = tuple[str, str]
Known = dict[str, dict[str, int]]
REUSED = {"token.reused": "refresh token", "code.replayed": "authorization code"}
COPIED = "session.copied"
NAMES = frozenset({*REUSED, COPIED})
"""Of the events that are looked at one by one."""


@dataclass(frozen=True, slots=True)
class TrailRules:
    """Judges stretches. ``devices_only``: new networks count for clients on people's own devices alone."""

    watch: WatchStore
    clients: Clients
    sign_ins: SignInRules
    devices_only: bool

    def judge(self, stretch: Stretch) -> tuple[list[Alert], set[Seen]]:
        """What is unusual in *stretch*, and which networks of it to remember once that is told, so that none is lost.

        Failures are counted as it goes.
        """
        known = self.watch.networks({each.grant_id for each in stretch.refreshes})
        found = [*self.sign_ins.judge(stretch.failures), *_reuses(stretch), *self._new_networks(stretch, known)]
        seen = {(each.grant_id, network) for each in stretch.refreshes if (network := network_of(each.address))}
        return found, {pair for pair in seen if known.get(pair[0], {}).get(pair[1], DAY) >= DAY}

    def _new_networks(self, stretch: Stretch, known: Known) -> Iterator[Alert]:
        for each in stretch.refreshes:
            network, before = network_of(each.address), known.get(each.grant_id)
            if network and before and network not in before and self._watched(each):
                detail = {"network": network, "grant": each.grant_id}
                occasion = f"{each.grant_id} {network} {_today()}"
                about = (each.resource, each.client_id, each.user_id)
                yield Alert(AlertKind.NEW_NETWORK, *about, occasion=occasion, detail=detail)

    def _watched(self, refresh: Refresh) -> bool:
        if not self.devices_only:
            return True
        client = self.clients.find(refresh.client_id)
        return client is not None and _on_device(client)


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


def _on_device(client: Client) -> bool:
    return any(map(stays_on_device, client.redirect_uris))


def _today() -> str:
    return str(int(time.time()) // DAY)
