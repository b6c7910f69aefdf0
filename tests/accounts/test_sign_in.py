"""Signing in: failures cost more and more, and say nothing of who exists."""

from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from authserver.accounts.delays import growing
from authserver.accounts.errors import TooManyAttempts, WrongCredentials
from authserver.accounts.sign_in import SignIn
from authserver.protocol.audit import Event, Origin
from authserver.services.ceilings import AddressLimit
from authserver.services.deployment import Deployment
from authserver.store.audit import AuditFilter
from authserver.store.ceilings import Ceiling
from authserver.store.models import ThrottleRow, UserRow
from tests.conformance.site import PASSWORD

UNKNOWN = "nobody-of-that-name"
FIRST = 30  # seconds: no test takes as long, so what is delayed stays delayed
EVENT = Event("test.done", "system")


@pytest.fixture
def sign_in(deployment: Deployment) -> SignIn:
    return replace(deployment.sign_in, delay=FIRST)


def fail(sign_in: SignIn, username: str, origin: Origin) -> None:
    with pytest.raises(WrongCredentials):
        sign_in.attempt(username, "not the password", origin)


def delay(sign_in: SignIn, username: str, origin: Origin, password: str = PASSWORD) -> int:
    with pytest.raises(TooManyAttempts) as refused:
        sign_in.attempt(username, password, origin)
    return refused.value.retry_after


def delays_end(deployment: Deployment) -> None:
    """As if the time had passed."""
    with deployment.stores.database.transaction() as connection:
        connection.execute(update(ThrottleRow).values(blocked_until=0))


def events(deployment: Deployment, name: str, origin: Origin) -> list[Event]:
    page = deployment.stores.audit.page(AuditFilter(name=name), None, 1000)
    return [line.event for line in page if line.event.origin == origin]


def test_the_right_password_signs_in(sign_in, person, origin):
    assert sign_in.attempt(person.username, PASSWORD, origin).id == person.id


def test_a_password_of_years_ago_is_as_good_as_any(sign_in, deployment, person, origin):
    long_ago = update(UserRow).where(UserRow.id == person.id).values(created_at=UserRow.created_at - 10 * 365 * 86_400)
    with deployment.stores.database.transaction() as connection:
        connection.execute(long_ago)
    assert sign_in.attempt(person.username, PASSWORD, origin).id == person.id


def test_a_user_name_is_taken_in_any_case_and_with_spaces_around(sign_in, person, origin):
    assert sign_in.attempt(f" {person.username.upper()} ", PASSWORD, origin).id == person.id


@pytest.mark.requirement("AZ-12")
@pytest.mark.parametrize("username", [UNKNOWN, "", "x" * 10_000, "nul\0", "\ud800", "two\nlines"])
def test_a_name_that_cannot_exist_fails_as_a_wrong_password_does(sign_in, origin, username):
    fail(sign_in, username, origin)


@pytest.mark.requirement("AZ-12")
def test_a_disabled_person_fails_as_a_wrong_password_does(sign_in, deployment, person, origin):
    deployment.stores.users.set_disabled(person.id, True, EVENT)
    with pytest.raises(WrongCredentials):
        sign_in.attempt(person.username, PASSWORD, origin)


@pytest.mark.requirement("AZ-12")
def test_failures_in_a_row_cost_more_and_more(sign_in, deployment, person, origin):
    costs = []
    fail(sign_in, person.username, origin)
    for _ in range(6):
        fail(sign_in, person.username, origin)
        costs.append(delay(sign_in, person.username, origin))
        delays_end(deployment)
    doubled = [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST, 16 * FIRST, 15 * 60]
    assert all(0.7 * wanted <= cost <= wanted for cost, wanted in zip(costs, doubled, strict=True)), costs


@pytest.mark.requirement("AZ-12")
def test_delays_have_an_end():
    delay_of = growing(FIRST, 1, 15 * 60)
    assert [delay_of(1), delay_of(2), delay_of(3)] == [0, FIRST, 2 * FIRST]
    assert delay_of(1000) == 15 * 60


@pytest.mark.requirement("AZ-12")
def test_an_unknown_name_is_delayed_like_a_known_one(sign_in, person, origin):
    for username in (person.username, f"{UNKNOWN}-{person.id}"):
        fail(sign_in, username, origin)
        fail(sign_in, username, origin)
        assert 0.7 * FIRST <= delay(sign_in, username, origin) <= FIRST


@pytest.mark.requirement("AZ-12")
def test_an_account_is_delayed_wherever_the_attempts_come_from(sign_in, person, origin):
    for number in range(21):
        fail(sign_in, person.username, origin._replace(address=f"192.0.2.{number}"))
    assert 0 < delay(sign_in, person.username, origin._replace(address="192.0.2.99")) <= 60


@pytest.mark.requirement("AZ-12")
def test_a_stranger_elsewhere_does_not_lock_a_person_out(sign_in, person, origin):
    for _ in range(2):
        fail(sign_in, person.username, origin._replace(address="192.0.2.1"))
    assert delay(sign_in, person.username, origin._replace(address="192.0.2.1"))
    assert sign_in.attempt(person.username, PASSWORD, origin)


@pytest.mark.requirement("AZ-12")
def test_an_address_that_tries_many_names_is_delayed_for_all(sign_in, person, origin):
    for number in range(21):
        fail(sign_in, f"{UNKNOWN}-{number}-{person.id}", origin)
    neighbour = origin._replace(address=origin.address.replace("::1", "::2"))
    assert delay(sign_in, person.username, neighbour), "an IPv6 customer has a whole /64"
    elsewhere = origin._replace(address="2001:db8:ffff:ffff::1")
    assert sign_in.attempt(person.username, PASSWORD, elsewhere)


@pytest.mark.requirement("AZ-12")
def test_a_success_clears_the_account_and_not_the_address(sign_in, person, origin):
    for number in range(20):
        fail(sign_in, f"{UNKNOWN}-{number}-{person.id}", origin)
    sign_in.attempt(person.username, PASSWORD, origin)
    fail(sign_in, person.username, origin._replace(address="192.0.2.9"))
    fail(sign_in, f"{UNKNOWN}-{person.id}", origin)
    assert delay(sign_in, person.username, origin)


@pytest.mark.requirement("AZ-12")
def test_an_address_has_a_ceiling_of_attempts(sign_in, person, origin):
    bounded = replace(sign_in, ceiling=AddressLimit(Ceiling.of("3 per hour")))
    for _ in range(3):
        bounded.attempt(person.username, PASSWORD, origin)
    assert delay(bounded, person.username, origin) > 1000


def test_success_and_failure_are_audited_with_the_person_where_known(sign_in, deployment, person, origin):
    sign_in.attempt(person.username, PASSWORD, origin)
    fail(sign_in, person.username, origin)
    fail(sign_in, UNKNOWN, origin)
    (success,) = events(deployment, "sign_in.succeeded", origin)
    assert (success.user_id, success.outcome) == (person.id, "success")
    failures = events(deployment, "sign_in.failed", origin)
    assert [(event.user_id, event.outcome) for event in failures] == [(None, "refused"), (person.id, "refused")]


@pytest.mark.requirement("TK-6")
def test_a_password_typed_as_the_user_name_is_written_down_nowhere(sign_in, deployment, origin):
    fail(sign_in, "hunter2 is my password", origin)
    with deployment.stores.database.reading() as connection:
        keys = connection.scalars(select(ThrottleRow.key)).all()
    assert not any("hunter2" in key for key in keys)
    assert all("hunter2" not in str(event) for event in events(deployment, "sign_in.failed", origin))


def test_a_hash_of_weaker_parameters_is_replaced_at_sign_in(sign_in, deployment, person, origin):
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    deployment.stores.users.rehash(person.id, person.password_hash, weaker, EVENT)
    sign_in.attempt(person.username, PASSWORD, origin)
    stored = deployment.stores.users.find(person.id).password_hash
    assert stored != weaker
    assert not sign_in.passwords.is_outdated(stored)
    assert sign_in.attempt(person.username, PASSWORD, origin)
