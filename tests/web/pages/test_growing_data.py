"""The console over a thousand rows of each kind asks its database no more than over ten, and pages its lists."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask

from bench.crowd import Size, fill, known
from bench.visits import addresses, counted, owner, visit
from tests.conformance.site import CALENDAR, NOTES, Site

# List → its pages of fifty: a tenth of the clients is deleted, and one of twenty; two of three alerts are dismissed.
LISTS = {"alerts": 7, "calls": 20, "clients": 18, "grants": 20, "people": 21}
NEXT = re.compile(r'href="([^"]*[?&;]after=[^"]*)"')


def filled(site: Site, count: int) -> Flask:
    with site.deployment.stores.database.transaction() as connection:
        fill(connection, Size(*(count,) * 6), NOTES.identifier, CALENDAR.identifier)
    return site.app


@pytest.fixture
def apps(site_with: Callable[..., Site]) -> tuple[Flask, Flask]:
    """With few rows, and with many."""
    return filled(site_with(), 10), filled(site_with(), 1000)


def test_no_page_asks_more_as_the_data_grows(apps: tuple[Flask, Flask]):
    browsers = [owner(app, "root") for app in apps]
    pages = [addresses(app, known(app, NOTES.identifier)) for app in apps]
    assert len(pages[0]) == len(pages[1])
    for pair in zip(*pages, strict=True):
        few, many = (visit(app, browser, page) for app, browser, page in zip(apps, browsers, pair, strict=True))
        assert (few.status, many.status) == (200, 200), f"{pair}: say in bench.visits.QUERIES how this page is reached"
        # A session is noted to be in use once in a while, whatever page it opens then: not on two in a row.
        asked = [many.queries, visit(apps[1], browsers[1], pair[1]).queries]
        assert min(asked) <= few.queries, pair


def test_a_list_is_read_to_its_end_by_the_link_on_each_page_which_skips_no_rows(apps: tuple[Flask, Flask]):
    _, app = apps
    browser, database = owner(app, "root"), app.extensions["authserver"].stores.database
    for name, pages in LISTS.items():
        address: str | None = f"/admin/{name}"
        for _ in range(pages):
            assert address, name
            with counted(database) as statements:
                page = browser.get(address)
            assert page.status_code == 200
            # SQLite's LIMIT is always written with one, of 0.
            assert database.dialect == "sqlite" or not any("OFFSET" in each for each in statements), name
            found = NEXT.search(page.text)
            address = unescape(found[1]) if found else None
        assert address is None, name
