"""The watch as the settings have it."""

from collections.abc import Sequence

from ...settings import Settings
from ...store.stores import Stores
from ..approvals.queue import Approvals
from ..notices.gathering import Gathering
from .network_rules import NetworkRules
from .sign_in_rules import Limits, SignInRules
from .state_rules import StateRules
from .trail_rules import TrailRules
from .watch import Watch

MINUTE = 60


def watch(settings: Settings, stores: Stores, approvals: Approvals, told: Sequence[str]) -> Watch:
    """Rules, and notices to the targets *told*."""
    limits = Limits(
        minutes=settings.failed_sign_ins_window // MINUTE,
        of_account=settings.failed_sign_ins_of_account,
        of_source=settings.failed_sign_ins_of_source,
        overall=settings.failed_sign_ins_overall,
        factor=settings.failed_sign_ins_factor,
        least=settings.failed_sign_ins_least,
    )
    return Watch(
        watch=stores.watch,
        seals=stores.seals,
        streams=stores.streams,
        alerts=stores.alerts,
        trail_rules=TrailRules(
            watch=stores.watch,
            sign_ins=SignInRules(stores.watch, stores.alerts, limits),
            networks=NetworkRules(stores.alerts, stores.clients, settings.new_network_of == "devices"),
        ),
        state_rules=StateRules(
            trail=stores.trail,
            seals=stores.seals,
            streams=stores.streams,
            notices=stores.notices,
            targets=settings.audit_targets,
            told=told,
            unsealed_after=settings.unsealed_after,
            down_after=settings.stream_down_after,
        ),
        gathering=Gathering(stores.notices, told, settings.notice_severity, settings.notice_gathering),
        heard=approvals.hear,
        names=approvals.events,
        off=frozenset(settings.alerts_off),
    )
