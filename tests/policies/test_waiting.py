"""What a rule has an administrator decide on: asked for once, decided once, and felt at the next attempt."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store import policies
from authserver.store.epoch import bump
from authserver.store.models import ClientRow, PendingGrantRow
from authserver.store.pending_grants import MOST_WAITING, PendingGrant, Requester, State, TooManyWait, Wanted
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.policies.conftest import Rule, events
from tests.tools.conftest import Docs, claims_of, tools_of
from tests.tools.test_consent import ALL, token
from tests.web.pages.test_consent_page import words

GIVEN, REFUSED = Event("approval.given", "user:root"), Event("approval.refused", "user:root")
BY_WORD = {"name": "by word", "effect": "require approval", "risks": ["destructive"], "says": "Ask in #docs."}
ONLY_DELETE = {"scope": "docs:delete"}


def waiting(site: Site, docs: Docs, state: State = State.WAITING) -> list[PendingGrant]:
    found = site.deployment.stores.pending_grants.page(state, None, 100)
    return [one for one in found if one.wanted.by.resource == docs.resource.identifier]


def decide(site: Site, one: PendingGrant, state: State) -> bool:
    event = GIVEN if state is State.APPROVED else REFUSED
    return site.deployment.stores.pending_grants.decide(one.id, one.seen, state, event)


def ask(visitor: Visitor, docs: Docs, **changes: str) -> TestResponse:
    """Press the button of the page that ends an authorization."""
    page = visitor.open(docs.url(**{**ONLY_DELETE, **changes}))
    return page if "They have been asked" in page.text else visitor.submit(page, forms(page)[-1], {"decision": "ask"})


def end_all(site: Site) -> None:
    """Let the time of all that waits, and of every no, have passed."""
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(update(PendingGrantRow).values(expires_at=1))


def test_it_ends_on_a_page_asks_once_and_passes_when_it_is_approved(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
):
    rules(BY_WORD)
    page = visitor.open(docs.url(**ONLY_DELETE))
    assert page.status_code == 403
    assert "An administrator has to allow this first" in page.text
    assert "Ask in #docs." in page.text
    assert not waiting(site, docs), "any website could have them open this page"
    for _ in range(2):
        assert "They have been asked" in ask(visitor, docs).text
    (one,) = waiting(site, docs)
    assert one.username == "ada"
    assert one.wanted.rule == "by word"
    assert set(one.wanted.asked) == {"scope:docs:delete", "tool:delete_doc", "tool:wipe_all"}
    assert len(events(site, "approval.asked", docs.resource.identifier)) == 1
    assert decide(site, one, State.APPROVED)
    claims = token(docs, visitor.decide(docs.url(**ONLY_DELETE)))
    assert tools_of(claims) == {"delete_doc", "wipe_all"}


def test_what_waits_is_left_out_of_the_rest_until_it_is_asked_for(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
):
    rules(BY_WORD)
    page = visitor.open(docs.url(scope=ALL))
    assert page.status_code == 200
    assert not waiting(site, docs)
    form = next(one for one in forms(page) if "decision" in one.names())
    asked = visitor.submit(page, form, {"decision": "ask"})
    assert "An administrator has been asked" in asked.text
    assert len(waiting(site, docs)) == 1
    assert tools_of(token(docs, visitor.decide(docs.url(scope=ALL)))) == {"list_docs", "read_doc", "write_doc"}


def test_a_no_is_told_and_stands_for_a_while(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    rules(BY_WORD)
    ask(visitor, docs)
    assert decide(site, waiting(site, docs)[0], State.DENIED)
    page = visitor.open(docs.url(**ONLY_DELETE))
    assert "An administrator did not allow this" in page.text
    assert not waiting(site, docs), "whoever was refused does not ask again at once"
    end_all(site)
    ask(visitor, docs)
    assert len(waiting(site, docs)) == 1


def test_what_was_approved_and_taken_back_is_in_no_refreshed_token(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
):
    rules(BY_WORD)
    ask(visitor, docs)
    decide(site, waiting(site, docs)[0], State.APPROVED)
    token(docs, visitor.decide(docs.url(scope=ALL)))
    assert "delete_doc" in tools_of(claims_of(docs.flow.refresh().json))
    (held,) = waiting(site, docs, State.APPROVED)
    back = Event("approval.withdrawn", "user:root")
    assert site.deployment.stores.pending_grants.withdraw(held.id, held.approved, back)
    assert tools_of(claims_of(docs.flow.refresh().json)) == {"list_docs", "read_doc", "write_doc"}


def test_a_request_that_asks_for_something_else_by_now_is_not_approved_unseen(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
):
    rules({**BY_WORD, "tools": ["delete_doc"]})
    ask(visitor, docs, scope="docs:read docs:delete tool:delete_doc")
    seen = waiting(site, docs)
    rules(BY_WORD)
    ask(visitor, docs)
    assert seen
    assert not decide(site, seen[0], State.APPROVED)
    assert decide(site, waiting(site, docs)[0], State.APPROVED)
    assert not decide(site, waiting(site, docs, State.APPROVED)[0], State.DENIED), "it was decided already"


def test_what_was_approved_for_an_app_is_not_for_what_it_becomes(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    rules(BY_WORD)
    ask(visitor, docs)
    decide(site, waiting(site, docs)[0], State.APPROVED)
    assert visitor.open(docs.url(**ONLY_DELETE)).status_code == 200
    with site.deployment.stores.database.transaction() as connection:
        which = ClientRow.client_id == docs.flow.values["client_id"]
        connection.execute(update(ClientRow).where(which).values(name="Quite another app"))
        bump(connection)
    site.deployment.stores.epoch.forget()
    page = visitor.open(docs.url(**ONLY_DELETE))
    assert page.status_code == 403
    ask(visitor, docs)
    assert not waiting(site, docs)[0].approved


def test_nobody_has_more_waiting_by_asking_for_much_at_once(docs: Docs, site: Site):
    store, users = site.deployment.stores.pending_grants, site.deployment.stores.users
    hasty, together = users.add("hasty", "Hasty", "", Role.MEMBER, GIVEN), threading.Barrier(5)
    event = Event("approval.asked", f"user:{hasty.id}")

    def ask_for_some(number: int) -> None:
        together.wait()
        for one in range(MOST_WAITING):
            by = Requester(hasty.id, f"client-{number}-{one}", b"i" * 32, docs.resource.identifier)
            with contextlib.suppress(TooManyWait):
                store.ask(Wanted(by, ("tool:x",), "a rule"), 600, event)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(ask_for_some, range(5)))
    waiting_for_hasty = select(func.count()).where(PendingGrantRow.user_id == hasty.id)
    with site.deployment.stores.database.reading() as connection:
        assert connection.scalar(waiting_for_hasty) == MOST_WAITING


def test_nobody_has_more_waiting_than_an_administrator_can_read(docs: Docs, site: Site):
    store, ada = site.deployment.stores.pending_grants, site.deployment.stores.users.by_name("ada")
    assert ada

    def wait(number: int) -> None:
        wanted = Wanted(
            Requester(ada.id, f"client-{number}", b"i" * 32, docs.resource.identifier), ("tool:x",), "a rule"
        )
        store.ask(wanted, 600, Event("approval.asked", f"user:{ada.id}"))

    end_all(site)
    for number in range(MOST_WAITING):
        wait(number)
    with pytest.raises(TooManyWait):
        wait(MOST_WAITING)
    end_all(site)
    wait(MOST_WAITING + 2)


def test_what_is_in_force_is_shown_and_taken_back_while_more_waits(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
):
    rules({**BY_WORD, "tools": ["wipe_all"], "risks": ["destructive"]})
    ask(visitor, docs)
    assert decide(site, waiting(site, docs)[0], State.APPROVED)
    rules(BY_WORD)
    ask(visitor, docs)
    (more,) = waiting(site, docs)
    (held,) = waiting(site, docs, State.APPROVED)
    root = Visitor(site, "root")
    question = f"/admin/policies/request/withdraw?id={held.id}"
    listed = root.open("/admin/policies/requests").text
    assert all(key in listed for key in held.approved)
    assert "more waits for a decision" in listed
    page = root.open(question)
    said = words(page)
    assert f"What {' '.join(held.approved)}" in said
    assert "Goes on waiting" in said
    root.submit(page, forms(page)[-1], {})
    assert not waiting(site, docs, State.APPROVED)
    assert [one.wanted.asked for one in waiting(site, docs)] == [more.wanted.asked]
    told = events(site, "approval.withdrawn", docs.resource.identifier)
    assert told[-1].detail["withdrawn"] == list(held.approved)


def test_what_was_approved_since_it_was_seen_is_not_taken_back(docs: Docs, site: Site, visitor: Visitor, rules: Rule):
    rules(BY_WORD)
    ask(visitor, docs)
    assert decide(site, waiting(site, docs)[0], State.APPROVED)
    (held,) = waiting(site, docs, State.APPROVED)
    store = site.deployment.stores.pending_grants
    assert not store.withdraw(held.id, held.approved[1:], Event("approval.withdrawn", "user:root"))
    assert store.approved(held.wanted.by)


def test_rules_that_name_more_people_than_a_statement_takes_count(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(policies, "MOST_NAMED", 2)
    others = [f"{kind}:nobody-{number}" for kind in ("user", "group") for number in range(5)]
    rules({"effect": "deny", "who": [*others, "user:ada"], "tools": ["delete_doc"]})
    assert "delete_doc" not in tools_of(token(docs, visitor.decide(docs.url(scope=ALL))))
