"""A client's page: what it said before, where it came from, a new secret for it; and registrations that are alike."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.protocol.client import HELD_DOCUMENT, AuthMethod, Client, ClientKind, GrantType
from authserver.store.audit import AuditFilter
from authserver.store.models import ClientRow
from authserver.web.admin import alike
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.site import Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.test_consent_page import words
from tests.web.pages.test_console import press

CONFIDENTIAL = {**PUBLIC, "token_endpoint_auth_method": "client_secret_basic"}
CHANGE = Event("client.updated", "system")


@pytest.fixture
def own_site(site_with: Callable[..., Site]) -> Site:
    return site_with(share_identical_registrations=False)


@pytest.fixture
def confidential(site: Site) -> Flow:
    found = Flow(site)
    found.register({**CONFIDENTIAL, "client_name": "With a secret"})
    return found


def page_of(admin: Visitor, flow: Flow):
    return admin.open(f"/admin/client?id={flow.values['client_id']}")


def test_what_a_client_said_before_is_shown_as_what_went_and_what_came(site: Site, flow: Flow, admin: Visitor):
    flow.register({**PUBLIC, "client_name": "Before"})
    assert "What it said before" not in page_of(admin, flow).text
    clients = site.deployment.stores.clients
    found = clients.find_fresh(flow.values["client_id"])
    changed = replace(found, name="<b>After</b>", redirect_uris=(*found.redirect_uris, "https://new.example/cb"))
    clients.update(changed, CHANGE)
    page = page_of(admin, flow)
    said = words(page)
    assert "client.updated by system" in said
    assert "gone: Before new: <b>After</b>" in said.replace("&lt;", "<").replace("&gt;", ">")
    assert "redirect uris: new: https://new.example/cb" in said
    assert "<b>After" not in page.text


def test_the_page_tells_where_a_registration_came_from_and_by_which_token(site_with: Callable[..., Site]):
    site = site_with(registration="token")
    secret = credential.mint(credential.Prefix.INITIAL_ACCESS)
    token_id = site.deployment.stores.initial_access_tokens.add(
        credential.digest(secret), "for tests", None, None, CHANGE
    )
    answer = site.post("/register", json=PUBLIC, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 201
    said = words(Visitor(site, "root").open(f"/admin/client?id={answer.json['client_id']}"))
    assert "client.registered at " in said
    assert "from 127.0.0.1" in said
    assert f"with the registration token {token_id}" in said


def test_the_page_shows_the_newest_attempts_of_the_client(site_with: Callable[..., Site]):
    site = site_with()  # the shared one takes no more than so many steps of a source in a minute
    flow = Flow(site)
    flow.register()
    flow.tokens(Visitor(site))
    site.deployment.tracing.recorder.flush()
    page = page_of(Visitor(site, "root"), flow)
    assert "Newest attempts to connect" in page.text
    assert re.search(r'href="/admin/trace\?id=[^"]+"', page.text)


def test_before_an_end_the_page_says_how_many_grants_go_with_it(flow: Flow, visitor: Visitor, admin: Visitor):
    flow.register()
    flow.tokens(visitor)
    of = f"?id={flow.values['client_id']}"
    assert "Live grants that end 1" in words(admin.open(f"/admin/client/delete{of}"))
    assert "Live grants that rest 1" in words(admin.open(f"/admin/client/suspend{of}"))


@pytest.mark.requirement("CR-12")
def test_a_new_secret_is_shown_once_and_the_old_one_stays_good_for_a_while(
    site: Site, confidential: Flow, admin: Visitor
):
    client_id = confidential.values["client_id"]
    clients = site.deployment.stores.clients
    before = clients.find_fresh(client_id)
    path = f"/admin/client/secret?id={client_id}"
    question = admin.open(path)
    form = forms(question)[-1]
    answer = admin.submit(question, form, {"overlap": "3600"})
    (secret,) = re.findall(r"mcps_[\w-]{43}", answer.text)
    after = clients.find_fresh(client_id)
    assert credential.matches(secret, after.secret_digest)
    assert after.previous_secret_digest == before.secret_digest
    assert answer.headers["Cache-Control"] == "no-store"
    assert secret not in page_of(admin, confidential).text
    assert "two: the former one is good until" in words(page_of(admin, confidential))
    again = admin.submit(question, form, {"overlap": "3600"})
    assert again.status_code == 409
    assert "has got another secret since this page was shown" in again.text
    assert not re.findall(r"mcps_[\w-]{43}", again.text)
    assert clients.find_fresh(client_id).secret_digest == after.secret_digest
    (line,) = site.deployment.stores.audit.page(AuditFilter(name="client.secret_rotated", client_id=client_id), None, 9)
    assert line.event.detail == {"overlap": 3600}
    assert line.event.actor.startswith("user:")


@pytest.mark.parametrize("overlap", ["", "7", "-1", "3600.0", "\u0663"])
def test_an_overlap_that_is_not_offered_gives_no_secret(site: Site, confidential: Flow, admin: Visitor, overlap: str):
    path = f"/admin/client/secret?id={confidential.values['client_id']}"
    question = admin.open(path)
    answer = admin.submit(question, forms(question)[-1], {"overlap": overlap})
    assert answer.status_code == 400
    found = site.deployment.stores.clients.find_fresh(confidential.values["client_id"])
    assert found.previous_secret_digest is None


def test_of_two_admins_who_make_a_secret_the_second_is_told(site: Site, confidential: Flow, signed_in_as):
    first, second = Visitor(site, "root"), Visitor(site, "root")
    path = f"/admin/client/secret?id={confidential.values['client_id']}"
    pages = [browser.open(path) for browser in (first, second)]
    answers = [
        browser.submit(page, forms(page)[-1], {"overlap": "0"})
        for browser, page in zip((first, second), pages, strict=True)
    ]
    assert [answer.status_code for answer in answers] == [200, 409]


def test_a_client_without_a_secret_gets_none(flow: Flow, admin: Visitor):
    flow.register()
    assert admin.open(f"/admin/client/secret?id={flow.values['client_id']}").status_code == 404
    assert "New secret" not in page_of(admin, flow).text


def crowd(site: Site, name: str, number: int) -> list[str]:
    """Registrations alike, two hours old; their ids."""
    flows = [Flow(site) for _ in range(number)]
    for flow in flows:
        flow.register({**PUBLIC, "client_name": name})
    ids = [flow.values["client_id"] for flow in flows]
    with site.deployment.stores.database.transaction() as connection:
        old = update(ClientRow).where(ClientRow.client_id.in_(ids))
        connection.execute(old.values(created_at=ClientRow.created_at - 7200))
    return ids


def link(page, name: str) -> str:
    return re.findall(rf'href="(/admin/{name}\?id=[^"]+)"', page.text)[0]


def test_unused_registrations_that_are_alike_are_one_line_and_end_together(own_site: Site):
    admin, clients = Visitor(own_site, "root"), own_site.deployment.stores.clients
    gone, kept = crowd(own_site, "<i>Crowd</i>", 4), crowd(own_site, "Alone", 1)
    listed = admin.open("/admin/clients/alike")
    said = words(listed)
    assert "5 registrations were never used" in said
    assert "<i>" not in listed.text
    assert "Alone" not in said
    group = admin.open(link(listed, "clients/group"))
    assert all(client_id in group.text for client_id in gone)
    question = admin.open(link(group, "clients/group/delete"))
    assert "Never used 4" in words(question)
    assert "No person ever allowed them anything" in words(question)
    assert press(admin, link(group, "clients/group/delete")).request.path == "/admin/clients/alike"
    assert [clients.find_fresh(one) for one in gone] == [None] * 4
    assert clients.find_fresh(kept[0]) is not None
    (line,) = own_site.deployment.stores.audit.page(AuditFilter(name="clients.deleted"), None, 9)
    assert line.event.detail == {"clients": 4}


def test_a_group_that_takes_long_says_how_far_it_came_and_goes_on(own_site: Site, monkeypatch):
    admin = Visitor(own_site, "root")
    crowd(own_site, "Crowd", 5)
    monkeypatch.setattr(alike, "SECONDS", 0.0)
    monkeypatch.setattr("authserver.services.reaper.BATCH", 2)
    path = link(admin.open("/admin/clients/alike"), "clients/group/delete")
    assert "2 registrations were deleted, and more are left" in press(admin, path).text
    assert "2 registrations were deleted, and more are left" in press(admin, path).text
    assert press(admin, path).request.path == "/admin/clients/alike"
    assert admin.open(path).status_code == 404


def test_what_is_in_use_stays_when_its_group_ends(own_site: Site, visitor: Visitor):
    admin, ada = Visitor(own_site, "root"), Visitor(own_site, "ada")
    used = Flow(own_site)
    used.register({**PUBLIC, "client_name": "Crowd"})
    used.tokens(ada)
    crowd(own_site, "Crowd", 2)
    path = link(admin.open("/admin/clients/alike"), "clients/group/delete")
    press(admin, path)
    assert used.refresh().status_code == 200


@pytest.mark.parametrize("query", ["", "?id=", "?id=x", "?id=%00", "?id=!!!!", "?id=" + "A" * 43, "?id=A"])
def test_a_group_that_there_is_not_is_404(admin: Visitor, query: str):
    for path in ("group", "group/delete"):
        assert admin.open(f"/admin/clients/{path}{query}").status_code == 404


def test_a_change_that_waits_is_no_obstacle_while_its_document_is_not_at_hand(site: Site, admin: Visitor):
    url = "https://forgotten.example/client.json"
    client = Client(
        client_id=url,
        kind=ClientKind.METADATA_DOCUMENT,
        name="Forgotten",
        redirect_uris=("https://forgotten.example/cb",),
        auth_method=AuthMethod.NONE,
        grant_types=(GrantType.AUTHORIZATION_CODE,),
        created_at=1_780_000_000,
        metadata={HELD_DOCUMENT: "x"},
    )
    site.deployment.stores.clients.preregister(client, CHANGE)
    page = admin.open(f"/admin/client?id={url}")
    assert page.status_code == 200
    assert "says something else by now" not in page.text
    assert url in admin.open("/admin/clients?only=changed").text
