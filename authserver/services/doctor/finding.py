"""What the doctor finds wrong is an alert: on the overview, and told as every other."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from ...protocol.alert import AlertKind
from ...store.alerts import Alert
from .outcome import Outcome, State

Tell = Callable[[Iterable[Alert]], None]
"""Raises alerts, each once."""


def finding(url: str, outcomes: Iterable[Outcome], resource: str = "") -> Iterator[Alert]:
    """One alert a day about *url* if anything is wrong there; *resource* is the MCP server that it is, if it is one."""
    wrong = [outcome.what for outcome in outcomes if outcome.state is State.FAIL]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        today = f"{url} {datetime.now(UTC):%Y-%m-%d}"
        yield Alert(AlertKind.NOT_WELL, resource, occasion=today, detail={"url": url, "found": wrong[0] + more})
