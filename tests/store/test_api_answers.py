"""Requests that are not to be done twice: who begins, who has to wait, and who gets the answer of the first."""

import threading

import pytest

from authserver.store.api_answers import LEASE, Repeated
from authserver.store.stores import Stores

from .scene import let_pass

KEY, THIS, OTHER = b"k" * 32, b"t" * 32, b"o" * 32


@pytest.fixture
def begun(stores: Stores) -> Stores:
    """A request has begun."""
    assert stores.api_answers.begin(KEY, THIS) is None
    return stores


def test_a_request_that_has_begun_waits_for_its_answer_and_then_has_it(begun: Stores):
    assert begun.api_answers.begin(KEY, THIS) == Repeated(THIS, None)
    begun.api_answers.keep(KEY, b"answer")
    let_pass(begun.database, LEASE)
    assert begun.api_answers.begin(KEY, THIS) == Repeated(THIS, b"answer")


def test_a_request_whose_node_died_begins_again_after_a_minute_for_one_of_many(begun: Stores):
    let_pass(begun.database, LEASE)
    assert begun.api_answers.begin(KEY, OTHER) == Repeated(THIS, None), "its key stays its own"
    together, found = threading.Barrier(5), []

    def begin() -> None:
        together.wait()
        found.append(begun.api_answers.begin(KEY, THIS))

    crowd = [threading.Thread(target=begin) for _ in range(5)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert sorted(found, key=bool) == [None, *[Repeated(THIS, None)] * 4]


def test_a_request_that_was_refused_begins_again_at_once(begun: Stores):
    begun.api_answers.forget(KEY)
    assert begun.api_answers.begin(KEY, OTHER) is None
