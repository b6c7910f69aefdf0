"""Handles of state are good from their own caller only, and tell others nothing."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_token_guard import Caller, Handles, HandleUnknown

pytestmark = pytest.mark.requirement("RS-9")

NOW = 1_000_000.0
KEY, OTHER = b"k" * 32, b"o" * 32
ALICE = Caller("alice", "client", frozenset(), 0, "http://localhost/mcp", {"iss": "https://as.example"})


def handles(*keys: bytes, now: float = NOW) -> Handles:
    return Handles(*(keys or (KEY,)), clock=lambda: now)


def test_a_handle_opens_for_its_caller_whatever_token_they_have_now() -> None:
    handle = handles().seal(b"page 2", ALICE, 60)
    assert handles().open(handle, ALICE) == b"page 2"
    assert handles().open(handle, replace(ALICE, scopes=frozenset({"x"}), expires_at=9)) == b"page 2"


@pytest.mark.parametrize(
    "other",
    [
        replace(ALICE, subject="bob"),
        replace(ALICE, client_id="another"),
        replace(ALICE, claims={"iss": "https://as.example/"}),
        replace(ALICE, subject="alice\x00client", client_id=""),
        replace(ALICE, subject='alice", "client'),
        replace(ALICE, subject="Alice"),
    ],
)
def test_another_caller_has_no_such_handle(other: Caller) -> None:
    with pytest.raises(HandleUnknown, match="there is no such handle"):
        handles().open(handles().seal(b"state", ALICE, 60), other)


def test_a_handle_ends_and_says_no_more_than_an_unknown_one() -> None:
    handle = handles().seal(b"state", ALICE, 60)
    assert handles(now=NOW + 59).open(handle, ALICE) == b"state"
    with pytest.raises(HandleUnknown, match="there is no such handle"):
        handles(now=NOW + 60).open(handle, ALICE)


@given(st.text() | st.text("ABCDEFabcdef012345-_=", max_size=200))
def test_what_was_never_sealed_is_unknown(handle: str) -> None:
    with pytest.raises(HandleUnknown, match="there is no such handle"):
        handles().open(handle, ALICE)


@given(st.integers(0, 40 + 5 - 1), st.integers(1, 255))
def test_no_byte_of_a_handle_can_be_changed(place: int, change: int) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(handles().seal(b"state", ALICE, 60)))
    sealed[place] ^= change
    with pytest.raises(HandleUnknown):
        handles().open(base64.urlsafe_b64encode(sealed).decode(), ALICE)


def test_keys_change_without_breaking_what_they_sealed() -> None:
    handle = handles(KEY).seal(b"state", ALICE, 60)
    assert handles(OTHER, KEY).open(handle, ALICE) == b"state"
    with pytest.raises(HandleUnknown):
        handles(OTHER).open(handle, ALICE)
    with pytest.raises(ValueError, match="32 bytes"):
        Handles(KEY, b"short")


def test_state_that_is_kept_is_kept_by_caller() -> None:
    kept: dict[Any, str] = {ALICE.identity: "mine"}
    assert replace(ALICE, subject="bob").identity not in kept
    assert ALICE.identity == ("https://as.example", "alice", "client")
