"""A permission for one call is spent once, for the tool as it was, within its time."""

import pytest

from authserver.protocol.tool import Mark
from authserver.services.tool_choices import ONCE_SECONDS
from authserver.store import tool_permissions
from authserver.store.clock import now
from tests.conformance.visitor import Visitor
from tests.tools.attack import DELETING, asked, ways
from tests.tools.conftest import Docs
from tests.tools.test_consent import consent, token

pytestmark = pytest.mark.requirement("EX-7")


def test_a_permission_used_while_a_decision_is_written_is_not_given_back(docs: Docs, visitor: Visitor):
    """Decision 8: a permission for one call is never doubled."""
    guard = docs.guard()
    form = {"term:delete_doc": "once"}
    claims = token(docs, visitor.decide(docs.url(scope=DELETING), tools={"list_docs", "delete_doc"}, filled=form))
    [permission] = [way["once"] for way in ways(claims, "delete_doc")]
    service = docs.site.deployment.authorization
    approve, answers = type(service).approve, []

    def slow(self, *arguments, **more):
        answers.append(guard.consume(claims, permission).json["consumed"])
        return approve(self, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(service), "approve", slow)
        later = token(docs, visitor.accept(docs.url(scope=DELETING, prompt="consent")))
    answers.append(guard.consume(later, permission).json["consumed"])
    assert answers.count(True) == 1


def test_a_permission_ends_when_it_says(docs: Docs, visitor: Visitor):
    """tools.md, the page: for a single call, within ten minutes."""
    guard = docs.guard()
    form = {"term:delete_doc": "once"}
    claims = token(docs, visitor.decide(docs.url(scope=DELETING), tools={"list_docs", "delete_doc"}, filled=form))
    [permission] = [way["once"] for way in ways(claims, "delete_doc")]
    with pytest.MonkeyPatch.context() as later:
        later.setattr(tool_permissions, "now", now + ONCE_SECONDS)
        assert guard.consume(claims, permission).json == {"consumed": False}
    assert guard.consume(claims, permission).json == {"consumed": True}, "it was the time alone"


def test_a_permission_is_for_the_tool_as_it_was(docs: Docs, visitor: Visitor):
    """A tool that changed is covered when someone agreed to it; the server is asked, so it can say no at once."""
    guard = docs.guard()
    form = {"term:delete_doc": "once"}
    claims = token(docs, visitor.decide(docs.url(scope=DELETING), tools={"list_docs", "delete_doc"}, filled=form))
    [permission] = [way["once"] for way in ways(claims, "delete_doc")]
    docs.marked("delete_doc", Mark.CHANGED)
    assert guard.consume(claims, permission).json == {"consumed": False}


def test_a_page_sent_twice_permits_one_call(docs: Docs, visitor: Visitor):
    """AZ-13: double clicks; the page says 'for a single call'."""
    docs.guard()
    url = docs.url(
        scope="docs:delete", authorization_details=asked(docs, "delete_doc", limits={"/path": {"values": ["a"]}})
    )
    page = visitor.open(url)
    sent = {"decision": "allow", "scope": ["docs:delete"], "tool": ["delete_doc"], "term:delete_doc": "once"}
    visitor.submit(page, consent(page), sent)
    answer = visitor.submit(page, consent(page), sent)
    assert answer.status_code == 409 or len(ways(token(docs, answer), "delete_doc")) == 1
