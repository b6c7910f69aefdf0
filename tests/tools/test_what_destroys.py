"""What can destroy is allowed, or allowed for longer, only by who proved a short while ago who they are."""

import pytest

from authserver.protocol.scope import Risk
from tests.conformance.visitor import Visitor
from tests.tools.conftest import Docs, claims_of, tool, tools_of
from tests.web.pages.conftest import HOSTED
from tests.web.pages.test_consent_terms import in_seconds
from tests.web.pages.test_decisions import decide
from tests.web.pages.test_step_up import age

AGAIN = "/sign-in/again"
BOTH = "docs:read docs:delete"


@pytest.fixture
def broad(docs: Docs) -> Docs:
    """The server has one tool that destroys under a scope that only reads."""
    docs.change(tools=(*docs.resource.tools, tool("clean_up", "docs:read", Risk.DESTRUCTIVE)))
    return docs


def grant(docs: Docs):
    (found,) = docs.site.deployment.stores.grants.of_client(docs.flow.values["client_id"], 9).lines
    return found


def look(visitor: Visitor, url: str):
    """The consent page, for which nothing has to be proved."""
    page = visitor.http.get(url)
    assert page.status_code == 200
    return page


@pytest.mark.requirement("EX-7")
def test_a_tool_that_destroys_takes_a_sign_in_of_late_whatever_scope_opens_it(broad: Docs, visitor: Visitor):
    visitor.open("/sign-in")
    age(broad.site, 601)
    page = look(visitor, broad.url())
    answer = decide(visitor, page, tool=["list_docs", "clean_up"])
    assert answer.request.path == AGAIN
    assert broad.site.deployment.stores.grants.of_client(broad.flow.values["client_id"], 9).lines == ()
    broad.flow.answer(decide(visitor, page, tool=["list_docs"]))
    assert tools_of(claims_of(broad.flow.token().json)) == {"list_docs"}


def test_where_it_stands_already_nothing_is_asked_for(broad: Docs, visitor: Visitor):
    broad.flow.answer(decide(visitor, visitor.open(broad.url()), tool=["list_docs", "clean_up"]))
    age(broad.site, 601)
    broad.flow.answer(decide(visitor, look(visitor, broad.url()), tool=["list_docs", "clean_up"]))
    for_a_while = {"tool": ["clean_up"], "term:clean_up": "while"}
    broad.flow.answer(decide(visitor, look(visitor, broad.url()), **for_a_while))
    lasting = {**for_a_while, "term:clean_up": "lasting"}
    assert decide(visitor, look(visitor, broad.url()), **lasting).request.path == AGAIN, "for longer again"


@pytest.mark.requirement("AZ-9")
def test_a_tool_that_was_allowed_from_another_browser_is_not_given_to_this_one_unseen(broad: Docs, visitor: Visitor):
    broad.flow.register({"redirect_uris": [HOSTED], "token_endpoint_auth_method": "none"})
    asked = broad.url(redirect_uri=HOSTED)
    broad.flow.answer(decide(visitor, visitor.open(asked), tool=["list_docs", "read_doc", "clean_up"]))
    other = Visitor(broad.site)
    other.open("/sign-in")
    age(broad.site, 601)
    assert other.http.get(asked).location.startswith(AGAIN)
    assert broad.flow.answer(other.http.get(f"{asked}&prompt=none"))["error"] == "login_required"


def test_a_tool_that_a_guard_asks_for_and_that_destroys_is_not_even_shown(docs: Docs, visitor: Visitor):
    docs.flow.answer(visitor.accept(docs.url()))
    age(docs.site, 601)
    assert visitor.http.get(docs.url(scope="docs:read tool:unheard_of")).location.startswith(AGAIN)


@pytest.mark.requirement("AZ-8")
@pytest.mark.parametrize("until", ["revoked", "30-days", "session"])
@pytest.mark.parametrize("asked", [BOTH, "docs:read"])
def test_what_can_destroy_is_not_made_to_last_longer_with_an_old_sign_in(
    docs: Docs, visitor: Visitor, until: str, asked: str
):
    everything = {"scope": BOTH.split(), "tool": ["list_docs", "wipe_all"]}
    docs.flow.answer(decide(visitor, visitor.open(docs.url(scope=BOTH)), **everything, until="8-hours"))
    before = grant(docs).ends_at
    age(docs.site, 601)
    page = look(visitor, docs.url(scope=asked))
    assert decide(visitor, page, tool=["list_docs", "wipe_all"], until=until).request.path == AGAIN
    assert grant(docs).ends_at == before
    docs.flow.answer(decide(visitor, page, tool=["list_docs", "wipe_all"], until="kept"))


@pytest.mark.requirement("AZ-8")
def test_less_and_shorter_takes_no_proof(docs: Docs, visitor: Visitor):
    everything = {"scope": BOTH.split(), "tool": ["list_docs", "wipe_all"]}
    docs.flow.answer(decide(visitor, visitor.open(docs.url(scope=BOTH)), **everything, until="30-days"))
    before = grant(docs).ends_at
    age(docs.site, 601)
    docs.flow.answer(decide(visitor, look(visitor, docs.url(scope=BOTH)), **everything, until="8-hours"))
    assert grant(docs).ends_at < before
    in_seconds(docs.site, 600)
    reading = {"scope": ["docs:read"], "tool": ["list_docs"]}
    docs.flow.answer(decide(visitor, look(visitor, docs.url(scope=BOTH)), **reading, until="revoked"))
    assert (grant(docs).ends_at, grant(docs).scopes) == (None, ("docs:read",))
