"""Nobody learns from here who has an account: not by what is said, not by status, and not by the time that it takes."""

import itertools
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import delete, event

from authserver.accounts.errors import WrongCredentials
from authserver.protocol.audit import Event, Origin
from authserver.protocol.role import Role
from authserver.store.models import ThrottleRow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor, forms
from tests.mailbox import settings

pytestmark = pytest.mark.requirement("AZ-12")

EVENT = Event("user.added", "system")
EVERYONE = ("kim", "quin", "pat", "zoe")
HERE = Origin("192.0.2.7")
ROUNDS = 15
MOST_UNLIKE = 2.0  # a hash that one of them does not pay for makes them more unlike than that
SLACK = 0.005  # seconds
Answer = tuple[int, str]


@pytest.fixture
def site(site_with: Callable[..., Site], tmp_path) -> Site:
    """Kim has an account, and Quin one without a password; failures cost no delays, which would be alike too."""
    found = site_with(failed_sign_in_delay=0, **settings(tmp_path / "mail"))
    users, hashed = found.deployment.stores.users, found.deployment.sign_in.passwords.hash(PASSWORD)
    users.add("kim", "Kim", hashed, Role.MEMBER, EVENT, email="kim@example.com", verified=True)
    users.add("quin", "Quin", "", Role.MEMBER, EVENT, email="quin@example.com", verified=True)
    users.set_disabled(users.add("pat", "Pat", hashed, Role.MEMBER, EVENT).id, True, EVENT)
    return found


def said(visitor: Visitor, path: str, **filled: str) -> Answer:
    """Status and text of what a stranger is answered, who sends the form at *path*."""
    page = visitor.http.get(path)
    answer = visitor.submit(page, forms(page)[0], filled)
    text = answer.text.partition("<main")[2].partition('<p class="hint">')[0]
    text = re.sub(r'data-ask="[^"]*"', "", text)  # a challenge is another one each time
    for value in (*filled.values(), dict(forms(answer)[0].fields)["csrf_token"] if forms(answer) else "…"):
        text = text.replace(value, "…")
    return answer.status_code, text


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def delays_end(site: Site) -> None:
    """As if the time had passed."""
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(delete(ThrottleRow))


def alike(act: Callable[[str], object], *subjects: str) -> bool:
    """Whether *act* takes as long with each of *subjects*: medians of rounds in which they take turns."""
    for subject in subjects:
        act(subject)
    took: dict[str, list[float]] = {subject: [] for subject in subjects}
    for subject in itertools.chain.from_iterable(itertools.repeat(subjects, ROUNDS)):
        took[subject].append(seconds(lambda: act(subject)))  # noqa: B023 - called at once
    medians = [statistics.median(times) for times in took.values()]
    return max(medians) <= MOST_UNLIKE * min(medians) + SLACK


@contextmanager
def statements(site: Site) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    found: list[str] = []

    def note(connection, cursor, statement, *others) -> None:
        if "config_epoch" not in statement:
            found.append(statement)

    engine = site.deployment.stores.database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def test_a_sign_in_says_the_same_of_everyone(site):
    answers = {said(Visitor(site), "/sign-in", username=name, password="wrong") for name in EVERYONE}
    assert len(answers) == 1
    assert said(Visitor(site), "/sign-in", username="pat", password=PASSWORD) in answers, "disabled"


def test_a_sign_in_takes_the_same_time_for_everyone(site):
    def attempt(name: str) -> None:
        with pytest.raises(WrongCredentials):
            site.deployment.sign_in.attempt(name, "wrong", HERE)

    assert alike(attempt, *EVERYONE)


def test_a_sign_in_in_a_browser_asks_the_database_for_the_same_until_it_has_judged(site):
    asked = []
    for name in ("kim", "zoe"):
        with statements(site) as found, pytest.raises(WrongCredentials):
            site.deployment.sign_in.attempt(name, "wrong", HERE, "a browser")
        asked.append(found)
    assert asked[0] == asked[1]


def test_a_forgotten_password_is_answered_the_same_for_everyone(site):
    addresses = ("kim@example.com", "quin@example.com", "zoe@example.com")
    answers = {said(Visitor(site), "/account/forgotten", email=address) for address in addresses}
    assert len(answers) == 1


def test_a_forgotten_password_asks_the_database_the_same_for_everyone(site):
    asked = []
    for address in ("kim@example.com", "quin@example.com", "zoe@example.com"):
        with statements(site) as found:
            site.deployment.own_account.forgot(address, HERE)
        asked.append(found)
    assert asked[0] == asked[1] == asked[2]
    assert not any("users" in statement for statement in asked[0]), "nobody is looked for"


def test_a_forgotten_password_takes_the_same_time_for_everyone(site):
    def forget(domain: str) -> None:
        delays_end(site)
        site.deployment.own_account.forgot(f"kim@{domain}", HERE)

    assert alike(forget, "example.com", "elsewhere.example")
