"""Authorization requests that were looked at before they are left to the views: nothing is done, or found, twice."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from authserver.protocol.grant_term import GrantOver, SessionOver
from authserver.store.ceilings import Ceiling
from tests.conformance.fixtures import site
from tests.conformance.site import Site

from .remembered import Remembered, remember

__all__ = ["site"]
pytestmark = pytest.mark.requirement("AZ-9")


@pytest.fixture
def bo(site: Site) -> Remembered:
    return remember(site)


def approve_otherwise(bo: Remembered, monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> list[None]:
    """Has an approval be written down, and *then* something happen; one for each time is in what is returned."""
    service, times = type(bo.site.deployment.authorization), list[None]()
    approve = service.approve

    def and_then(*given: Any, **named: Any) -> str:
        times.append(None)
        found = approve(*given, **named)
        then()
        return found

    monkeypatch.setattr(service, "approve", and_then)
    return times


@pytest.mark.requirement("AZ-13")
@pytest.mark.parametrize(
    ("wrong", "status"),
    [(OperationalError("COMMIT", {}, Exception("gone")), 503), (ProgrammingError("", {}, Exception("no column")), 500)],
)
def test_what_fails_is_done_once_and_told_as_a_view_tells_it(bo: Remembered, monkeypatch, wrong, status) -> None:
    """Whether a lost connection has committed, nobody knows: the person decides again, not the server."""

    def fail() -> None:
        raise wrong

    times, (codes, _) = approve_otherwise(bo, monkeypatch, fail), bo.written()
    answer = bo.get(bo.url())
    assert answer.status_code == status
    assert "<title>" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert (len(times), bo.written()[0]) == (1, codes + 1)


def noted(monkeypatch: pytest.MonkeyPatch, kind: type, verb: str) -> list[object]:
    """What *verb* of *kind* is called with from now on."""
    calls, does = list[object](), getattr(kind, verb)

    def note(*given: Any) -> Any:
        calls.append(given)
        return does(*given)

    monkeypatch.setattr(kind, verb, note)
    return calls


@pytest.mark.parametrize("changes", [{"scope": "notes:read notes:write"}, {"scope": "nonsense"}, {"prompt": "login"}])
def test_what_is_left_has_its_session_found_once_and_is_counted_once(bo: Remembered, monkeypatch, changes) -> None:
    found = noted(monkeypatch, type(bo.site.deployment.stores.sessions), "find")
    taken = noted(monkeypatch, Ceiling, "take")
    bo.age(120)
    bo.get(bo.url(**changes))
    assert (len(found), len(taken)) == (1, 1)


@pytest.mark.parametrize("over", [GrantOver, SessionOver])
def test_what_changed_in_that_moment_is_counted_once(bo: Remembered, monkeypatch, over) -> None:
    taken, service = noted(monkeypatch, Ceiling, "take"), type(bo.site.deployment.authorization)

    def fail(*_: object, **__: object) -> None:
        raise over

    monkeypatch.setattr(service, "approve", fail)
    assert bo.get(bo.url()).status_code in {200, 303}
    assert len(taken) == 1


def test_a_client_on_a_device_is_not_even_looked_for(bo: Remembered, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: object) -> None:
        raise AssertionError("it was looked for")

    bo.flow.register()
    bo.get(bo.flow.url())
    monkeypatch.setattr(type(bo.site.deployment.stores.sessions), "find", find)
    assert bo.at_once(bo.flow.url()) is None
