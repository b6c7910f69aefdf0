"""Documents of others, and the lease that lets one process fetch."""

import time

import pytest
from sqlalchemy import update

from authserver.protocol.audit import Event
from authserver.store.models import FetchedDocumentRow
from authserver.store.stores import Stores
from tests.purging import purge

from .crowd import SIZE, Crowd
from .scene import Scene

URL = "https://app.example/client.json"
EVENT = Event("document.pinned", "system")
DAY = 86_400


def claim(scene: Scene, url: str, number: int) -> bool:
    return scene.stores.fetched.claim(url, 600)


def pass_by(stores: Stores, seconds: int) -> None:
    row = FetchedDocumentRow
    moments = ("fetched_at", "fresh_until", "failed_at", "retry_at", "leased_until")
    earlier = {name: getattr(row, name) - seconds for name in moments}
    with stores.database.transaction() as connection:
        connection.execute(update(row).values(**earlier))
    stores.fetched.forget()


@pytest.mark.requirement("CR-9")
def test_of_all_processes_one_may_fetch(stores: Stores, scene: Scene, crowd: Crowd, url: str):
    answers = crowd.all_do(claim, url, scene, URL)
    assert sorted(answers) == [False] * (SIZE - 1) + [True]


def test_a_lease_ends_with_the_answer_the_failure_or_its_time(stores: Stores):
    fetched = stores.fetched
    assert fetched.claim(URL, 10)
    assert not fetched.claim(URL, 10)
    pass_by(stores, 11)
    assert fetched.claim(URL, 10)
    fetched.fail(URL, "the host could not be reached", 60)
    assert not fetched.claim(URL, 10), "it failed just now"
    pass_by(stores, 61)
    assert fetched.claim(URL, 10)
    fetched.keep(URL, "{}", '"1"', None, 600)
    assert not fetched.claim(URL, 10), "it was fetched just now"
    pass_by(stores, 31)
    assert fetched.claim(URL, 10)


def test_a_failure_leaves_what_was_known(stores: Stores):
    stores.fetched.claim(URL, 10)
    stores.fetched.keep(URL, '{"a": 1}', '"1"', "yesterday", 600)
    began = time.monotonic()
    stores.fetched.fail(URL, "the answer is too large", 60)
    found = stores.fetched.find(URL)
    passed = time.monotonic() - began
    assert (found.body, found.etag, found.last_modified) == ('{"a": 1}', '"1"', "yesterday")
    assert found.failure == "the answer is too large"
    assert 59 - passed <= found.retry_in <= 60
    assert found.is_current
    stores.fetched.confirm(URL, 900)
    assert stores.fetched.find(URL).failure is None


def test_a_pinned_document_is_neither_claimed_nor_replaced(stores: Stores):
    stores.fetched.claim(URL, 10)
    stores.fetched.pin(URL, '{"pinned": true}', EVENT)
    stores.fetched.keep(URL, '{"late": true}', None, None, 600)
    assert not stores.fetched.claim(URL, 10)
    pass_by(stores, 400 * DAY)
    assert stores.fetched.current(URL).body == '{"pinned": true}'


def test_what_nobody_asked_for_in_a_long_time_is_purged_and_what_is_pinned_stays(stores: Stores):
    for url in ("https://old.example/c", "https://failed.example/c", "https://pinned.example/c"):
        stores.fetched.claim(url, 10)
    stores.fetched.keep("https://old.example/c", "{}", None, None, 600)
    stores.fetched.fail("https://failed.example/c", "the host could not be reached", 60)
    stores.fetched.pin("https://pinned.example/c", "{}", EVENT)
    pass_by(stores, 6 * DAY)
    assert purge(stores.database)["fetched_documents"] == 1, "the failure: there is nothing to serve"
    pass_by(stores, 2 * DAY)
    assert purge(stores.database)["fetched_documents"] == 1
    assert stores.fetched.find("https://pinned.example/c") is not None
