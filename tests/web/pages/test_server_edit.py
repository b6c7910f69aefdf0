"""An MCP server is edited in the console."""

from dataclasses import replace

import pytest

from authserver.protocol.audit import Event
from authserver.protocol.own_api import identifier
from authserver.protocol.resource import Resource, TokenFormat
from authserver.protocol.scope import Scope
from tests.conformance.site import CALENDAR, ISSUER, Site
from tests.conformance.visitor import Visitor, forms

EVENT = Event("test.done", "system")


@pytest.fixture
def server(site: Site):
    made = Resource(
        "https://edited.example/mcp", "Before", (Scope("e:read", "Read"),), aliases=("https://edited.example/a",)
    )
    site.deployment.stores.resources.add(made, EVENT)
    yield made
    site.deployment.stores.resources.remove(made.identifier, EVENT)


def now(site: Site, server: Resource) -> Resource:
    site.deployment.stores.resources.refresh()
    (found,) = (one for one in site.deployment.stores.resources.all() if one.identifier == server.identifier)
    return found


def address(server: Resource) -> str:
    return f"/admin/server/edit?id={server.identifier}"


def fields(admin: Visitor, server: Resource, **typed: str) -> dict[str, str]:
    (form,) = [one for one in forms(admin.open(address(server))) if "seen" in one.names()]
    as_it_is = {"name": server.name, "aliases": " ".join(server.aliases), "token_format": server.token_format.value}
    return {**dict(form.fields), **as_it_is, **typed}


def send(admin: Visitor, server: Resource, **typed: str):
    return admin.http.post(address(server), data=fields(admin, server, **typed))


def test_what_is_saved_is_what_the_page_shows_next(site: Site, admin: Visitor, server: Resource) -> None:
    more = "https://edited.example/a\r\nhttps://EDITED.example:443/b/"
    assert send(admin, server, name="After", aliases=more, token_format="opaque").status_code == 303
    found = now(site, server)
    assert (found.name, found.token_format) == ("After", TokenFormat.OPAQUE)
    assert found.aliases == ("https://edited.example/a", "https://edited.example/b")
    assert found.scopes == server.scopes
    page = admin.open(f"/admin/server?id={server.identifier}").text
    assert "After" in page
    assert "<code>https://edited.example/b</code>" in page


def test_what_is_wrong_is_told_and_what_was_typed_stays(site: Site, admin: Visitor, server: Resource) -> None:
    wrong = send(admin, server, name="", aliases="not-a-uri <b>")
    assert wrong.status_code == 400
    assert "aliases[0]" in wrong.text
    assert "not-a-uri &lt;b&gt;" in wrong.text
    taken = send(admin, server, aliases=CALENDAR.identifier)
    assert taken.status_code == 409
    assert "means another server already" in taken.text
    assert now(site, server) == server


def test_who_saves_second_is_told(site: Site, admin: Visitor, server: Resource) -> None:
    old = fields(admin, server, name="Mine")
    assert site.deployment.stores.resources.exchange(server, replace(server, name="Theirs"), EVENT)
    late = admin.http.post(address(server), data=old)
    assert late.status_code == 409
    assert "Somebody else has changed this server" in late.text
    assert now(site, server).name == "Theirs"


def test_the_api_itself_is_not_edited(admin: Visitor) -> None:
    assert admin.open(f"/admin/server/edit?id={identifier(ISSUER)}").status_code == 404
