"""What a provider calls somebody stands in pages as text, whatever it is."""

import pytest

from tests.conformance.site import Site
from tests.conformance.visitor import Visitor
from tests.web.pages.test_hostile_names import BREAKOUT, NO_TAGS, Page

from .journey import begin
from .liar import Liar

PAGES = ("/", "/account/connections", "/account/security/providers", "/sign-in/again")
ODD = (BREAKOUT, "a\r\nSet-Cookie: b=c", "\u202egnp.exe", "\ud800", "x" * 1000, "", 7, None, ["a"], {"a": "b"})


@pytest.fixture
def site(site_of) -> Site:
    return site_of(trusted_domains=["corp.example"], roles={"a": "support"}, assume_verified=True)


def test_no_name_becomes_markup_a_header_or_an_error(site: Site, false: Liar):
    root = Visitor(site, "root")
    root.open("/sign-in")
    for number, odd in enumerate(ODD):
        http = site.http()
        journey = begin(http, false)
        said = dict.fromkeys(("name", "preferred_username", "email", "groups", "locale"), odd)
        false.gives(false.sign({**journey.claims(sub=f"s-{number}"), **said}))
        answer = journey.back()
        if odd == "\ud800":  # no text at all: nothing of such a token is believed
            assert answer.status_code == 502
            continue
        assert (answer.status_code, answer.location, answer.headers.get("b")) == (303, "/", None)
        person = site.deployment.stores.identities.find(false.issuer, f"s-{number}")
        for shown in [*map(http.get, PAGES), root.http.get(f"/admin/person?id={person.id}")]:
            page = Page(shown.text)
            assert shown.status_code == 200
            assert not NO_TAGS.intersection(page.tags)
            assert not page.handlers
            assert all(address.startswith(("/", "#")) for address in page.addresses)
