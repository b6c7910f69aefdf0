"""``authserver recover``: after a restore, nothing lives that may have ended since the backup."""

import pytest
from sqlalchemy import text

from authserver.protocol.access_token import TYPE
from tests.cli.conftest import typed
from tests.conformance.flow import Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor

FAR = 10**15
NAMES = ("grant.approved", "keys.withdrawn")
PLACES = "SELECT max(xid), max(id) FROM audit_events WHERE name = :name"


@pytest.fixture
def recovered(site: Site) -> tuple[Flow, dict[str, str], Visitor]:
    """A client with tokens and a person who is signed in, in a database that is restored now."""
    flow, visitor = Flow(site), Visitor(site)
    tokens = flow.tokens(visitor)
    done = typed("recover", "--yes")
    assert done.exit_code == 0, done.output
    site.deployment.stores.epoch.forget()  # as a node that starts now, which has read nothing yet
    return flow, tokens, visitor


@pytest.mark.requirement("TK-12")
def test_no_token_code_or_consent_from_before_gives_anything(site: Site, recovered) -> None:
    flow, tokens, visitor = recovered
    assert flow.refresh().json["error"] == "invalid_grant"
    issuer = site.deployment.settings.issuer
    assert site.deployment.keyring.read(tokens["access_token"], typ=TYPE, issuer=issuer) is None
    assert typed("grant", "list", "--live").output == ""
    assert "/sign-in" in visitor.http.get(flow.url()).location


def test_who_was_asked_again_has_tokens_as_ever(site: Site, recovered) -> None:
    flow, _, visitor = recovered
    assert flow.tokens(visitor)["token_type"] == "Bearer"
    assert flow.refresh().status_code == 200


def test_nothing_that_was_lost_has_its_number_given_again(site: Site, recovered) -> None:
    stores = site.deployment.stores
    stores.epoch.forget()
    assert stores.epoch.current() > FAR
    with stores.database.reading() as connection:
        before, after = (connection.execute(text(PLACES), {"name": name}).one() for name in NAMES)
    assert max(after) - max(before) > FAR / 10


def test_the_trail_tells_of_it_and_verifies(site: Site, recovered) -> None:
    assert "database.restored" in typed("audit", "list").output
    site.seal()
    verified = typed("audit", "verify")
    assert verified.exit_code == 0, verified.output
    assert "unsealed  0" in verified.output


def test_it_can_be_done_again(site: Site, recovered) -> None:
    flow, _, visitor = recovered
    flow.tokens(visitor)
    assert typed("recover", "--yes").exit_code == 0
    assert flow.refresh().json["error"] == "invalid_grant"


def test_nothing_is_done_unless_it_is_confirmed(site: Site) -> None:
    flow = Flow(site)
    flow.tokens(Visitor(site))
    assert typed("recover").exit_code != 0
    assert flow.refresh().status_code == 200
