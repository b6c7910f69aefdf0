"""axe-core finds nothing grave on any page, in light and dark, on a phone and on a desk; nothing runs off the side.

What can be pressed is looked at under the pointer too, where there is one: people read a page in that state as well.
"""

import time
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from authserver.protocol import credential, strangers
from authserver.protocol.alert import AlertKind
from authserver.protocol.audit import Origin
from authserver.protocol.client import Client
from authserver.protocol.role import Role
from authserver.protocol.tool_receipt import ToolReceipt
from authserver.protocol.trace.record import Record
from authserver.protocol.trace.step import Cause, Step
from authserver.services.deployment import Deployment
from authserver.store.alerts import Alert
from authserver.store.factors import Kind, NewFactor
from authserver.store.pending_grants import Requester, State, Wanted
from authserver.store.stores import Stores
from tests.conformance.flow import Flow
from tests.conformance.site import CALENDAR, PASSWORD
from tests.conformance.visitor import Visitor
from tests.store.scene import a_client
from tests.web.pages.test_roles import OPEN_TO

from .axe import faults
from .person import allow, sign_in
from .scene import EVENT

ALL = "notes:read notes:write notes:delete"
NASTY = "A very long name \u202e that tries to fool you " * 8
CONSOLE = (
    "approvals",
    "clients",
    "grants",
    "servers",
    "calls",
    "traces",
    "alerts",
    "policies",
    "policies/edit",
    "policies/requests",
    "domains",
    "domain?id=vendor.example",
    "people",
    "groups",
    "people/invite",
    "invitations",
    "keys",
    "audit",
    "settings",
)
HOST = "https://a-very-long-host-name.that-goes-on-and-on.with-many-labels.and-some-more.example/callback"


def reload_until(page, words: str) -> None:
    """Reload until the page says *words*: the server knows of another process's change within a second."""
    for _ in range(100):
        if page.get_by_text(words).count():
            return
        page.reload()
    raise AssertionError(f"{words} was not to be seen")


# Width changes where things stand, the scheme their colours, and neither what the other does.
@pytest.fixture(params=[(360, "dark"), (1440, "light")], ids=["phone-dark", "wide-light"])
def page(request, opened):
    width, scheme = request.param
    # Without transitions: what axe sees half-way is no state of the page.
    return opened(color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce")


@pytest.mark.requirement("AZ-8")
def test_the_pages_that_people_see_are_accessible(running, page, app):
    client, hosted = running.app("Editor", app.uri), running.app(NASTY, HOST)
    found = []

    def look(url: str | None = None) -> None:
        if url:
            page.goto(url)
        found.extend(faults(page))

    look(f"{running.issuer}/")
    look(f"{running.issuer}/signed-out")
    look(running.asks(hosted, code_challenge_method="plain"))
    look(running.asks(client))
    sign_in(page, password="wrong")
    look()
    sign_in(page)
    look()
    allow(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    look(running.asks(client, ALL))
    running.site.deployment.stores.clients.update(replace(client, name="Somebody else"), EVENT)
    page.goto(running.asks(client, ALL))
    reload_until(page, "This app has changed")
    look()
    look(running.asks(client, "calendar:admin", resource=CALENDAR.identifier))
    look(running.asks(hosted, ALL))
    look(f"{running.issuer}/authorize?client_id=nobody")
    for path in (
        "/admin",
        "/sign-out",
        "/account/calls",
        "/account/activity",
        "/account/connections",
        "/account/connections/end",
    ):
        look(f"{running.issuer}{path}")
    for button in ("Change", "End this connection"):
        page.goto(f"{running.issuer}/account/connections")
        page.get_by_role("button", name=button).first.click()
        look()
    assert not found


@pytest.mark.requirement("AZ-8", "CR-15")
def test_doubts_and_helpful_errors_are_accessible(running, page):
    elsewhere = "https://claude.ai.evil.example/callback"
    borrowed = running.app("Сlaude (verified) ✓", elsewhere)
    proven = running.app("Claude", "https://claude.ai/api/mcp/auth_callback")
    gone = replace(proven, client_id="gone")
    page.goto(running.asks(borrowed))
    sign_in(page)
    expect(page.get_by_text("Look twice.")).to_be_visible()
    found = faults(page)
    for asked in (
        running.asks(proven),
        running.asks(proven, redirect_uri=elsewhere),
        running.asks(gone),
        running.asks(gone, redirect_uri="http://localhost:9999/oauth/callback"),
    ):
        page.goto(asked)
        found.extend(faults(page))
    assert not found


def _family(running) -> str:
    """The id of a refresh family."""
    flow = Flow(running.site)
    flow.register()
    flow.tokens(Visitor(running.site))
    (grant,) = running.site.deployment.stores.grants.page(flow.values["client_id"], None, 9)
    return running.site.deployment.stores.grant_search.families(grant.id)[0].id


def test_the_pages_about_second_factors_are_accessible(running, page):
    name, deployment = f"bo-{credential.identifier()[:8].lower()}", running.site.deployment
    user = deployment.stores.users.add(name, NASTY, deployment.sign_in.passwords.hash(PASSWORD), Role.MEMBER, EVENT)
    own, found = f"{running.issuer}/account/security/factors", []

    def look(path: str) -> None:
        page.goto(own + path)
        found.extend(faults(page))

    def press(button: str, then: str) -> None:
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading").first).to_have_text(then)
        found.extend(faults(page))

    page.goto(own)
    sign_in(page, name)
    for path in ("", "/passkey", "/app"):
        look(path)
    press("Go on", "Scan it, then type the code")
    deployment.stores.factors.add(user.id, NewFactor(Kind.PASSKEY, NASTY, b"x", credential_id=user.id.encode()), EVENT)
    (code, *_) = deployment.second_factors.codes.new_recovery_codes(user, EVENT.origin)
    look("")
    press("Remove", "Is it you?")  # this session has not used what it has now
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(code)
    press("Go on", f"Remove {strangers.plain(NASTY)}?")
    look("/recovery-codes")
    press("Make ten codes", "Your recovery codes")
    page.context.clear_cookies()
    page.goto(own)
    sign_in(page, name)
    expect(page.get_by_role("heading")).to_have_text("One more step")
    assert not [*found, *faults(page)]


def _of_what_waits(stores: Stores) -> list[str]:
    """The pages about a client that waits for approval."""
    waits = a_client(name=NASTY, redirect_uris=(HOST,), pending=True, created_at=int(time.time()))
    stores.clients.register(waits, EVENT)
    asked = [f"/approval/{act}?kind=client&id={waits.client_id}" for act in ("approve", "deny")]
    ada = stores.users.by_name("ada").id
    wanted = Wanted(Requester(ada, waits.client_id, waits.identity, CALENDAR.identifier), (NASTY,), NASTY)
    stores.pending_grants.ask(wanted, 600, EVENT)
    (line,) = stores.pending_grants.page(State.WAITING, None, 1)
    withdrawn = f"/policies/request/withdraw?id={line.id}"
    return [*asked, withdrawn, "/approvals?kind=change", "/approval/deny?kind=client&id=unknown"]


def _of_a_secret(stores: Stores, client: Client) -> list[str]:
    """The pages about a client like *client* with a secret, which said something else before."""
    secretive = replace(client, client_id=credential.identifier(), secret_digest=credential.digest("x"))
    stores.clients.register(secretive, EVENT)
    stores.clients.update(replace(secretive, name="Another name"), EVENT)
    return [f"/client?id={secretive.client_id}", f"/client/secret?id={secretive.client_id}"]


def _of_an_invitation(deployment: Deployment) -> str:
    """The page about an invitation that waits."""
    name = f"kim-{credential.identifier()[:8].lower()}"
    deployment.invitations.invite(name, NASTY, Role.MEMBER, f"{name}@example.com", EVENT)
    return f"/invitation/withdraw?id={deployment.stores.invitations.open(9)[0].id}"


def test_the_console_is_accessible(running, page, app):
    client = running.app(NASTY, app.uri, HOST)
    page.goto(running.asks(client))
    sign_in(page, "root")
    allow(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    stores = running.site.deployment.stores
    (ended,) = stores.grants.page(client.client_id, None, 9)
    stores.grants.revoke(ended.id, EVENT)
    page.goto(running.asks(client))
    allow(page)
    expect(page.get_by_role("heading")).to_have_text("Back in the app")
    page.goto(f"{running.issuer}/admin/grants?q={client.client_id}")
    stores.alerts.raise_new([Alert(AlertKind.FIRST_DESTRUCTIVE_USE, NASTY, client.client_id, tool=NASTY)], EVENT)
    receipt = ToolReceipt("0" * 32, 0, "x", NASTY, None, NASTY, {NASTY: NASTY}, "ok", None, 1, "c0ffee", None, None)
    stores.tool_receipts.keep(NASTY, [replace(receipt, at_ms=int(time.time() * 1000))])
    refused = Record("K7QFM-2XW9D", Step.TOKEN, Cause.PKCE_MISMATCH, Origin(NASTY, NASTY, NASTY), client.client_id)
    stores.traces.write([(0, replace(refused, about={NASTY: NASTY})), (9, replace(refused, cause=Cause.CODE_USED))])
    revoke = page.get_by_role("link", name="Revoke").get_attribute("href")
    paths = [
        "",
        *(f"/{name}" for name in CONSOLE),
        *(f"/{name}" for name in ("roles", "keys/rotate", "emergency", "emergency/grants")),
    ]
    ada = stores.users.by_name("ada").id
    running.site.deployment.sessions.open(stores.users.find(ada), EVENT.origin, NASTY)
    (session, *_) = stores.sessions.of_user(ada, 9)
    paths += [
        "/clients/alike",
        f"/clients/group?id={credential.base64url(client.likeness)}",
        f"/clients/group/delete?id={credential.base64url(client.likeness)}",
        f"/grant?id={ended.id}",
        "/grants/token",
        "/grants?scope=notes:read",
        "/trace?id=K7QFM-2XW9D",
        *(f"/{name}?id={CALENDAR.identifier}" for name in ("server", "server/edit", "server/agree", "server/examine")),
        f"/server/suspend?id={CALENDAR.identifier}",
        f"/key/withdraw?id={stores.keys.all()[0].kid}",
        f"/client/suspend?id={client.client_id}",
        f"/alert/dismiss?id={stores.alerts.standing(None, 1).lines[0].id}",
        f"/grant/family/revoke?id={_family(running)}",
        f"/client?id={client.client_id}",
        f"/client/delete?id={client.client_id}",
        *(
            f"/{name}?id={ada}"
            for name in ("person", "person/role", "person/groups", "person/disable", "person/factors", "sessions/end")
        ),
        f"/session/end?user={ada}&id={session.id}",
        f"/grants/revoke?client={client.client_id}",
        "/../sign-in/again",
        revoke.removeprefix("/admin"),
    ]
    paths += [*_of_what_waits(stores), *_of_a_secret(stores, client), _of_an_invitation(running.site.deployment)]
    looked_at = {f"/admin{path.partition('?')[0]}" for path in paths}
    assert {path for path in OPEN_TO if path not in looked_at} == set(), "each page of the console is looked at"
    found = []
    for path in paths:
        page.goto(f"{running.issuer}/admin{path}")
        found.extend(faults(page))
    assert not found
