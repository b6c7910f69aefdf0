"""All grants of a person, to a client, at a server, or of everybody, are revoked after a look at how many they are."""

from collections.abc import Callable

import pytest

from authserver.protocol.audit import Event
from authserver.services import mass_revocation
from authserver.store.audit import AuditFilter
from authserver.store.grants import BATCH, GrantStore, Whose
from authserver.web.admin import clients, emergency, grants_of
from tests.conformance.flow import Flow
from tests.conformance.site import NOTES, Site
from tests.conformance.visitor import Visitor, forms
from tests.web.pages.test_consent_page import words
from tests.web.pages.test_console import press

EVENT = Event("test.done", "system")


@pytest.fixture
def own_site(site_with: Callable[..., Site]) -> Site:
    return site_with()


def connected(site: Site, visitor: Visitor) -> Flow:
    flow = Flow(site)
    flow.register()
    flow.tokens(visitor)
    return flow


def goes_on(flow: Flow) -> bool:
    return flow.refresh().status_code == 200


@pytest.mark.requirement("TK-6")
@pytest.mark.parametrize("kind", ["user", "client", "server"])
def test_all_of_one_are_revoked_and_nothing_else(own_site: Site, kind: str):
    ada, root = Visitor(own_site, "ada"), Visitor(own_site, "root")
    first, second, other = connected(own_site, ada), connected(own_site, ada), connected(own_site, root)
    user = own_site.deployment.stores.users.by_name("ada")
    wanted = {"user": user.id, "client": first.values["client_id"], "server": NOTES.identifier}[kind]
    path = f"/admin/grants/revoke?{kind}={wanted}"
    counted = {"user": 2, "client": 1, "server": 3}[kind]
    assert f"Live grants {counted} " in words(root.open(path))
    answer = press(root, path)
    assert answer.request.path == {"user": "/admin/person"}.get(kind, f"/admin/{kind}")
    assert not goes_on(first)
    assert goes_on(second) is (kind == "client")
    assert goes_on(other) is (kind != "server")
    (line,) = own_site.deployment.stores.audit.page(AuditFilter(name="grants.revoked"), None, 9)
    assert line.event.detail == {"grants": counted}
    about = (line.event.user_id, line.event.client_id, line.event.resource)
    assert [one for one in about if one] == [wanted]


@pytest.mark.parametrize("query", ["", "?user=nobody", "?client=", "?server=%00", "?user=a&client=b", "?resource=x"])
def test_of_whom_is_said_exactly_once(admin: Visitor, query: str):
    assert admin.open(f"/admin/grants/revoke{query}").status_code == 404


def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """One grant a batch, and one batch a page."""
    revoke_all = GrantStore.revoke_all
    monkeypatch.setattr(GrantStore, "revoke_all", lambda *given: revoke_all(*given, limit=1) and BATCH)
    monkeypatch.setattr(grants_of, "SECONDS", 0)
    monkeypatch.setattr(emergency, "SECONDS", 0)


def test_what_takes_long_is_told_and_gone_on_with(own_site: Site, monkeypatch: pytest.MonkeyPatch):
    root = Visitor(own_site, "root")
    flows = [connected(own_site, root) for _ in range(3)]
    small_batches(monkeypatch)
    page = root.open(f"/admin/grants/revoke?server={NOTES.identifier}")
    for left in (2, 1):
        page = root.submit(page, forms(page)[-1], {})
        assert "more are left. Press the button again to go on." in page.text
        assert f"Live grants {left} " in words(page)
    assert root.submit(page, forms(page)[-1], {}).request.path == "/admin/server"
    assert not any(map(goes_on, flows))


@pytest.mark.requirement("TK-12")
def test_in_an_emergency_all_keys_are_withdrawn_and_apps_go_on_with_new_tokens(own_site: Site):
    root = Visitor(own_site, "root")
    flow = connected(own_site, root)
    before = {key.kid for key in own_site.deployment.stores.keys.all()}
    assert press(root, "/admin/emergency").request.path == "/admin/keys"
    now = own_site.deployment.stores.keys.all()
    assert {key.kid for key in now if key.published_until == 0} == before
    assert goes_on(flow)
    (line,) = own_site.deployment.stores.audit.page(AuditFilter(name="keys.withdrawn"), None, 9)
    assert line.event.actor == f"user:{own_site.deployment.stores.users.by_name('root').id}"


def test_in_the_worst_case_every_grant_ends_too_and_the_new_keys_stay(own_site: Site, monkeypatch: pytest.MonkeyPatch):
    root = Visitor(own_site, "root")
    flows = [connected(own_site, root) for _ in range(3)]
    small_batches(monkeypatch)
    page = root.open("/admin/emergency")
    assert "Revoke every grant too (3 live)" in words(page)
    page = root.submit(page, forms(page)[-1], {"grants": "yes"})
    assert page.request.path == "/admin/emergency/grants", "the next press is not about keys any more"
    keys = own_site.deployment.stores.keys.all()
    page = root.submit(page, forms(page)[-1], {})
    assert root.submit(page, forms(page)[-1], {}).request.path == "/admin/grants"
    assert own_site.deployment.stores.grants.count_live(Whose(), 9) == 0
    assert not any(map(goes_on, flows))
    assert own_site.deployment.stores.keys.all() == keys


def test_a_client_of_very_many_grants_loses_them_in_batches_before_it_is_deleted(
    own_site: Site, monkeypatch: pytest.MonkeyPatch
):
    root = Visitor(own_site, "root")
    flow = connected(own_site, root)
    for _ in range(3):  # a grant for each device
        flow.tokens(Visitor(own_site, "root"))
    small_batches(monkeypatch)
    monkeypatch.setattr(mass_revocation, "BATCH", 1)
    monkeypatch.setattr(clients, "SECONDS", 0)
    page = root.open(f"/admin/client/delete?id={flow.values['client_id']}")
    assert "Live grants that end 4" in words(page)
    for left in (3, 2):
        page = root.submit(page, forms(page)[-1], {})
        assert "of its grants were revoked, and more are left" in page.text
        assert f"Live grants that end {left}" in words(page)
        assert own_site.deployment.stores.clients.find_fresh(flow.values["client_id"]) is not None
    assert root.submit(page, forms(page)[-1], {}).request.path == "/admin/clients"
    assert own_site.deployment.stores.clients.find_fresh(flow.values["client_id"]) is None
    assert own_site.deployment.stores.grants.count_live(Whose(), 9) == 0
