"""An attempt told as one timeline: its own steps, and what came before and after it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ...protocol.trace import reference
from ...protocol.trace.harmless import harmless
from ...protocol.trace.reference import References
from ...protocol.trace.step import Cause, Step, Verdict, Words
from ...protocol.trace.words import words_of
from ...store.clients import ClientStore
from ...store.traces import Trace, TraceStep, TraceStore
from ...store.users import UserStore
from .tracing import SPAN, of_registration

BEFORE_MS = SPAN * 1000  # how long before an attempt its discovery may be


@dataclass(frozen=True, slots=True)
class Line:
    """What a step came to, in words. ``probably``: that it belongs to the attempt is likely, not certain."""

    step: str
    cause: str
    words: Words
    times: int
    first_ms: int
    last_ms: int
    address: str
    agent: str
    correlation_id: str
    about: dict[str, str] = field(default_factory=dict)
    probably: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """An attempt and its lines, the oldest first; names are as they are now, empty where there is none."""

    trace: Trace
    lines: tuple[Line, ...]
    client_name: str = ""
    username: str = ""

    @property
    def end(self) -> Words:
        """What came of it: that of its last step."""
        return words_of(self.trace.cause)


@dataclass(frozen=True, slots=True)
class Timelines:
    """Finds attempts, and joins to each what has no attempt of its own: discovery, registration, and the first call."""

    references: References
    traces: TraceStore
    clients: ClientStore
    users: UserStore

    def find(self, text: str) -> Timeline | None:
        """The attempt that somebody means by *text*: its reference, or the correlation id of one of its requests."""
        known = reference.read(text)
        trace = self.traces.find(known) if known else None
        trace = trace or self.traces.find_by_correlation(known or text.strip())
        return self._told(trace) if trace else None

    def _told(self, trace: Trace) -> Timeline:
        lines = [line_of(step) for step in self.traces.steps(trace.id)]
        lines += self._registration(trace)
        if trace.step != Step.DISCOVERY:
            lines += self._discovery(trace, lines)
        lines += self._first_call(trace)
        lines = _passed(sorted(lines, key=lambda line: (line.first_ms, line.last_ms)))
        client = self.clients.find(trace.client_id) if trace.client_id else None
        user = self.users.find(trace.user_id) if trace.user_id else None
        return Timeline(trace, tuple(lines), client.name if client else "", user.username if user else "")

    def _registration(self, trace: Trace) -> list[Line]:
        """That of the client, if it was before the attempt's end."""
        if trace.client_id is None:
            return []
        found = of_registration(self.references, trace.client_id)
        steps = self.traces.steps(found) if found != trace.id else []
        return [line_of(step) for step in steps if step.first_ms <= trace.last_ms]

    def _discovery(self, trace: Trace, lines: Iterable[Line]) -> list[Line]:
        """The newest that came from where the attempt came from, rather from the same software than from another."""
        sources = {(line.address, line.agent) for line in lines} | {(trace.address, trace.agent)}
        since, until = trace.started_ms - BEFORE_MS, trace.last_ms
        found = self.traces.discoveries({address for address, _ in sources}, since, until)
        found.sort(key=lambda one: ((one.address, one.agent) in sources, one.last_ms), reverse=True)
        return [line_of(step, probably=True) for one in found[:1] for step in self.traces.steps(one.id)]

    def _first_call(self, trace: Trace) -> list[Line]:
        found = self.traces.first_call(trace.grant_id, trace.started_ms) if trace.grant_id else None
        if found is None:
            return []
        cause = Cause.TOOL_REFUSED if found.refused else Cause.TOOL_CALLED
        about = {"tool": harmless(found.tool), "outcome": found.outcome}
        step = TraceStep(Step.FIRST_USE, cause, 1, found.at_ms, found.at_ms, "", "", found.correlation_id, about)
        return [line_of(step)]


def _passed(lines: list[Line]) -> list[Line]:
    """*lines*, where nothing waits any more after which something followed."""
    return [_went_on(line) for line in lines[:-1]] + lines[-1:]


def _went_on(line: Line) -> Line:
    waits = line.words.verdict is Verdict.WAITS
    return replace(line, words=Words(Verdict.OK, line.words.happened)) if waits else line


def line_of(step: TraceStep, *, probably: bool = False) -> Line:
    """*step* in words."""
    return Line(
        step=step.step,
        cause=step.cause,
        words=words_of(step.cause),
        times=step.times,
        first_ms=step.first_ms,
        last_ms=step.last_ms,
        address=step.address,
        agent=step.agent,
        correlation_id=step.correlation_id,
        about=step.about,
        probably=probably,
    )
