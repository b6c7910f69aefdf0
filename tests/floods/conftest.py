"""Sites with ceilings of their own, and a server with few threads and little patience."""

import ssl
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.browser.scene import Scene, scene
from tests.conformance.fixtures import set_up, site_with
from tests.conformance.site import NOTES
from tests.database import Databases
from tests.journeys.ports import free_port
from tests.web.backchannel.test_client_credentials import Machine, machine

__all__ = ["set_up", "site_with"]

WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the system's certificates take long to read


@pytest.fixture(scope="package")
def running(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    url = databases.create()
    settings = {"threads": "4", "request_seconds": "3", "sign_ins_per_address": "100000 per minute"}
    with scene(url, tmp_path_factory.mktemp("home"), free_port(), **settings) as found:
        yield found
    databases.drop(url)


@pytest.fixture
def indexer(running: Scene) -> Machine:
    return machine(running.site)


def caller(**options: Any) -> httpx2.Client:
    """Somebody who calls by plain HTTP."""
    return httpx2.Client(timeout=60, verify=WITHOUT_TLS, **options)


def asks(running: Scene, who: Machine, http: httpx2.Client) -> int:
    """What the token endpoint answers *who*."""
    form = {"grant_type": "client_credentials", "resource": NOTES.identifier, **who.proof()}
    return http.post(f"{running.issuer}/token", data=form).status_code
