"""Status lists as text: one bit for each place, and an ``iat`` that all nodes come to (TK-10)."""

import zlib
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol import status_list
from authserver.protocol.status_list import RENEWED, TTL, encoded, envelope, issued_at

pytestmark = pytest.mark.requirement("TK-10")
NOW = 1_800_000_000


def bits(found: dict[str, Any]) -> bytes:
    return zlib.decompress(urlsafe_b64decode(found["lst"] + "=" * (-len(found["lst"]) % 4)))


def test_the_example_of_the_draft():
    # §4.1: statuses 1 0 0 1 1 1 0 1  1 1 0 0 0 1 0 1 are the bytes B9 A3.
    found = encoded({0, 3, 4, 5, 7, 8, 9, 13, 15}, 16)
    assert found["bits"] == 1
    assert bits(found) == b"\xb9\xa3"


@given(st.sets(st.integers(0, 1023)))
def test_each_place_has_its_own_bit(indexes: set[int]):
    data = bits(encoded(indexes, 1024))
    assert {place for place in range(1024) if data[place // 8] >> place % 8 & 1} == indexes


def test_a_list_is_renewed_at_half_its_time_or_when_it_changes_and_never_grows_younger():
    assert RENEWED * 2 == TTL
    moments = [issued_at(NOW + step / 4, NOW - 100 if step < 50 else NOW + 12) for step in range(400)]
    assert moments == sorted(moments)
    assert len({issued_at(NOW + seconds, 0) for seconds in range(RENEWED)}) == 1
    assert issued_at(NOW + RENEWED, 0) == issued_at(NOW, 0) + RENEWED
    assert issued_at(NOW + 1, NOW + 1) == NOW + 1


def test_a_list_says_whose_it_is_and_until_when():
    found = envelope("https://a.example", "https://a.example/status/t/1", NOW)
    assert found == {
        "iss": "https://a.example",
        "sub": "https://a.example/status/t/1",
        "iat": NOW,
        "exp": NOW + status_list.VALID_SECONDS,
        "ttl": TTL,
    }
