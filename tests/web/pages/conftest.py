from collections.abc import Callable
from pathlib import Path

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.client import AuthMethod, Client, ClientKind, GrantType
from authserver.protocol.role import Role
from authserver.store.user import User
from tests.conformance.fixtures import flow, set_up, site, site_with, visitor
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import PASSWORD, Site
from tests.conformance.visitor import Visitor
from tests.mailbox import Mailbox, settings

from .kim import ADDRESS, EVENT

__all__ = ["admin", "desk", "flow", "hosted", "set_up", "signed_in_as", "site", "site_with", "visitor"]

HOSTED = "https://app.example/callback"
As = Callable[[Role], Visitor]


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


@pytest.fixture
def signed_in_as(site: Site) -> As:
    """Makes a visitor who has signed in and has a role."""

    def enter(role: Role) -> Visitor:
        users, name = site.deployment.stores.users, f"some-{role}"
        if users.by_name(name) is None:
            hashed = site.deployment.sign_in.passwords.hash(PASSWORD)
            users.add(name, role.title(), hashed, role, Event("user.added", "system"))
        found = Visitor(site, name)
        found.open("/sign-in")
        return found

    return enter


@pytest.fixture
def mailing(site_with: Callable[..., Site], tmp_path: Path) -> Site:
    """A site of the test's own that writes its mail into a folder."""
    return site_with(**settings(tmp_path / "mail"))


@pytest.fixture
def mailbox(mailing: Site, tmp_path: Path) -> Mailbox:
    """That mail."""
    return Mailbox(tmp_path / "mail", mailing.deployment)


@pytest.fixture
def kim(mailing: Site) -> User:
    hashed = mailing.deployment.sign_in.passwords.hash(PASSWORD)
    users = mailing.deployment.stores.users
    return users.add("kim", "Kim", hashed, Role.MEMBER, EVENT, email=ADDRESS, verified=True)


@pytest.fixture
def browser(mailing: Site, kim: User) -> Visitor:
    """Kim's, signed in."""
    found = Visitor(mailing, "kim")
    found.open("/account/security")
    return found
