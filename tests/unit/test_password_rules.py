"""Which new passwords are taken, by lists on this machine alone."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from authserver.accounts.breached import BreachedPasswords
from authserver.accounts.password_rules import (
    BREACHED,
    COMMON,
    LEAST_CHARACTERS,
    PERSONAL,
    SIMPLE,
    TOO_LONG,
    TOO_SHORT,
    PasswordRefused,
    PasswordRules,
    common,
)
from authserver.accounts.passwords import MOST_CHARACTERS
from authserver.settings import Settings

RULES = PasswordRules("auth.acme.example")
GOOD = "quiet otters paint fences"


def refused(password: str, *about: str, rules: PasswordRules = RULES) -> str:
    with pytest.raises(PasswordRefused) as found:
        rules.check(password, *about)
    return str(found.value)


@pytest.mark.parametrize(
    "password",
    [GOOD, "kT9-vv2!mQ_x", "пароль для проверки", "dragon rode past twelve", "correct-horse-4", "x" * 3 + GOOD],
)
def test_long_ones_that_nobody_tries_are_taken(password):
    RULES.check(password, "kim", "Kim Lee", "kim@example.com")


def test_short_and_endless_ones_are_refused():
    assert refused("a" * 11) == TOO_SHORT.format(LEAST_CHARACTERS)
    assert refused(GOOD * 50) == TOO_LONG.format(MOST_CHARACTERS)


@pytest.mark.parametrize(
    "password", ["aaaaaaaaaaaaaaa", "abababababab", "abcdefghijklmnop", "1212121212121212", "zyxwvutsrqponm"]
)
def test_what_repeats_itself_or_counts_on_is_refused(password):
    assert refused(password) == SIMPLE


@pytest.mark.parametrize(
    "password",
    [
        "1qaz2wsx3edc",
        "Password2024",
        "P@ssw0rd!!12",
        "passwordpassword",
        "dragon123456789",
        "!!administrator",
        "ＡＤＭＩＮＩＳＴＲＡＴＯＲ",
        "Administrator",
        "unbelievable",
    ],
)
def test_common_ones_are_refused_in_all_the_forms_that_people_give_them(password):
    assert refused(password) == COMMON


@pytest.mark.parametrize(
    "password",
    ["kim.lee-2024", "KimLee!12345x", "auth.acme.example", "acmeacme-99x", "kim@example.com1"],
)
def test_what_is_little_more_than_a_name_is_refused(password):
    assert refused(password, "kim.lee", "KimLee", "kim@example.com") in {PERSONAL, TOO_SHORT}


def test_names_may_stand_in_a_longer_one():
    RULES.check("kimlee paints quiet fences", "kimlee")


def test_the_list_of_common_ones_is_there():
    assert len(common()) > 40_000
    assert {"password", "qwerty", "123456"} <= common()


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> Path:
    """A thousand passwords as the download has them."""
    digests = sorted(digest(f"stolen password {number}") for number in range(1000))
    path = tmp_path_factory.mktemp("breached") / "sha1.txt"
    path.write_bytes(b"".join(f"{each}:{number}\r\n".encode() for number, each in enumerate(digests)))
    return path


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def test_each_one_of_a_file_of_breached_passwords_is_found_and_no_other(listed):
    held = BreachedPasswords(str(listed))
    assert all(f"stolen password {number}" in held for number in range(1000))
    assert not any(f"other password {number}" in held for number in range(1000))


@given(st.text(max_size=40))
def test_whatever_is_looked_up_is_answered(listed, password):
    assert password not in BreachedPasswords(str(listed))


def test_a_breached_one_is_refused(listed):
    rules = PasswordRules("auth.example", BreachedPasswords(str(listed)))
    assert refused("stolen password 7", rules=rules) == BREACHED
    rules.check(GOOD)


def test_a_file_that_is_gone_refuses_nothing_but_what_is_common(tmp_path):
    rules = PasswordRules("auth.example", BreachedPasswords(str(tmp_path / "gone")))
    rules.check(GOOD)
    assert refused("unbelievable", rules=rules) == COMMON


def test_a_file_that_is_no_such_list_stops_the_start(tmp_path, listed):
    assert Settings(breached_passwords_file=str(listed)).breached_passwords_file
    other = tmp_path / "other.txt"
    other.write_text("password\nqwerty\n")
    for wrong in (other, tmp_path / "missing"):
        with pytest.raises(ValidationError, match="SHA-1"):
            Settings(breached_passwords_file=str(wrong))
