"""Passwords are hashed by Argon2id, a few at a time, at one cost for everyone."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters

from authserver.accounts.errors import Busy
from authserver.accounts.passwords import Passwords, PasswordTooLong


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(slots=2)


@pytest.mark.requirement("AZ-12")
def test_a_password_is_stored_as_argon2id_of_owasp_strength(passwords):
    found = extract_parameters(passwords.hash("correct horse"))
    assert found.type.name == "ID"
    assert (found.memory_cost, found.time_cost, found.parallelism) == (19 * 1024, 2, 1)


def test_the_right_password_is_verified_and_another_is_not(passwords):
    stored = passwords.hash("correct horse")
    assert passwords.verify("correct horse", stored)
    assert not passwords.verify("correct hors", stored)
    assert not passwords.verify("", stored)


def test_a_password_typed_in_another_normal_form_is_the_same(passwords):
    assert passwords.verify("caf\u00e9", passwords.hash("cafe\u0301"))


def test_a_password_over_the_bound_is_refused_before_it_is_hashed(passwords):
    with pytest.raises(PasswordTooLong):
        passwords.hash("x" * 1025)
    assert not passwords.verify("x" * 1025, passwords.hash("x" * 1024))


@pytest.mark.parametrize("other", ["A long password, said so", "a long password, said so ", "a long password, said s"])
def test_a_password_is_compared_as_it_was_given(passwords, other):
    stored = passwords.hash("a long password, said so")
    assert not passwords.verify(other, stored)


def test_no_end_of_a_long_password_is_cut_off(passwords):
    stored = passwords.hash("x" * 1023 + "y")
    assert passwords.verify("x" * 1023 + "y", stored)
    assert not passwords.verify("x" * 1024, stored)


@pytest.mark.parametrize("stored", ["", "not a hash", "$argon2id$v=19$broken"])
def test_a_broken_hash_verifies_nothing(passwords, stored):
    assert not passwords.verify("anything", stored)


def test_a_hash_with_weaker_parameters_is_outdated(passwords):
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("correct horse")
    assert passwords.is_outdated(weaker)
    assert passwords.verify("correct horse", weaker)
    assert not passwords.is_outdated(passwords.hash("correct horse"))


@pytest.mark.requirement("AZ-12")
def test_somebody_unknown_costs_as_much_as_somebody_known(passwords):
    stored = passwords.hash("correct horse")
    known: list[float] = []
    unknown: list[float] = []
    alike = False
    # The least of seven counts; where the machine has disturbed even these, more are taken.
    while len(known) < 7 or (len(known) < 100 and not alike):
        known.append(seconds(lambda: passwords.verify("wrong", stored)))
        unknown.append(seconds(lambda: passwords.verify("wrong", None)))
        alike = 0.5 < min(unknown) / min(known) < 2
    assert alike


def seconds(action: Callable[[], object]) -> float:
    """What *action* takes of this thread's time: what the machine does besides does not count."""
    begun = time.thread_time()
    action()
    return time.thread_time() - begun


def test_a_hash_that_finds_no_slot_in_time_is_asked_to_come_again():
    passwords = Passwords(slots=1, patience=0.01)
    stored = passwords.hash("correct horse")
    with passwords._slot(), pytest.raises(Busy) as refused:
        passwords.verify("correct horse", stored)
    assert refused.value.retry_after >= 1
    assert passwords.verify("correct horse", stored)


def test_who_finds_no_room_to_wait_is_asked_to_come_again_at_once():
    passwords = Passwords(slots=1, patience=60, room=1)
    stored = passwords.hash("correct horse")
    with passwords._slot(), pytest.raises(Busy):
        passwords.verify("correct horse", stored)
    assert passwords.verify("correct horse", stored)


def test_room_is_for_as_many_as_leave_threads_to_others():
    passwords = Passwords(slots=1, patience=60, room=3)
    with ThreadPoolExecutor(2) as threads:
        with passwords._slot():
            waiting = [threads.submit(passwords.hash, "correct horse") for _ in range(2)]
            while passwords._room._value:
                pass
            with pytest.raises(Busy):
                passwords.hash("correct horse")
        assert all(each.result().startswith("$argon2id$") for each in waiting)
