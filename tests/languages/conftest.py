from collections.abc import Callable
from typing import cast

import pytest
from flask.testing import FlaskClient

from tests.conformance.fixtures import flow, set_up, site, site_with
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor

__all__ = ["flow", "reader", "set_up", "site", "site_with"]

Reader = Callable[..., Visitor]


@pytest.fixture
def reader() -> Reader:
    """Makes somebody whose browser prefers the languages that a header lists."""

    def prefer(site: Site, languages: str, username: str = "ada") -> Visitor:
        found = Visitor(site, username)
        cast(FlaskClient, found.http).environ_base["HTTP_ACCEPT_LANGUAGE"] = languages
        return found

    return prefer
