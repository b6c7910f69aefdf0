"""The deployment of this worker, and a person of each test's own."""

import secrets

import pytest

from authserver.protocol.audit import Event, Origin
from authserver.protocol.role import Role
from authserver.services.deployment import Deployment
from authserver.store.user import User
from tests.conformance.fixtures import site
from tests.conformance.site import PASSWORD, Site

__all__ = ["deployment", "origin", "person", "site"]


@pytest.fixture
def deployment(site: Site) -> Deployment:
    return site.deployment


@pytest.fixture
def origin() -> Origin:
    """An address that no other test has failed from."""
    return Origin(f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1", secrets.token_hex(8))


@pytest.fixture
def person(deployment: Deployment) -> User:
    hashed = deployment.sign_in.passwords.hash(PASSWORD)
    name = f"bo-{secrets.token_hex(4)}"
    return deployment.stores.users.add(name, "Bo", hashed, Role.MEMBER, Event("user.added", "system"))
