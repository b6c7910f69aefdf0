"""What looks unusual, by name, and how much it matters to whoever runs the server."""

from enum import StrEnum


class Severity(StrEnum):
    """From what is good to know to what wants somebody now."""

    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"

    def reaches(self, least: "Severity") -> bool:
        """Whether this one matters at least as much as *least*."""
        order = list(Severity)
        return order.index(self) >= order.index(least)


class AlertKind(StrEnum):
    """What looked unusual. Each is a rule, which can be switched off by this name."""

    FIRST_DESTRUCTIVE_USE = "first_destructive_use"
    MANY_CALLS = "many_calls"
    MANY_REFUSALS = "many_refusals"
    RECEIPTS_LOST = "receipts_lost"
    FAILED_SIGN_INS_OF_ACCOUNT = "failed_sign_ins_of_account"
    FAILED_SIGN_INS_OF_SOURCE = "failed_sign_ins_of_source"
    FAILED_SIGN_INS_OF_MANY = "failed_sign_ins_of_many"
    FAILED_SIGN_INS_OVERALL = "failed_sign_ins_overall"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - a rule's name
    SIGN_IN_COPIED = "sign_in_copied"
    NEW_NETWORK = "new_network"
    MANY_NEW_NETWORKS = "many_new_networks"
    TRAIL_UNSEALED = "trail_unsealed"
    TRAIL_BROKEN = "trail_broken"
    STREAM_DOWN = "stream_down"
    NOTICES_UNDELIVERED = "notices_undelivered"
    NOT_WELL = "not_well"

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return SEVERITIES.get(self, Severity.WARNING)


SEVERITIES = {
    AlertKind.NEW_NETWORK: Severity.NOTICE,
    AlertKind.FAILED_SIGN_INS_OVERALL: Severity.CRITICAL,
    AlertKind.TOKEN_REUSED: Severity.CRITICAL,
    AlertKind.SIGN_IN_COPIED: Severity.CRITICAL,
    AlertKind.TRAIL_UNSEALED: Severity.CRITICAL,
    AlertKind.TRAIL_BROKEN: Severity.CRITICAL,
}
