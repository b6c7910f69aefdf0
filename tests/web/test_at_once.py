"""Authorization requests that need no page: answered as the views answer them, without Flask; all others are left."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.grant_term import GrantOver, SessionOver
from authserver.protocol.role import Role
from authserver.protocol.trace.step import Cause, Step
from authserver.store.audit import AuditFilter
from authserver.web.oauth.at_once import AtOnce
from tests.conformance.fixtures import set_up, site, site_with
from tests.conformance.site import ISSUER, Site
from tests.policies.conftest import apply

from .remembered import CODE, HOSTED, Remembered, remember

EVENT = Event("test.done", "system")

__all__ = ["set_up", "site", "site_with"]
pytestmark = pytest.mark.requirement("AZ-9")


@pytest.fixture
def bo(site: Site) -> Remembered:
    return remember(site)


def leave_flask_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("it came to Flask")

    monkeypatch.setattr(site.app.extensions["authserver.front"], "_pages", fail)


def told(bo: Remembered, url: str, **options: Any) -> tuple[Any, ...]:
    """All that is answered to a request and told of it, but for what is another each time."""
    answer = bo.get(url, **options)
    audit = bo.site.deployment.stores.audit
    (event, *_) = [line.event for line in audit.page(AuditFilter(user_id=bo.person.user.id), None, 1).lines]
    headers = sorted((name, CODE.sub("", value)) for name, value in answer.headers.items())
    where = (event.name, event.actor, event.outcome, event.origin, event.client_id, event.resource, event.detail)
    return answer.status_code, headers, CODE.sub("", answer.text), where


@pytest.mark.parametrize("changes", [{}, {"state": "ü & <b>"}, {"prompt": "none"}, {"max_age": "900"}, {"state": ""}])
def test_it_is_answered_and_told_as_the_views_do(bo: Remembered, monkeypatch: pytest.MonkeyPatch, changes) -> None:
    url, options = bo.url(**changes), {"headers": {"User-Agent": "a browser"}}
    assert bo.at_once(url) is not None
    own = told(bo, url, **options)
    monkeypatch.setattr(AtOnce, "answer", lambda *_: None)
    assert own == told(bo, url, **options)
    assert own[0] == 303


def test_its_code_is_one_like_any_other(bo: Remembered, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_flask_out(bo.site, monkeypatch)
    found = bo.flow.answer(bo.get(bo.url()))
    assert {"code", "iss", "kept", "b"} <= found.keys()
    tokens = bo.flow.token(redirect_uri=HOSTED).json
    assert tokens["scope"] == "notes:read"


def test_it_is_counted_as_a_request_of_its_endpoint(bo: Remembered, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for _ in range(2):
        environ = bo.environ(bo.url())
        list(bo.site.app(environ, lambda *_: print))
        noted = environ["authserver.seen"]
        seen.append((noted.endpoint, noted.route, noted.correlation_id, noted.status[:3]))
        monkeypatch.setattr(AtOnce, "answer", lambda *_: None)
    assert seen[0] == seen[1]
    assert seen[0][0] == "authorize"


def test_it_is_a_step_of_the_attempt(bo: Remembered) -> None:
    kept: list[Any] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(bo.site.deployment.tracing.recorder), "take", lambda _, record: kept.append(record))
        assert bo.at_once(bo.url()) is not None
    (record,) = kept
    assert (record.step, record.cause, record.user_id) == (Step.CONSENT, Cause.REMEMBERED, bo.person.user.id)


@pytest.mark.requirement("AZ-10", "DI-3")
def test_an_issuer_by_https_has_its_own_cookies(site_with: Callable[..., Site]) -> None:
    bo = remember(site_with(issuer="https://localhost"))
    assert bo.at_once(bo.url()) is not None
    answer = bo.get(bo.url())
    assert "code" in bo.flow.answer(answer)
    assert answer.headers["Set-Cookie"].startswith("__Host-device=")
    assert "Strict-Transport-Security" in answer.headers


def suspended(bo: Remembered) -> None:
    bo.site.deployment.stores.clients.set_suspended(bo.flow.values["client_id"], True, EVENT)


def disabled(bo: Remembered) -> None:
    bo.site.deployment.stores.users.set_disabled(bo.person.user.id, True, EVENT)


def another_role(bo: Remembered) -> None:
    bo.site.deployment.stores.users.set_role(bo.person.user.id, Role.AUDITOR, Role.MEMBER, EVENT)


def ended(bo: Remembered) -> None:
    bo.site.deployment.stores.sessions.end_all(bo.person.user.id, EVENT)


def taken_back(bo: Remembered) -> None:
    (grant,) = bo.site.deployment.stores.grants.of_client(bo.flow.values["client_id"], 10).lines
    bo.site.deployment.stores.grants.revoke(grant.id, EVENT)


def forged(bo: Remembered) -> None:
    cookie = bo.visitor.http.get_cookie("session")
    assert cookie
    bo.visitor.http.set_cookie("session", cookie.value[:-4] + "AAAA")


def no_device(bo: Remembered) -> None:
    bo.visitor.http.delete_cookie("device")


def too_old(bo: Remembered) -> None:
    bo.age(3600)


def nothing(_: Remembered) -> None:
    """All is as it was."""


LEFT: list[tuple[Callable[[Remembered], None], dict[str, str | None]]] = [
    (suspended, {}),
    (disabled, {}),
    (ended, {}),
    (taken_back, {}),
    (forged, {}),
    (too_old, {"max_age": "60"}),
    (too_old, {"prompt": "login"}),
    (too_old, {"prompt": "login consent"}),
    (nothing, {"prompt": "none login"}),
    (nothing, {"prompt": "consent"}),
    (nothing, {"scope": "notes:read notes:write"}),
    (nothing, {"scope": "notes:nonsense"}),
    (nothing, {"redirect_uri": "https://evil.example/"}),
    (nothing, {"redirect_uri": "https://app.example/other"}),
    (nothing, {"resource": "https://other.example/mcp"}),
    (nothing, {"client_id": "nobody"}),
    (nothing, {"code_challenge": None}),
    (nothing, {"code_challenge_method": "plain"}),
    (nothing, {"response_type": "token"}),
    (nothing, {"acr_values": "phr"}),
    (nothing, {"acr_values": "https://refeds.org/profile/mfa", "claims": "x"}),
    (nothing, {"state": "x" * 5000}),
]


@pytest.mark.requirement("AZ-2", "AZ-13", "AZ-14")
@pytest.mark.parametrize(("happens", "changes"), LEFT, ids=lambda given: getattr(given, "__name__", None))
def test_what_takes_more_is_left_and_nothing_is_done(bo: Remembered, happens, changes) -> None:
    assert bo.at_once(bo.url()) is not None
    happens(bo)
    bo.site.deployment.stores.epoch.forget()
    before = bo.written()
    assert bo.at_once(bo.url(**changes)) is None
    assert bo.written() == before
    assert "code=" not in (bo.get(bo.url(**changes)).location or "")


@pytest.mark.parametrize(("happens", "changes"), [(another_role, {}), (no_device, {}), (nothing, {"resource": None})])
def test_what_only_the_views_find_out_is_theirs(bo: Remembered, happens, changes) -> None:
    happens(bo)
    before = bo.written()
    assert bo.at_once(bo.url(**changes)) is None
    assert bo.written() == before
    assert "code" in bo.flow.answer(bo.get(bo.url(**changes)))


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS"])
def test_other_methods_are_left(bo: Remembered, method: str) -> None:
    assert bo.at_once(bo.url(), method=method) is None


@pytest.mark.parametrize("query", ["", "?", "?client_id=a&client_id=b", "?%00=%00", "?a=%ff"])
def test_what_cannot_be_read_is_left(bo: Remembered, query: str) -> None:
    assert bo.at_once("/authorize" + query) is None


def test_a_rule_that_takes_something_leaves_it_to_the_views(site_with: Callable[..., Site]) -> None:
    bo = remember(site_with())
    apply(bo.site, {"name": "none", "effect": "deny", "tools": ["list_notes"]})
    before = bo.written()
    assert bo.at_once(bo.url()) is None
    assert bo.written() == before


@pytest.mark.requirement("AZ-12")
def test_whoever_comes_too_often_is_told_so(site_with: Callable[..., Site]) -> None:
    bo = remember(site_with(pages_per_person="20 per hour"))
    answers = [bo.get(bo.url()).status_code for _ in range(30)]
    assert 5 < answers.index(429) < 20
    assert set(answers[answers.index(429) :]) == {429}


def test_a_factor_that_is_owed_is_asked_for(site_with: Callable[..., Site]) -> None:
    bo = remember(site_with(second_factor="off"))
    assert bo.at_once(bo.url()) is not None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(bo.site.deployment.second_factors), "owes", lambda *_: True)
        assert bo.at_once(bo.url()) is None
        assert bo.get(bo.url()).location.startswith("/account/security/factors")


@pytest.mark.requirement("AZ-13")
@pytest.mark.parametrize("over", [GrantOver, SessionOver])
def test_what_changes_in_the_same_moment_is_looked_at_anew(bo: Remembered, over: type[Exception]) -> None:
    service = type(bo.site.deployment.authorization)
    approve = service.approve
    with pytest.MonkeyPatch.context() as patched:

        def once(*_: object, **__: object) -> None:
            patched.setattr(service, "approve", approve)
            raise over

        patched.setattr(service, "approve", once)
        assert "code" in bo.flow.answer(bo.get(bo.url()))


@pytest.mark.requirement("AZ-9", "AZ-13")
@pytest.mark.parametrize("happens", [ended, disabled, taken_back])
def test_what_ends_after_it_was_looked_at_allows_nothing(bo: Remembered, monkeypatch, happens) -> None:
    """In the last moment: all was found good, and what is to be written down is made."""
    service = type(bo.site.deployment.authorization)
    approve = service.approve

    def too_late(*given: Any, **named: Any) -> str:
        monkeypatch.setattr(service, "approve", approve)
        happens(bo)
        return approve(*given, **named)

    monkeypatch.setattr(service, "approve", too_late)
    codes, _ = bo.written()
    answer = bo.get(bo.url())
    assert service.approve is approve, "it came that far"
    assert "code=" not in (answer.location or "")
    assert bo.written()[0] == codes


def test_the_issuer_is_that_of_the_settings(bo: Remembered) -> None:
    found = dict(parse_qsl(urlsplit(dict(bo.at_once(bo.url()).headers)["Location"]).query))
    assert found["iss"] == ISSUER
