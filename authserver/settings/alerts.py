"""From where on something is an alert: each rule can be tuned, and switched off."""

from typing import Annotated, Literal

from pydantic import Field

from ..protocol.alert import AlertKind
from .group import Group, Seconds


class Alerts(Group):
    """Rules over the audit trail and the state of this server (docs/notices.md); those over tool calls are beside."""

    alerts_off: list[AlertKind] = []
    """Rules that are switched off, by name: see docs/notices.md."""

    failed_sign_ins_window: Annotated[int, Field(ge=60, le=3600)] = 600
    """Seconds within which failed sign-ins are counted together, to the minute."""

    failed_sign_ins_of_account: Annotated[int, Field(ge=1)] = 8
    """Failed sign-ins of one person's account in that time, from which on there is an alert."""

    failed_sign_ins_of_source: Annotated[int, Field(ge=1)] = 20
    """Failed sign-ins from one address in that time; of IPv6, from one /64."""

    failed_sign_ins_overall: Annotated[int, Field(ge=1)] = 100
    """Failed sign-ins in that time, whoever and wherever from."""

    failed_sign_ins_factor: Annotated[int, Field(ge=2)] = 10
    """Times as many as are usual, by the day before, from which on fewer are an alert too."""

    failed_sign_ins_least: Annotated[int, Field(ge=1)] = 50
    """Failed sign-ins in that time, below which a rise is none, however few are usual."""

    new_network_of: Literal["devices", "all"] = "devices"
    """Whose grants are watched for refreshes from a network (/24, of IPv6 /48) that they never came from: of clients
    on people's own ``devices`` (loopback, apps), or of ``all``. Hosted ones come from wherever their servers are."""

    unsealed_after: Seconds = 600
    """Seconds that an event of the audit trail may wait for its seal."""

    stream_down_after: Seconds = 900
    """Seconds that a target of the audit trail may lag behind while it fails."""
