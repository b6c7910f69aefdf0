"""What the console shows first, what needs attention and how much happens; and the settings that are in force."""

from pydantic import Field

from ...protocol.role import Permission
from ...services.attention import Matter
from ...settings.told import Source, told
from ...store.overview import overview
from ...store.tallies import HOURS, Figures, Series
from .clients import Seconds
from .operation import Answer, AnyOperation, Call, Nothing, reading

HOUR = 3600
OPEN_TO = {
    Matter.TRAIL_MOVED: Permission.AUDIT_READ,
    Matter.UNSEALED: Permission.AUDIT_READ,
    Matter.STREAM: Permission.AUDIT_READ,
    Matter.KEYS_LACKING: Permission.KEYS_READ,
    Matter.KEYS_DUE: Permission.KEYS_READ,
    Matter.APPROVALS: Permission.APPROVALS_READ,
    Matter.DOCUMENTS: Permission.APPROVALS_READ,
    Matter.REQUESTS: Permission.APPROVALS_READ,
    Matter.TOOLS: Permission.SERVERS_READ,
    Matter.ALERTS: Permission.ALERTS_READ,
    Matter.ATTEMPTS: Permission.TRACES_READ,
    Matter.UNUSED: Permission.CLIENTS_READ,
}


class ConcernState(Answer):
    """Something to look at, and how much there is of it."""

    matter: Matter
    number: int = Field(description="Of things; of days for `keys_due`, of seconds for `unsealed`")
    more: bool = Field(description="Counting ended there")
    about: str = Field(description="Which stream or MCP server; empty for all else")


class Counts(Answer):
    """How many there are that have not ended; from 10,000 on a minute old."""

    grants: int
    clients: int
    users: int
    resources: int


class FiguresState(Answer):
    """How often each happened, the oldest first."""

    since: Seconds
    seconds: int = Field(description="How long each of them is")
    figures: dict[Series, list[int]]


class OverviewState(Answer):
    """What needs attention, the most pressing first, as far as the token opens it; counts, and figures."""

    concerns: list[ConcernState]
    counts: Counts
    hours: FiguresState = Field(description="Of 24 hours, the running one the last")
    days: FiguresState = Field(description="Of 30 days (UTC), today the last")


class SettingState(Answer):
    """A setting; of a secret it is told only whether it is set."""

    name: str
    about: str
    purpose: str
    value: str
    source: Source


class SettingsState(Answer):
    """All settings in force, by what they are about. They are changed where they come from, not here."""

    file: str | None
    items: list[SettingState]


def _overview(call: Call[Nothing, Nothing]) -> OverviewState:
    found = call.deployment
    concerns = [each for each in found.attention.concerns() if OPEN_TO[each.matter] in call.caller.permissions]
    return OverviewState(
        concerns=[ConcernState.model_validate(each) for each in concerns],
        counts=Counts.model_validate(overview(found.stores.database)),
        hours=_figures(*found.stores.tallies.hours(), HOUR),
        days=_figures(*found.stores.tallies.days(), HOURS * HOUR),
    )


def _figures(last: int, figures: Figures, seconds: int) -> FiguresState:
    length = len(figures[Series.TOKENS])
    lines = {series: list(numbers) for series, numbers in figures.items()}
    return FiguresState(since=(last - length + 1) * seconds, seconds=seconds, figures=lines)


def _settings(call: Call[Nothing, Nothing]) -> SettingsState:
    in_force = call.deployment.settings
    names = SettingState.model_fields.keys() - {"about"}
    lines = [
        {"about": about, **{name: getattr(each, name) for name in names}}
        for about, group in told(in_force).items()
        for each in group
    ]
    file = str(in_force.file) if in_force.file else None
    return SettingsState(file=file, items=[SettingState.model_validate(each) for each in lines])


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/overview", Permission.OVERVIEW_READ, "What needs attention, and how much there is and happens", Nothing,
            OverviewState, _overview),
    reading("/settings", Permission.SETTINGS_READ, "The settings in force, and where each comes from", Nothing,
            SettingsState, _settings),
)  # fmt: skip
