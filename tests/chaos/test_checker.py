"""What the load tells as wrong: refusals of what is right, and none that a lost answer explains."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx2
import pytest

from tests.trail.mixed_load import NotNow

from . import load as loads
from .answers import Answer
from .load import Credentials, Kept, Load

KEPT = Kept("client", "access", "refresh")
TOKENS = httpx2.Response(200, json={"access_token": "next", "refresh_token": "next"})
REFUSED = httpx2.Response(400, json={"error": "invalid_grant"})
AWAY = httpx2.Response(503, json={"error": "temporarily_unavailable"}, headers={"Retry-After": "1"})
LOST = httpx2.ReadError("nobody answered")
Outcome = httpx2.Response | httpx2.ReadError
Made = Callable[..., Load]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Made:
    """A load that gets one outcome after the other, the last again and again; whose clients race, and have a code."""
    monkeypatch.setattr(loads, "obtain_code", lambda *_: "code")
    monkeypatch.setattr("secrets.randbelow", lambda _: 0)

    def answers(*outcomes: Outcome) -> Load:
        following: Iterator[Outcome] = iter(outcomes)

        def answer(_: httpx2.Request) -> httpx2.Response:
            outcome = next(following, outcomes[-1])
            if isinstance(outcome, httpx2.ReadError):
                raise outcome
            return httpx2.Response(outcome.status_code, headers=outcome.headers, content=outcome.content)

        load = Load("http://localhost", (), Credentials("guard", "secret"), Credentials("machine", "secret"))
        load._http = httpx2.Client(transport=httpx2.MockTransport(answer))
        return load

    return answers


def goes(deed: Callable[[], object]) -> None:
    with suppress(NotNow):
        deed()


@pytest.mark.parametrize(
    ("outcomes", "wrong"),
    [
        ((TOKENS, REFUSED), []),
        ((REFUSED, TOKENS), []),
        ((REFUSED, LOST), []),
        ((AWAY, REFUSED), []),
        ((LOST, LOST), []),
        ((REFUSED, REFUSED), ["a good code was refused to all who had it"]),
        ((TOKENS, TOKENS), ["a code was redeemed twice"]),
    ],
)
def test_a_good_code_may_be_refused_to_those_whom_another_may_have_forestalled(
    answered: Made, outcomes: tuple[Outcome, ...], wrong: list[str]
):
    load = answered(*outcomes)
    goes(lambda: load._redeemed("client", load._browser("ada")))
    assert [told.partition(":")[0] for told in load.ledger.wrong] == wrong


def test_a_code_that_was_too_old_may_be_refused_to_all(answered: Made, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loads, "CODE_LIFETIME", 0.0)
    load = answered(REFUSED)
    goes(lambda: load._redeemed("client", load._browser("ada")))
    assert load.ledger.wrong == []


@pytest.mark.parametrize(
    ("outcomes", "wrong"),
    [
        ((TOKENS,), []),
        ((AWAY, LOST, AWAY, TOKENS), []),
        ((REFUSED,), ["a refresh token was refused that nobody had revoked"]),
        ((TOKENS, TOKENS, REFUSED), ["a refresh token was refused that nobody had revoked"]),
        ((TOKENS, REFUSED, TOKENS), ["a refresh token was refused that nobody had revoked"]),
        ((LOST, AWAY, AWAY, REFUSED), ["a refresh token was refused that nobody had revoked"]),
    ],
)
def test_a_good_refresh_token_may_not_be_refused_in_the_time_in_which_it_may_be_repeated(
    answered: Made, outcomes: tuple[Outcome, ...], wrong: list[str]
):
    load = answered(*outcomes)
    goes(lambda: load._go_on(KEPT))
    assert load.ledger.wrong == wrong


def test_a_refresh_token_may_be_refused_when_that_time_is_over(answered: Made, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loads, "RETRY_WINDOW", 0.0)
    load = answered(LOST, LOST, REFUSED)
    goes(lambda: load._go_on(KEPT))
    assert load.ledger.wrong == []


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/register"])
def test_whoever_asks_for_their_own_may_be_put_off_and_not_refused(answered: Made, path: str):
    load = answered(AWAY, REFUSED)
    goes(lambda: load._answered(path, {}))
    assert load.ledger.wrong == []
    goes(lambda: load._answered(path, {}))
    assert [told.partition(":")[0] for told in load.ledger.wrong] == [f"{path} refused what is right"]


@pytest.mark.parametrize(
    ("status", "path", "is_served", "is_right"),
    [
        (200, "/token", True, True),
        (302, "/authorize", True, True),
        (400, "/token", True, True),
        (429, "/token", False, False),
        (429, "/sign-in", True, True),
        (500, "/sign-in", False, False),
        (503, "/token", False, True),
    ],
)
def test_nobody_is_over_a_ceiling_but_for_those_who_sign_in_to_one_account_at_once(
    status: int, path: str, is_served: bool, is_right: bool
):
    answer = Answer(at=0.0, path=path, port=1, status=status, seconds=0.1, asks_to_retry=True)
    assert answer.is_served == is_served
    assert (answer.fault is None) == is_right
