"""Whoever ticks it stays signed in after a provider too."""

import pytest

from tests.conformance.site import Site

from .journey import begin, is_signed_in
from .liar import Liar


@pytest.mark.parametrize(("tick", "stays"), [("stays", True), ("", False)])
def test_a_browser_stays_after_a_provider_if_that_was_ticked(site: Site, false: Liar, tick: str, stays: bool):
    http = site.http()
    journey = begin(http, false, tick=tick)
    false.gives(false.sign(journey.claims()))
    journey.back()
    assert is_signed_in(http)
    http.delete_cookie("session")
    assert is_signed_in(http) is stays


def test_what_was_ticked_on_the_way_there_does_not_count_for_another_sign_in(site: Site, false: Liar):
    http = site.http()
    begin(http, false, tick="stays")
    journey = begin(http, false)
    false.gives(false.sign(journey.claims()))
    journey.back()
    http.delete_cookie("session")
    assert not is_signed_in(http)
