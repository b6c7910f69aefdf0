"""The console looks at an MCP server as clients see it, and not into networks that nobody entered."""

import secrets

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.resource import Resource
from authserver.protocol.scope import Scope
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.journeys.ports import free_port

EVENT = Event("test.done", "system")


def registered(site: Site, url: str) -> str:
    stores = site.deployment.stores
    stores.resources.add(Resource(url, "Looked at", (Scope(f"l{secrets.token_hex(3)}:read", "Read"),)), EVENT)
    return f"/admin/server/examine?id={url}"


def look(browser: Visitor, address: str):
    page = browser.open(address)
    assert page.status_code == 200
    return browser.http.post(address, data=dict(forms(page)[-1].fields))


def test_a_server_that_does_not_run_is_told_with_what_to_do(site_with):
    port = free_port()
    site = site_with(fetch_entered_networks=[f"127.0.0.1:{port}=127.0.0.0/8"])
    answer = look(Visitor(site, "root"), registered(site, f"http://127.0.0.1:{port}/mcp"))
    assert answer.status_code == 200
    assert "the MCP server does not answer" in answer.text
    assert "See that it runs" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1"])
def test_no_private_network_is_asked_that_nobody_entered(site_with, host: str):
    site = site_with(fetch_entered_networks=[])
    answer = look(Visitor(site, "root"), registered(site, f"http://{host}:{free_port()}/mcp"))
    assert "it is in a private network, which is asked only if fetch_entered_networks names it" in answer.text


def test_when_others_are_looked_at_it_says_so_and_takes_up_no_thread(site_with):
    site = site_with()
    room = site.deployment.server_doctor._room
    address = registered(site, "https://looked.example/mcp")
    with room, room:
        answer = look(Visitor(site, "root"), address)
    assert answer.status_code == 503
    assert "try again in half a minute" in answer.text
