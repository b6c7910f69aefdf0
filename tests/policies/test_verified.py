"""Whether what a client says of itself is proven: by where it sends people now, and by where it sent them then."""

from typing import Any

import pytest

from tests.conformance.flow import PUBLIC
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor
from tests.policies.conftest import Rule, events
from tests.tools.conftest import Docs
from tests.tools.test_consent import ALL
from tests.web.backchannel.test_registration_management import Managed

ITS_OWN, KNOWN = "https://m.example/cb", "https://claude.ai/api/mcp/auth_callback"
UNPROVEN = {"name": "strangers only read", "effect": "deny", "verified": False, "scopes": ["docs:write", "docs:delete"]}


def registered(docs: Docs, uri: str) -> Managed:
    """The client of *docs*, which has codes sent to *uri*."""
    managed = Managed(docs.site, sending(uri))
    docs.flow.values["client_id"] = managed.made["client_id"]
    return managed


def sending(uri: str) -> dict[str, Any]:
    return {**PUBLIC, "client_name": "Notes", "redirect_uris": [uri]}


def scope_of_refresh(docs: Docs) -> str:
    answer = docs.flow.refresh()
    assert answer.status_code == 200, answer.text
    return str(answer.json["scope"])


@pytest.fixture
def connected(docs: Docs, visitor: Visitor) -> Managed:
    """Somebody allowed it everything, at its own address, before there was a rule."""
    managed = registered(docs, ITS_OWN)
    docs.flow.allow(visitor, redirect_uri=ITS_OWN, scope=ALL)
    assert docs.flow.token(redirect_uri=ITS_OWN).json["scope"] == ALL
    return managed


def test_the_address_of_a_known_vendor_proves_nothing_of_a_code_that_went_elsewhere(
    docs: Docs, rules: Rule, connected: Managed
) -> None:
    rules(UNPROVEN)
    assert scope_of_refresh(docs) == "docs:read"
    assert connected.ask("PUT", sending(KNOWN)).status_code == 200
    assert scope_of_refresh(docs) == "docs:read"
    rules({"effect": "allow", "through": ["known:claude"], "verified": True}, {"effect": "deny"})
    assert docs.flow.refresh().json["error"] == "invalid_grant"


def test_it_proves_who_got_the_code_that_went_there(docs: Docs, visitor: Visitor, rules: Rule) -> None:
    registered(docs, KNOWN)
    rules(UNPROVEN)
    docs.flow.allow(visitor, redirect_uri=KNOWN, scope=ALL)
    assert docs.flow.token(redirect_uri=KNOWN).json["scope"] == ALL
    assert scope_of_refresh(docs) == ALL


def test_a_code_that_is_redeemed_is_judged_by_where_it_went(
    docs: Docs, site: Site, visitor: Visitor, rules: Rule
) -> None:
    managed = registered(docs, ITS_OWN)
    docs.flow.allow(visitor, redirect_uri=ITS_OWN, scope=ALL)
    managed.ask("PUT", sending(KNOWN))
    rules({**UNPROVEN, "scopes": ["docs:*"]})
    assert docs.flow.token(redirect_uri=ITS_OWN).json["error"] == "invalid_grant"
    assert events(site, "policy.refused", docs.resource.identifier)
