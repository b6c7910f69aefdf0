"""A rule about the second factor holds when a person decides, and for the tokens that come of it."""

from sqlalchemy import update

from authserver.protocol import amr
from authserver.store.models import FamilyRow
from tests.conformance.site import Site
from tests.policies.conftest import Rule
from tests.tools.conftest import Docs, claims_of, tools_of
from tests.tools.test_consent import ALL, token
from tests.web.pages.factor_owner import Person

DENY = {"effect": "deny", "risks": ["destructive"], "factor": ["none"]}


def test_after_a_password_alone_what_the_rule_is_about_is_not_offered(docs: Docs, site: Site, rules: Rule):
    rules(DENY)
    person = Person(site)
    assert "delete_doc" not in tools_of(token(docs, person.browser.decide(docs.url(scope=ALL))))


def test_with_a_code_it_is_and_the_tokens_that_follow_remember(docs: Docs, site: Site, rules: Rule):
    rules(DENY)
    person = Person(site)
    person.add_app()
    docs.flow.answer(person.browser.decide(docs.url(scope=ALL)))
    answer = docs.flow.token().json
    assert "delete_doc" in tools_of(claims_of(answer))
    answer = docs.flow.refresh(refresh_token=answer["refresh_token"]).json
    assert "delete_doc" in tools_of(claims_of(answer))
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(FamilyRow).values(methods=amr.BY_PASSWORD))
    answer = docs.flow.refresh(refresh_token=answer["refresh_token"]).json
    assert "delete_doc" not in tools_of(claims_of(answer))
