"""A rule that wants a sign-in of late sends people to sign in again, and nobody in a circle."""

from sqlalchemy import update

from authserver.store.models import SessionRow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.policies.conftest import Rule
from tests.tools.conftest import Docs, tools_of
from tests.tools.test_consent import ALL, token

FRESH = {"effect": "require fresh sign-in", "risks": ["destructive"]}


def grow_old(site: Site, seconds: int = 3600) -> None:
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(SessionRow).values(auth_time=SessionRow.auth_time - seconds))


def test_whoever_has_just_signed_in_is_asked_as_ever(docs: Docs, visitor: Visitor, rules: Rule):
    rules(FRESH)
    visitor.open(docs.url(scope=ALL))
    assert "delete_doc" in tools_of(token(docs, visitor.decide(docs.url(scope=ALL))))


def test_an_older_sign_in_is_done_again_and_then_it_goes_on(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    rules(FRESH)
    visitor.open(docs.url(scope=ALL))
    grow_old(site)
    asked = visitor.http.get(docs.url(scope=ALL), base_url=visitor.origin)
    assert asked.status_code == 303
    assert asked.location.startswith("/sign-in/again?")
    assert any("decision" in one.names() for one in forms(visitor.open(asked.location)))


def test_what_the_rule_is_not_about_asks_nothing_of_the_kind(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    rules(FRESH)
    visitor.open(docs.url())
    grow_old(site)
    assert any("decision" in one.names() for one in forms(visitor.open(docs.url())))


def test_an_app_that_asks_without_a_page_is_told_that_a_sign_in_is_needed(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
):
    rules(FRESH)
    visitor.open(docs.url(scope=ALL))
    grow_old(site)
    answer = visitor.http.get(docs.url(scope=ALL, prompt="none"), base_url=visitor.origin)
    assert docs.flow.answer(answer)["error"] == "login_required"
