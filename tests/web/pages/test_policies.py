"""The console's page of policies: rules in words, the simulator, and requests to decide on."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.role import Role
from authserver.store.pending_grants import Requester, State, Wanted
from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor, forms
from tests.policies.conftest import apply
from tests.web.pages.conftest import As

HOSTILE = "<script>alert(1)</script>\u202e"
RULES = (
    {"name": "nobody writes <b>", "effect": "deny", "tools": ["write_note"], "says": "Ask <i>Root</i>."},
    {"name": "rest", "effect": "allow"},
)


@pytest.fixture
def owner(site: Site, signed_in_as: As) -> Iterator[Visitor]:
    apply(site, *RULES)
    yield signed_in_as(Role.OWNER)
    apply(site)


def asked_by(site: Site, user_id: str) -> str:
    """What somebody asks for by way of an app of their own."""
    store, client_id = site.deployment.stores.pending_grants, Flow(site).register().json["client_id"]
    client = site.deployment.stores.clients.find(client_id)
    assert client
    wanted = Wanted(Requester(user_id, client_id, client.identity, NOTES.identifier), ("tool:write_note",), "a rule")
    store.ask(wanted, 600, Event("approval.asked", f"user:{user_id}"))
    return next(one.id for one in store.page(State.WAITING, None, 50) if one.wanted.by.client_id == client_id)


@pytest.fixture
def request_id(site: Site) -> str:
    """Ada's request, which waits."""
    ada = site.deployment.stores.users.by_name("ada")
    assert ada
    return asked_by(site, ada.id)


def test_the_rules_are_told_in_order_and_words(owner: Visitor):
    page = owner.open("/admin/policies").text
    assert page.index("nobody writes &lt;b&gt;") < page.index(">rest<")
    assert "the tools write_note" in page
    assert "Ask &lt;i&gt;Root&lt;/i&gt;." in page
    assert "registration" in page


def test_the_simulator_names_the_rule(site: Site, owner: Visitor):
    client = site.post("/register", json={"client_name": "App", "redirect_uris": ["https://app.example/cb"]}).json
    asked = f"/admin/policies?user=ada&client={client['client_id']}&server={NOTES.identifier}"
    assert "denied, by the rule" in owner.open(f"{asked}&tool=write_note&at=2026-01-31T14:30").text
    assert "allowed in part" in owner.open(asked).text
    assert "allowed, by the rule" in owner.open(f"{asked}&tool=list_notes").text


@pytest.mark.parametrize(
    "query",
    ["user=nobody&client=x&server=y", "client=x", "server=y", f"client={HOSTILE}&server={HOSTILE}&user={HOSTILE}",
     "client=x&server=https://a.example&at=99999999999-01-01", "client=%00&server=%ff&at=nan"],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_told_so(owner: Visitor, query: str):
    page = owner.open(f"/admin/policies?{query}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_a_request_is_approved_as_it_was_seen_and_taken_back(site: Site, owner: Visitor, request_id: str):
    assert request_id in owner.open("/admin/approvals?kind=grant").text
    page = owner.open(f"/admin/approval/approve?kind=grant&id={request_id}")
    assert "sends people to 127.0.0.1" in page.text
    assert "nothing proves that it is what it says it is" in page.text
    form = forms(page)[-1]
    assert owner.submit(page, form, {"seen": "tool:other"}).status_code == 409
    owner.submit(page, form, {})
    store = site.deployment.stores.pending_grants
    found = store.find(request_id)
    assert found
    assert found.state is State.APPROVED
    assert request_id in owner.open("/admin/policies/requests").text
    back = owner.open(f"/admin/policies/request/withdraw?id={request_id}")
    assert owner.submit(back, forms(back)[-1], {"seen": "tool:other"}).status_code == 409
    assert store.approved(found.wanted.by), "what another approves meanwhile is not taken back unseen"
    owner.submit(back, forms(back)[-1], {})
    assert not store.approved(found.wanted.by)
    assert owner.submit(page, form, {}).status_code == 409, "decided once"


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_nobody_decides_on_a_request_of_their_own(site: Site, owner: Visitor, request_id: str, decision: str):
    root = site.deployment.stores.users.by_name(owner.username)
    assert root
    question = f"/admin/approval/{decision}?kind=grant&id="
    others = owner.open(f"{question}{request_id}")
    own = asked_by(site, root.id)
    shown = owner.open(f"{question}{own}")
    assert shown.status_code == 403
    assert "This is your own request" in shown.text
    found = site.deployment.approvals.find("grant", own)
    assert found
    form = replace(forms(others)[-1], action=f"{question}{own}")
    assert owner.submit(others, form, {"seen": found.seen}).status_code == 403
    assert site.deployment.approvals.find("grant", own), "it waits for somebody else"
