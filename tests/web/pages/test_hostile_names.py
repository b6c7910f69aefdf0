"""What strangers called things stands in every page of the console as text: no markup, no address, no odd character."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Event, Origin
from authserver.protocol.client import Client
from authserver.protocol.credential import base64url, digest
from authserver.protocol.role import Role
from authserver.protocol.tool import Tool
from authserver.store.alerts import Alert
from authserver.store.invitations import invitation
from authserver.store.models import ClientRow, SessionRow
from authserver.store.pending_grants import Requester, State, Wanted
from authserver.store.stores import Stores
from authserver.store.traces import TraceFilter
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import NOTES, PASSWORD, Site
from tests.conformance.visitor import Visitor
from tests.web.pages.test_roles import OPEN_TO

BREAKOUT = "\"'><script>alert(1)</script><img src=x onerror=alert(1)><a href='https://evil.example'>{{ 123456*654321 }}"
TURNED = "\u202egnp.exe\u200b\x1b[31m"
HOSTILE = f"{BREAKOUT}{TURNED}"
ADDRESSES = ("javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "//evil.example")
EVENT = Event("test.done", "system", Origin("192.0.2.7", "c0ffee"))
NO_TAGS = {"script", "img", "iframe", "object", "embed", "style", "base"}


class Page(HTMLParser):
    """What a browser would make of a page: its tags, their attributes, its addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        own_icon = tag == "img" and str(found.get("src")).startswith("/static/")
        self.tags += [] if own_icon else [tag]
        self.handlers += [name for name in found if name.startswith("on") or name == "style"]
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action", "formaction"}]


def registered(site: Site) -> Flow:
    flow = Flow(site)
    flow.register({**PUBLIC, "client_name": HOSTILE, "token_endpoint_auth_method": "client_secret_post"})
    return flow


def changed(site: Site, client_id: str) -> Client:
    """The client after two changes, each as odd as can be."""
    clients = site.deployment.stores.clients
    found = clients.find_fresh(client_id)
    assert found is not None
    said = {"client_uri": ADDRESSES[0], "policy_uri": HOSTILE, HOSTILE: HOSTILE, "contacts": [HOSTILE, ADDRESSES[2]]}
    uris = (*found.redirect_uris, "evil:/<b>")
    now = replace(found, name=f"{HOSTILE} 2", redirect_uris=uris, metadata=said)
    clients.update(now, EVENT._replace(name=BREAKOUT[:40], actor=HOSTILE))
    now = replace(now, metadata={**said, "tos_uri": ADDRESSES[1]})
    clients.update(now, EVENT)
    return now


def invited(stores: Stores) -> str:
    """The id of an invitation, as odd as can be."""
    made = invitation("".join(filter(str.isprintable, BREAKOUT)), HOSTILE, Role.MEMBER, HOSTILE, mailed=False)
    stores.invitations.add(made, digest("x"), 600, None, EVENT)
    return made.id


@pytest.fixture
def hostile(site_with: Callable[..., Site]) -> tuple[Site, dict[str, str]]:
    """A site where everything is called so, and the query that each page with a subject needs."""
    site = site_with(share_identical_registrations=False)
    stores = site.deployment.stores
    tool = Tool(BREAKOUT[:40], HOSTILE, ("notes:read",), HOSTILE)
    stores.resources.replace(replace(NOTES, name=HOSTILE, tools=(tool,)), EVENT)
    hashed = site.deployment.sign_in.passwords.hash(PASSWORD)
    person = stores.users.add("eve", HOSTILE, hashed, Role.MEMBER, EVENT)
    flow, alike = registered(site), registered(site)
    client_id, waiting = flow.values["client_id"], alike.values["client_id"]
    found = changed(site, client_id)
    flow.allow(Visitor(site, "eve"))
    tokens = flow.token(client_secret=flow.values["client_secret"]).json
    site.get(f"/authorize?client_id={client_id}&redirect_uri={ADDRESSES[0]}", headers={"User-Agent": HOSTILE})
    site.deployment.tracing.recorder.flush()
    with stores.database.transaction() as connection:
        connection.execute(update(SessionRow).values(agent=HOSTILE))
        waits = update(ClientRow).where(ClientRow.client_id == waiting).values(pending_since=1)
        connection.execute(waits)
    alert = Alert(
        AlertKind.MANY_CALLS, HOSTILE, client_id, person.id, HOSTILE, detail={"calls": 300, "usual": 3, "hour": 1}
    )
    stores.alerts.raise_new([alert], EVENT)
    grant = stores.grants.for_user(person.id)[0]
    (session,) = stores.sessions.of_user(person.id, 1)
    family = tokens["refresh_token"].rpartition(".")[2]
    asks = Wanted(Requester(person.id, client_id, found.identity, NOTES.identifier), (HOSTILE,), HOSTILE)
    stores.pending_grants.ask(asks, 600, EVENT)
    stores.groups.add(person.id, "".join(filter(str.isprintable, HOSTILE)), EVENT)
    (wanted,) = stores.pending_grants.page(State.WAITING, None, 1)
    attempt = stores.traces.page(TraceFilter(failed=False), None, 1).lines[0]
    of = {
        "alert/dismiss": f"id={alert.id}",
        "trace": f"id={attempt.id}",
        "client": f"id={client_id}",
        "approval/approve": f"kind=client&id={waiting}",
        "approval/deny": f"kind=client&id={waiting}",
        "approvals": "kind=grant",
        "policies/request/withdraw": f"id={wanted.id}",
        "key/withdraw": f"id={stores.keys.all()[0].kid}",
        "server/agree": f"id={NOTES.identifier}",
        "server/examine": f"id={NOTES.identifier}",
        "server/edit": f"id={NOTES.identifier}",
        "server/suspend": f"id={NOTES.identifier}",
        "client/secret": f"id={client_id}",
        "client/suspend": f"id={client_id}",
        "client/delete": f"id={client_id}",
        "clients/group": f"id={base64url(found.likeness)}",
        "clients/group/delete": f"id={base64url(found.likeness)}",
        "grant": f"id={grant.id}",
        "grant/revoke": f"id={grant.id}&user={person.id}",
        "grant/family/revoke": f"id={family}",
        "grants/revoke": f"client={client_id}",
        "invitation/withdraw": f"id={invited(stores)}",
        "person": f"id={person.id}",
        "person/disable": f"id={person.id}",
        "person/factors": f"id={person.id}",
        "person/groups": f"id={person.id}",
        "person/role": f"id={person.id}",
        "session/end": f"user={person.id}&id={session.id}",
        "sessions/end": f"id={person.id}",
        "server": f"id={NOTES.identifier}",
    }
    return site, of


def test_every_page_of_the_console_shows_hostile_names_as_text(hostile: tuple[Site, dict[str, str]]):
    site, of = hostile
    admin = Visitor(site, "root")
    admin.open("/admin")
    site.seal()
    hostile_pages = 0
    for path in OPEN_TO:
        answer = admin.http.get(f"{path}?{of.get(path.removeprefix('/admin/'), '')}")
        assert answer.status_code == 200, path
        page = Page(answer.text)
        assert not NO_TAGS & set(page.tags), path
        assert not page.handlers, path
        assert not [one for one in page.addresses if not own(one)], path
        assert not re.search("[\u202e\u200b\x1b]", unescape(answer.text)), path
        assert "80779853376" not in answer.text, path
        hostile_pages += "&lt;script&gt;" in answer.text
    assert hostile_pages >= 15, "the walk met what it was sent for"


def own(address: str) -> bool:
    """Whether *address* leads to a page of this server."""
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc and (address == "" or address[0] in "/#?")
