"""Sign-ins that a new password overtakes: what the old one was to open, it opens no more."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from authserver.accounts.errors import Busy, WrongCredentials
from authserver.accounts.passwords import Passwords
from authserver.protocol.amr import BY_PASSKEY, BY_PASSWORD, BY_UPSTREAM
from authserver.protocol.audit import Event
from tests.conformance.site import PASSWORD

NEW = "kites over the harbour at dawn"


class Overtaken(Passwords):
    """Passwords that find a hash outdated, *meanwhile* being done before it is replaced."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(1)
        self._meanwhile = [meanwhile]

    def hash(self, password: str) -> str:
        while self._meanwhile:
            self._meanwhile.pop()()
        return super().hash(password)


@pytest.fixture
def changed(deployment, person, origin) -> Callable[[], object]:
    """Gives that person a new password."""
    return lambda: deployment.own_account.change_password(deployment.stores.users.find(person.id), NEW, origin)


@pytest.fixture
def outdated(deployment, person):
    """The person, whose hash is of weaker parameters."""
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    deployment.stores.users.rehash(person.id, person.password_hash, weaker, Event("test.done", "system"))
    return deployment.stores.users.find(person.id)


@pytest.mark.requirement("AZ-10")
def test_a_session_of_the_old_password_does_not_begin(deployment, person, origin, changed):
    judged = deployment.sign_in.attempt(person.username, PASSWORD, origin)
    assert changed()
    _, staying = deployment.remembered.begin()
    with pytest.raises(WrongCredentials):
        deployment.sessions.open(judged, origin, methods=BY_PASSWORD, staying=staying)
    with pytest.raises(WrongCredentials):
        deployment.second_factors.halves.begin(judged, origin, BY_PASSWORD)
    assert deployment.stores.sessions.of_user(person.id, 9) == ()
    assert deployment.stores.remembered.of_user(person.id, 9) == ()


def test_the_second_factor_after_the_old_password_opens_nothing(deployment, person, origin, changed):
    secret = deployment.second_factors.halves.begin(person, origin)
    half = deployment.second_factors.halves.find(secret)
    assert changed()
    assert deployment.second_factors.halves.find(secret) is None
    with pytest.raises(WrongCredentials):
        deployment.sessions.open(half.user, origin, methods=half.methods)


@pytest.mark.parametrize("methods", [BY_PASSKEY, BY_UPSTREAM])
def test_what_needs_no_password_begins(deployment, person, origin, changed, methods):
    assert changed()
    assert deployment.sessions.find(deployment.sessions.open(person, origin, methods=methods))


def test_a_session_in_place_of_one_that_a_new_password_ended_does_not_begin(deployment, person, origin, changed):
    session = deployment.sessions.find(deployment.sessions.open(person, origin))
    user = changed()
    assert deployment.sessions.reopen(session, person, origin) is None
    assert deployment.sessions.reopen(session, user, origin)


def test_a_better_hash_of_the_old_password_does_not_replace_the_new_one(deployment, outdated, origin, changed):
    sign_in = replace(deployment.sign_in, passwords=Overtaken(changed))
    with pytest.raises(WrongCredentials):
        sign_in.attempt(outdated.username, PASSWORD, origin)
    assert deployment.sign_in.attempt(outdated.username, NEW, origin)


def test_two_tabs_that_replace_an_outdated_hash_are_both_signed_in(deployment, outdated, origin):
    meanwhile = lambda: deployment.sign_in.attempt(outdated.username, PASSWORD, origin)  # noqa: E731
    sign_in = replace(deployment.sign_in, passwords=Overtaken(meanwhile))
    assert deployment.sessions.open(sign_in.attempt(outdated.username, PASSWORD, origin), origin)


def test_a_hash_that_cannot_be_replaced_now_is_replaced_another_time(deployment, outdated, origin):
    def full() -> None:
        raise Busy(1)

    sign_in = replace(deployment.sign_in, passwords=Overtaken(full))
    assert deployment.sessions.open(sign_in.attempt(outdated.username, PASSWORD, origin), origin)
    assert deployment.sign_in.passwords.is_outdated(deployment.stores.users.find(outdated.id).password_hash)
