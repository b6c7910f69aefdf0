"""The kinds of requests that wait for a decision, all of them: the one place that lists them."""

from ...settings import Settings
from ...store.stores import Stores
from ..known_clients import KnownClients
from ..policy.policies import Policies
from .changes import HeldChanges
from .clients import WaitingClients
from .grants import WantedGrants
from .kind import Kind


def kinds(settings: Settings, stores: Stores, known: KnownClients, policies: Policies) -> tuple[Kind, ...]:
    """What can wait for an administrator under *settings*."""
    lifetime = settings.approval_lifetime
    found: list[Kind] = [WaitingClients(stores.clients, stores.decisions, lifetime)]
    if known.documents:
        found.append(HeldChanges(known.documents, stores.decisions, lifetime))
    found.append(WantedGrants(stores.pending_grants, policies.through))
    return tuple(found)
