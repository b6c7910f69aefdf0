"""Attempts to connect: what became of each, step by step, by the reference that a person read from an error page."""

from pydantic import Field

from ...protocol.role import Permission
from ...protocol.trace.words import words_of
from ...services.traces.timeline import Line, Timeline
from ...store.traces import Trace, TraceFilter
from .operation import PLAIN, Answer, AnyOperation, Call, Listed, Nothing, One, Paging, reading
from .problem import Problem

Milliseconds = Field(description="Unix milliseconds")


class Attempts(Paging):
    """Which attempts; what is left out matches all."""

    failed: bool = Field(default=True, description="Only those whose last step failed")
    client_id: str | None = Field(None, max_length=2048, pattern=PLAIN)
    user_id: str | None = Field(None, max_length=2048, pattern=PLAIN)


class AttemptState(Answer):
    """An attempt, as far as it is known whose it is, and its last step."""

    id: str = Field(description="The reference that error pages show")
    client_id: str | None
    user_id: str | None
    grant_id: str | None
    resource: str | None
    address: str
    agent: str
    started_ms: int = Milliseconds
    last_ms: int = Milliseconds
    step: str
    verdict: str
    cause: str
    happened: str = Field(description="The cause in plain words")
    remedy: str


class AttemptPage(Listed[AttemptState]):
    """A page of attempts."""


class StepState(Answer):
    """What a step came to, `times` times; the rest is of the last time."""

    step: str
    verdict: str
    cause: str
    happened: str
    remedy: str
    times: int
    first_ms: int = Milliseconds
    last_ms: int = Milliseconds
    address: str
    agent: str
    correlation_id: str
    about: dict[str, str]
    probably: bool = Field(description="That it belongs to the attempt is likely, not certain")


class TimelineState(AttemptState):
    """An attempt, step by step, the oldest first; names are as they are now, empty where there is none."""

    client_name: str
    username: str
    steps: list[StepState]


def _list(call: Call[Attempts, Nothing]) -> AttemptPage:
    wanted = call.query
    which = TraceFilter(wanted.failed, wanted.client_id, wanted.user_id)
    found = call.deployment.stores.traces.page(which, wanted.after, wanted.limit)
    return AttemptPage(items=[AttemptState.model_validate(_said(each)) for each in found], next=found.after)


def _one(call: Call[One, Nothing]) -> TimelineState:
    found = call.deployment.timelines.find(call.query.id)
    if found is None:
        raise Problem(404, "there is no attempt of this reference: they are kept for a while only")
    return _timeline(found)


def _timeline(found: Timeline) -> TimelineState:
    names = {"client_name": found.client_name, "username": found.username}
    return TimelineState.model_validate({**_said(found.trace), **names, "steps": [_step(each) for each in found.lines]})


def _said(found: Trace) -> dict[str, object]:
    words = words_of(found.cause)
    said = {name: getattr(found, name) for name in AttemptState.model_fields.keys() - {"happened", "remedy"}}
    return {**said, "happened": words.happened, "remedy": words.remedy}


def _step(found: Line) -> StepState:
    in_words = ("verdict", "happened", "remedy")
    said = {name: getattr(found, name) for name in StepState.model_fields.keys() - set(in_words)}
    return StepState(**said, **{name: getattr(found.words, name) for name in in_words})


OPERATIONS: tuple[AnyOperation, ...] = (
    reading("/traces", Permission.TRACES_READ, "Attempts to connect, newest first", Attempts, AttemptPage, _list),
    reading("/trace", Permission.TRACES_READ, "One attempt, step by step", One, TimelineState, _one),
)
