"""Names that have some text in them: found among the newest rows, and by index behind them."""

from unittest.mock import patch

import pytest

from authserver.protocol.client import ClientKind
from authserver.store import searching
from authserver.store.stores import Stores

from .scene import EVENT, a_client


@pytest.fixture(autouse=True)
def one_row_is_read():
    """So that all but the newest row are found by the index."""
    with patch.object(searching, "NEWEST", 1):
        yield


NAMES = (
    "Rubber duck",
    "ÉDITEUR Ünï",
    "100% _sure_",
    "a/b [x] {y}",
    "x",
    "İstanbul",
    "'quoted\"",
    "日本語のメモ",
    "newest",
)
PARTS = ("rub", "DUCK", "r d", "ÉDIT", "nï", "%", "_s", "a/b", "[x]", "{y}", "x", "'q", "本語", "メ", "stan", "est")


@pytest.fixture
def named(stores: Stores) -> Stores:
    for number, name in enumerate(NAMES):
        stores.clients.register(a_client(name=name, created_at=1_700_000_000 + number), EVENT)
    return stores


def found(stores: Stores, query: str) -> list[str]:
    return [line.client.name for line in stores.clients.page(query, None, 50)]


@pytest.mark.parametrize("part", PARTS)
def test_a_name_is_found_by_any_part_of_it(named: Stores, part: str):
    expected = [name for name in reversed(NAMES) if part.casefold() in name.casefold()]
    assert expected
    assert found(named, part) == expected


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
        page = named.clients.page("e", after, 1)
        seen += [line.client.name for line in page]
        if (after := page.after) is None:
            break
    assert seen == found(named, "e")
    assert len(seen) > 2
