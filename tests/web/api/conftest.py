"""A site whose API is enabled, and clients that may use it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from authserver.protocol import own_api
from authserver.protocol.audit import Event
from authserver.protocol.role import Permission
from authserver.services.own_api import enable
from authserver.web.admin.roles import ACTS
from tests.conformance.fixtures import flow, set_up, site_with, visitor
from tests.conformance.fixtures import site as bare_site
from tests.conformance.site import ISSUER, Site
from tests.web.backchannel.test_client_credentials import Machine, machine

__all__ = ["bare_site", "flow", "set_up", "site_with", "visitor"]

RESOURCE = own_api.identifier(ISSUER)
EVENT = Event("test.done", "system")


@dataclass(frozen=True)
class Robot:
    """A client with an access token for the API."""

    site: Site
    machine: Machine
    token: str

    @property
    def client_id(self) -> str:
        return self.machine.client.client_id

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        """Call an operation; what is called ``json`` is the body, all else the query."""
        body = {"json": query.pop("json")} if "json" in query else {}
        client = self.site.app.test_client(use_cookies=False)
        address = f"{own_api.PATH}{path}?{urlencode(query)}"
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return client.open(address, method=method, headers=sent, **body)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.call("GET", path, **query)

    def post(self, path: str, **query: Any) -> TestResponse:
        return self.call("POST", path, **query)

    def as_seen(self, path: str, **query: Any) -> dict[str, str]:
        """The header that says what was seen: how it stands now."""
        return {"If-Match": self.get(path, **query).headers["ETag"]}

    def new_secret(self, client_id: str, key: str | None = None, **query: Any) -> TestResponse:
        """Another secret for a client as it stands now, under an ``Idempotency-Key`` if one is given."""
        seen = self.get("/client", id=client_id).headers.get("ETag", '"none"')
        once = {} if key is None else {"Idempotency-Key": key}
        return self.post("/client/secret", id=client_id, headers={"If-Match": seen, **once}, **query)


@pytest.fixture
def site(bare_site: Site) -> Site:
    """The shared site, with its API."""
    enable(bare_site.deployment.stores.resources, ISSUER, ACTS, EVENT)
    return bare_site


def robot_of(site: Site, *permissions: Permission) -> Robot:
    """A client that may just what *permissions* open."""
    scopes = tuple(own_api.scope_of(each) for each in permissions)
    found = machine(site, ceilings={RESOURCE: scopes})
    answer = found.ask(resource=RESOURCE)
    assert answer.status_code == 200, answer.text
    return Robot(site, found, answer.json["access_token"])


@pytest.fixture
def robot(site: Site) -> Robot:
    """A client that may do everything."""
    return robot_of(site, *Permission)
