import pytest

from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from tests.conformance.fixtures import flow, set_up, site, site_with, visitor
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor

__all__ = ["admin", "desk", "flow", "hosted", "set_up", "site", "site_with", "visitor"]

HOSTED = "https://app.example/callback"


@pytest.fixture
def hosted(site: Site) -> Flow:
    """A client that registered by itself, with an https redirect URI."""
    found = Flow(site)
    found.register({**PUBLIC, "client_name": "Hosted app", "redirect_uris": [HOSTED]})
    return found


@pytest.fixture
def desk(site: Site) -> Flow:
    """A client that an administrator registered."""
    found = Flow(site)
    client = Client(
        client_id=f"desk-{found.values['state']}",
        kind=ClientKind.PREREGISTERED,
        name="Acme Desk",
        redirect_uris=(HOSTED,),
        auth_method=AuthMethod.NONE,
        grant_types=(GrantType.AUTHORIZATION_CODE,),
        created_at=1_780_000_000,
    )
    site.deployment.stores.clients.register(client, Event("client.registered", "system"))
    found.values["client_id"] = client.client_id
    return found


@pytest.fixture
def admin(site: Site) -> Visitor:
    """Root, who may open the console."""
    return Visitor(site, "root")
