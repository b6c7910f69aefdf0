"""Names that have some text in them: found among the newest rows, and by index behind them."""

from unittest.mock import patch

import pytest
from sqlalchemy import update

from authserver.protocol.client import ClientKind
from authserver.store import searching
from authserver.store.models import ClientRow
from authserver.store.stores import Stores

from .scene import EVENT, a_client


@pytest.fixture(autouse=True, params=[1, 2000])
def newest(request: pytest.FixtureRequest):
    """That many rows are read: all but the newest are found by the index, or none."""
    with patch.object(searching, "NEWEST", request.param):
        yield request.param


NAMES = ("Rubber duck", "ÉDITEUR Ünï", "100% _sure_", "a/b [x] {y}", "'quoted'", "日本語のメモ", "Amber", "newest")
PARTS = ("rub", "DUCK", "r d", "ÉDIT", "00%", "_sure_", "a/b", "[x]", "{y}", "'quo", "日本語", "est")


@pytest.fixture
def named(stores: Stores) -> Stores:
    for number, name in enumerate(NAMES):
        stores.clients.register(a_client(name=name, created_at=1_700_000_000 + number), EVENT)
    with stores.database.transaction() as connection:
        connection.execute(update(ClientRow).values(last_used_at=ClientRow.created_at))
    return stores


def found(stores: Stores, query: str) -> list[str]:
    return [line.client.name for line in stores.clients.page(query, None, 50)]


@pytest.mark.parametrize("part", PARTS)
def test_a_name_is_found_by_any_part_of_it(named: Stores, part: str):
    expected = [name for name in reversed(NAMES) if part.casefold() in name.casefold()]
    assert expected
    assert found(named, part) == expected


@pytest.mark.parametrize("part", ["%", "_s", "x", "'q", "メ", "nï"])
def test_one_or_two_letters_are_looked_for_among_the_newest(named: Stores, newest: int, part: str):
    every = [name for name in reversed(NAMES) if part in name]
    behind = newest == 1 and named.database.dialect == "postgresql"
    assert found(named, part) == ([] if behind else every)


@pytest.mark.parametrize("other", ["duckling", "zzz", "%%", "ruber", "bber  duck", "\ufffd"])
def test_a_name_that_has_not_all_of_it_is_not_found(named: Stores, other: str):
    assert found(named, other) == []


def test_the_url_of_a_document_is_searched_and_another_id_is_found_as_a_whole(named: Stores):
    url = "https://app.example/client.json"
    named.clients.register(a_client(client_id=url, kind=ClientKind.METADATA_DOCUMENT, name="App"), EVENT)
    other = a_client(name="Other")
    named.clients.register(other, EVENT)
    assert found(named, "app.example/CL") == ["App"]
    assert found(named, other.client_id) == ["Other"]
    assert found(named, other.client_id[2:12]) == []


def test_a_search_goes_on_page_by_page(named: Stores):
    seen: list[str] = []
    after: str | None = None
    for _ in range(20):
        page = named.clients.page("ber", after, 1)
        seen += [line.client.name for line in page]
        if (after := page.after) is None:
            break
    assert seen == ["Amber", "Rubber duck"]
