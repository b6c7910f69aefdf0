"""“As now”: a decision that keeps an end keeps the one that its page told, or is asked again (AZ-13)."""

import pytest

from .test_consent_terms import chosen, end_at_once, in_seconds, live, offered
from .test_decisions import decide

ENDED = "has just ended"


@pytest.mark.requirement("AZ-13")
def test_a_decision_to_keep_the_term_of_what_has_ended_meanwhile_is_asked_again(flow, visitor, site):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until="8-hours"))
    page = visitor.open(flow.url())
    end_at_once(site)
    again = decide(visitor, page)
    assert again.status_code == 409
    assert ENDED in again.text
    assert chosen(again) == ["revoked"]
    assert "code" in flow.answer(decide(visitor, again))
    assert live(site, flow).ends_at is None


@pytest.mark.requirement("AZ-13")
def test_a_term_that_was_changed_in_another_tab_is_asked_again_and_not_kept_unseen(flow, visitor, site):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until="8-hours"))
    page = visitor.open(flow.url())
    flow.answer(decide(visitor, visitor.open(flow.url()), until="revoked"))
    again = decide(visitor, page)
    assert again.status_code == 409
    assert "has changed" in again.text
    assert offered(again) == ["revoked", "30-days", "8-hours", "session"]


@pytest.mark.requirement("AZ-13")
@pytest.mark.parametrize(("before", "after"), [("8-hours", "30-days"), ("session", "30-days"), ("8-hours", "session")])
def test_no_other_end_is_kept_than_the_page_told(flow, visitor, site, before, after):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until=before))
    page = visitor.open(flow.url(scope="notes:read notes:write"))
    flow.answer(decide(visitor, visitor.open(flow.url()), until=after))
    again = decide(visitor, page, until="kept")
    assert again.status_code == 409
    assert "has changed" in again.text
    assert live(site, flow).scopes == ("notes:read",)
    flow.answer(decide(visitor, again, until="kept"))
    assert live(site, flow).scopes == ("notes:read", "notes:write")


@pytest.mark.requirement("AZ-13")
def test_the_end_of_a_session_that_moved_meanwhile_is_kept(flow, visitor, site):
    flow.register()
    flow.answer(decide(visitor, visitor.open(flow.url()), until="session"))
    page = visitor.open(flow.url(scope="notes:read notes:write"))
    in_seconds(site, 1000)
    flow.answer(decide(visitor, page, until="kept"))
