"""A browser from which somebody has signed in before: strangers' failures are not theirs (AZ-12)."""

from dataclasses import replace

import pytest

from authserver.accounts.errors import TooManyAttempts, WrongCredentials
from authserver.accounts.sign_in import SignIn
from authserver.protocol.audit import Origin
from authserver.services.deployment import Deployment
from authserver.store.user import User
from tests.conformance.site import PASSWORD

pytestmark = pytest.mark.requirement("AZ-12")

FIRST = 30  # seconds: no test takes as long, so what is delayed stays delayed
BROWSER = "x" * 43


@pytest.fixture
def sign_in(deployment: Deployment, person: User) -> SignIn:
    found = replace(deployment.sign_in, delay=FIRST)
    found.know(person, BROWSER)
    return found


def fail(sign_in: SignIn, username: str, origin: Origin, browser: str | None = None) -> None:
    with pytest.raises(WrongCredentials):
        sign_in.attempt(username, "not the password", origin, browser)


def is_delayed(sign_in: SignIn, username: str, origin: Origin, browser: str | None = None) -> bool:
    try:
        sign_in.attempt(username, PASSWORD, origin, browser)
    except TooManyAttempts:
        return True
    return False


def test_what_strangers_guess_from_everywhere_delays_no_browser_that_is_known(sign_in, person, origin):
    for number in range(21):
        fail(sign_in, person.username, origin._replace(address=f"192.0.2.{number}"))
    assert is_delayed(sign_in, person.username, origin)
    assert is_delayed(sign_in, person.username, origin, "y" * 43)
    assert not is_delayed(sign_in, person.username, origin, BROWSER)


def test_what_somebody_guesses_behind_the_same_address_does_not_either(sign_in, person, origin):
    for _ in range(2):
        fail(sign_in, person.username, origin)
    for number in range(19):
        fail(sign_in, f"nobody-{number}-{person.id}", origin)
    assert is_delayed(sign_in, person.username, origin)
    assert not is_delayed(sign_in, person.username, origin, BROWSER)


def test_its_own_failures_delay_it_wherever_it_is_and_nobody_else(sign_in, person, origin):
    for _ in range(2):
        fail(sign_in, person.username, origin, BROWSER)
    assert is_delayed(sign_in, person.username, origin, BROWSER)
    assert is_delayed(sign_in, person.username, origin._replace(address="192.0.2.99"), BROWSER)
    assert not is_delayed(sign_in, person.username, origin)


def test_a_success_there_clears_its_failures_and_not_those_of_strangers(sign_in, person, origin):
    fail(sign_in, person.username, origin)
    fail(sign_in, person.username, origin, BROWSER)
    assert not is_delayed(sign_in, person.username, origin, BROWSER)
    fail(sign_in, person.username, origin, BROWSER)
    assert not is_delayed(sign_in, person.username, origin, BROWSER)
    fail(sign_in, person.username, origin)
    assert is_delayed(sign_in, person.username, origin)


def test_a_browser_that_one_person_used_is_not_known_to_another(sign_in, deployment, person, origin):
    ada = deployment.stores.users.by_name("ada")
    for _ in range(2):
        fail(sign_in, ada.username, origin, BROWSER)
    assert is_delayed(sign_in, ada.username, origin, BROWSER)


def test_what_is_kept_of_it_tells_of_neither_person_nor_browser(sign_in, deployment, person):
    with deployment.stores.database.reading() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM known_browsers").all())
    assert person.id not in rows
    assert person.username not in rows
    assert BROWSER not in rows
