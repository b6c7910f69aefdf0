"""Rules over the networks from which grants get new tokens: some of a day are told one by one, the rest is counted."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...protocol.alert import AlertKind
from ...protocol.client import Client
from ...protocol.ports import Clients
from ...protocol.registry.recognition import stays_on_device
from ...store.alerts import Alert, AlertStore
from ...store.watching import Refresh
from .networks import network_of

DAY = 86_400
MOST_A_DAY = 5
"""New networks of a grant that are told one by one; whoever has a thousand addresses makes no thousand alerts."""

Known = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """``devices_only``: new networks count for clients on people's own devices alone."""

    alerts: AlertStore
    clients: Clients
    devices_only: bool

    def judge(self, refreshes: Iterable[Refresh], known: Known) -> Iterator[Alert]:
        """What is new in *refreshes*, beside what is *known* of their grants."""
        new: dict[str, dict[str, Refresh]] = {}
        for each in refreshes:
            network, before = network_of(each.address), known.get(each.grant_id)
            if network and before and network not in before and self._watched(each):
                new.setdefault(each.grant_id, {})[network] = each
        for grant_id, networks in new.items():
            yield from self._bounded(grant_id, networks)

    def _bounded(self, grant_id: str, networks: dict[str, Refresh]) -> Iterator[Alert]:
        day, one = int(time.time()) // DAY, next(iter(networks.values()))
        about = (one.resource, one.client_id, one.user_id)
        places = [Alert(AlertKind.NEW_NETWORK, *about, occasion=f"{grant_id} {day} {n}") for n in range(MOST_A_DAY)]
        taken = self.alerts.listed([place.id for place in places])
        told = {line.detail["network"] for line in taken.values()}
        untold = [network for network in networks if network not in told]
        free = [place for place in places if place.id not in taken]
        for place, network in zip(free, untold, strict=False):
            detail = {"network": network, "grant": grant_id}
            yield Alert(AlertKind.NEW_NETWORK, *about, occasion=place.occasion, detail=detail)
        if more := len(untold) - len(free[: len(untold)]):
            counted = {"more": more, "most": MOST_A_DAY, "grant": grant_id}
            occasion = f"{grant_id} {day}"
            yield Alert(AlertKind.MANY_NEW_NETWORKS, *about, occasion=occasion, detail=counted, counts="more")

    def _watched(self, refresh: Refresh) -> bool:
        if not self.devices_only:
            return True
        client = self.clients.find(refresh.client_id)
        return client is not None and _on_device(client)


def _on_device(client: Client) -> bool:
    return any(map(stays_on_device, client.redirect_uris))
