"""What was asked for and approved is for one app, as it was, at one server: it ends with these."""

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from authserver.protocol.role import Role
from authserver.services.approvals.kind import Request
from authserver.store.pending_grants import Requester, State, Wanted
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor
from tests.policies.conftest import EVENT, Rule
from tests.policies.test_verified import ITS_OWN, KNOWN, registered, sending
from tests.policies.test_waiting import BY_WORD, GIVEN, ONLY_DELETE, ask, decide, waiting
from tests.tools.conftest import Docs


def asked(site: Site, docs: Docs) -> Request:
    """The one request at *docs*, as whoever decides is shown it now."""
    (one,) = waiting(site, docs)
    found = site.deployment.approvals.find("grant", one.id)
    assert found
    return found


@pytest.fixture
def desk(docs: Docs) -> Client:
    """The client of *docs*, registered beforehand."""
    grants = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
    client_id = f"desk-{docs.flow.values['state']}"
    client = Client(client_id, ClientKind.PREREGISTERED, "Desk", (ITS_OWN,), AuthMethod.NONE, grants, 1_780_000_000)
    docs.site.deployment.stores.clients.preregister(client, EVENT)
    docs.flow.values["client_id"] = client_id
    return client


def test_an_app_that_waits_is_not_let_in_as_another_one(docs: Docs, site: Site, visitor: Visitor, rules: Rule) -> None:
    app, approvals = registered(docs, ITS_OWN), site.deployment.approvals
    rules(BY_WORD)
    ask(visitor, docs, redirect_uri=ITS_OWN)
    assert "by an app that sends people to m.example" in asked(site, docs).shows
    app.ask("PUT", {**sending(KNOWN), "client_name": "Claude"})
    shown = asked(site, docs)
    assert (shown.who, shown.shows[-1]) == (
        "an app that has changed since",
        "what it says of itself has changed since: this cannot be approved any more",
    )
    assert not approvals.approve(shown, GIVEN)
    app.ask("PUT", sending(ITS_OWN))
    assert not approvals.approve(shown, GIVEN), "that is not what was seen"
    assert visitor.open(docs.url(**ONLY_DELETE, redirect_uri=ITS_OWN)).status_code == 403
    assert approvals.approve(asked(site, docs), GIVEN)


def test_an_app_that_changed_is_denied_all_the_same(docs: Docs, site: Site, visitor: Visitor, rules: Rule) -> None:
    app = registered(docs, ITS_OWN)
    rules(BY_WORD)
    ask(visitor, docs, redirect_uri=ITS_OWN)
    app.ask("PUT", sending(KNOWN))
    assert site.deployment.approvals.deny(asked(site, docs), GIVEN)


def test_a_server_that_is_registered_again_has_no_approvals_of_the_one_before(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
) -> None:
    rules(BY_WORD)
    ask(visitor, docs)
    decide(site, waiting(site, docs)[0], State.APPROVED)
    assert visitor.open(docs.url(**ONLY_DELETE)).status_code == 200
    site.deployment.stores.resources.remove(docs.resource.identifier, EVENT)
    site.deployment.stores.resources.add(docs.resource, EVENT)
    assert visitor.open(docs.url(**ONLY_DELETE)).status_code == 403


def test_a_client_that_is_made_again_has_no_approvals_of_the_one_before(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule, desk: Client
) -> None:
    rules(BY_WORD)
    ask(visitor, docs, redirect_uri=ITS_OWN)
    decide(site, waiting(site, docs)[0], State.APPROVED)
    assert visitor.open(docs.url(**ONLY_DELETE, redirect_uri=ITS_OWN)).status_code == 200
    site.deployment.stores.clients.delete(desk.client_id, EVENT)
    assert not waiting(site, docs, State.APPROVED)
    site.deployment.stores.clients.preregister(desk, EVENT)
    assert visitor.open(docs.url(**ONLY_DELETE, redirect_uri=ITS_OWN)).status_code == 403


def test_who_was_disabled_comes_back_without_approvals(docs: Docs, site: Site, desk: Client) -> None:
    users, store = site.deployment.stores.users, site.deployment.stores.pending_grants
    leaver = users.add("leaver", "Leaver", "", Role.MEMBER, EVENT)
    wanted = Wanted(
        Requester(leaver.id, desk.client_id, desk.identity, docs.resource.identifier), ("tool:x",), "a rule"
    )
    store.ask(wanted, 600, Event("approval.asked", f"user:{leaver.id}"))
    decide(site, waiting(site, docs)[0], State.APPROVED)
    for disabled in (True, False):
        users.set_disabled(leaver.id, disabled, EVENT)
    assert not waiting(site, docs, State.APPROVED)


def test_what_is_in_force_is_listed_while_more_is_asked_for(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
) -> None:
    rules({**BY_WORD, "tools": ["delete_doc"]})
    ask(visitor, docs, scope="docs:read docs:delete tool:delete_doc")
    decide(site, waiting(site, docs)[0], State.APPROVED)
    store, (held,) = site.deployment.stores.pending_grants, waiting(site, docs, State.APPROVED)
    more = Wanted(held.wanted.by, ("tool:wipe_all",), "a rule")
    store.ask(more, 600, Event("approval.asked", f"user:{held.wanted.by.user_id}"))
    assert waiting(site, docs)
    assert [one.approved for one in waiting(site, docs, State.APPROVED)] == [held.approved]
