"""What policy refuses and lets wait, and its pages in the console: accessible, and nothing runs off the side."""

import pytest

from authserver.protocol.policy import reading
from authserver.store.pending_grants import State
from tests.conformance.site import CALENDAR

from .axe import faults
from .person import sign_in
from .scene import EVENT
from .test_accessibility import NASTY, page, reload_until

__all__ = ["page"]

LONG = "a-rule-without-a-single-space-in-its-name-that-goes-on-and-on-"
HERE = {"servers": [CALENDAR.identifier]}
RULES = (
    {"name": f"{LONG}1", "effect": "require approval", "scopes": ["calendar:admin"], "says": LONG * 4, **HERE},
    {"name": f"{LONG}2", "effect": "allow", "unless": {"from": ["192.0.2.0/24"], "hours": "08:00-18:00"}, **HERE},
)
DENIED = ({"name": f"{LONG}3", "effect": "deny", "says": LONG * 4, **HERE},)


@pytest.fixture
def policies(running):
    store = running.site.deployment.stores.policies

    def apply(*rules):
        running.site.deployment.stores.epoch.forget()
        store.apply(reading.read(list(rules)), store.current().version, EVENT)

    yield apply
    apply()


def _decided(page, console: str, request_id: str) -> list[str]:
    """What is at fault on the way to an approval, and back."""
    found, one = [], f"kind=grant&id={request_id}"
    for path in ("approvals?kind=grant", f"approval/deny?{one}", f"approval/approve?{one}"):
        page.goto(f"{console}/{path}")
        found += faults(page)
    page.get_by_role("button", name="Approve").click()
    for path in ("policies/requests", f"policies/request/withdraw?id={request_id}"):
        page.goto(f"{console}/{path}")
        found += faults(page)
    return found


def test_what_policy_says_is_accessible_and_can_be_decided(running, page, app, policies):
    policies(*RULES)
    client, stores = running.app(NASTY, app.uri), running.site.deployment.stores
    both = running.asks(client, "calendar:read calendar:admin", resource=CALENDAR.identifier)
    page.goto(both)
    sign_in(page)
    reload_until(page, "An administrator has to allow this first")
    found = faults(page)
    page.goto(running.asks(client, "calendar:admin", resource=CALENDAR.identifier))
    found += faults(page)
    if page.get_by_role("button", name="Ask an administrator").count():
        page.get_by_role("button", name="Ask an administrator").click()
        page.get_by_text("An administrator has been asked").wait_for()
        found += faults(page)
    policies(*DENIED)
    page.goto(both)
    reload_until(page, "This is not allowed here")
    found += faults(page)
    page.context.clear_cookies()
    question = f"user=ada&client={client.client_id}&server={CALENDAR.identifier}"
    page.goto(f"{running.issuer}/admin/policies?{question}")
    sign_in(page, "root")
    found += faults(page)
    waiting = next(
        one
        for one in stores.pending_grants.page(State.WAITING, None, 50)
        if one.wanted.by.client_id == client.client_id
    )
    found += _decided(page, f"{running.issuer}/admin", waiting.id)
    assert stores.pending_grants.find(waiting.id).state is State.APPROVED
    assert not found
