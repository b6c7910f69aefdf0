"""The numbers that tokens show: all different, and telling nothing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.keys.numbering import SIZE, Numbering, tag

RESOURCE = "https://notes.example/mcp"
SECRETS = st.binary(min_size=32, max_size=32)
POSITIONS = st.integers(0, SIZE * SIZE - 1)


@pytest.mark.requirement("TK-10")
def test_a_whole_shard_is_numbered_without_a_number_used_twice():
    numbering = Numbering(lambda: b"k" * 32)
    shards, indexes = zip(*(numbering.place(RESOURCE, 3 * SIZE + low) for low in range(SIZE)), strict=True)
    assert len(set(shards)) == 1
    taken = bytearray(SIZE)
    for index in indexes:
        taken[index] += 1
    assert set(taken) == {1}


@pytest.mark.requirement("TK-10")
@given(SECRETS, st.sets(POSITIONS, max_size=30))
def test_no_two_positions_have_the_same_place(secret: bytes, positions: set[int]):
    numbering = Numbering(lambda: secret)
    places = {numbering.place(RESOURCE, position) for position in positions}
    assert len(places) == len(positions)
    assert all(0 <= number < SIZE for place in places for number in place)


@pytest.mark.requirement("TK-10")
def test_neither_order_nor_volume_nor_another_resource_can_be_read_from_the_numbers():
    numbering = Numbering(lambda: b"k" * 32)
    here = [numbering.place(RESOURCE, position)[1] for position in range(1000)]
    rising = sum(later > earlier for earlier, later in itertools.pairwise(here))
    assert 400 < rising < 600
    assert SIZE * 0.4 < sum(here) / len(here) < SIZE * 0.6
    elsewhere = [numbering.place("https://other.example/mcp", position)[1] for position in range(1000)]
    assert sum(one == other for one, other in zip(here, elsewhere, strict=True)) < 5
    with_another_key = Numbering(lambda: b"l" * 32)
    assert [with_another_key.place(RESOURCE, position)[1] for position in range(1000)] != here


@pytest.mark.requirement("TK-10")
def test_the_shards_that_are_listed_are_those_that_places_are_on():
    numbering = Numbering(lambda: b"k" * 32)
    reach = 2 * SIZE + 5
    shards = set(numbering.shards(RESOURCE, reach))
    assert shards == {numbering.place(RESOURCE, position)[0] for position in (0, SIZE, 2 * SIZE, reach)}
    assert len(shards) == 3


def test_a_number_beyond_all_shards_is_refused():
    with pytest.raises(ValueError, match="no more"):
        Numbering(lambda: b"k" * 32).place(RESOURCE, SIZE * SIZE)


def test_a_tag_is_short_and_fit_for_a_url():
    assert tag(RESOURCE) == tag(RESOURCE) != tag(RESOURCE + "/")
    assert len(tag(RESOURCE)) == 22


def test_the_numbers_of_tokens_that_are_out_never_change():
    numbering = Numbering(lambda: b"k" * 32)
    found = [numbering.place("http://x/mcp", position) for position in (0, 5, 10**6, 2 * 10**6, 3 * 10**6 + 7)]
    assert found == [(402435, 664986), (402435, 967398), (402435, 301627), (365301, 989104), (615187, 830640)]
