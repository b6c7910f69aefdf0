"""The audit trail."""

import time

import pytest
from sqlalchemy.exc import IntegrityError

from authserver.protocol.audit import Event, Origin
from authserver.store import audit
from authserver.store.audit import AuditFilter
from authserver.store.grants import Whose
from authserver.store.overview import Overview, overview
from authserver.store.stores import Stores

from .scene import EVENT, NOTES, Scene, a_client

FULL = Event(
    name="grant.denied",
    actor="user:u",
    origin=Origin("192.0.2.7", "c0ffee"),
    outcome="refused",
    user_id="u",
    client_id="c",
    resource="https://notes.example/mcp",
    grant_id="g",
    detail={"scopes": "a b", "nested": {"list": [1, None, "\0", "\ud800"]}},
)


def test_an_event_comes_back_as_it_was_written(stores: Stores):
    began = time.time()
    stores.audit.write(FULL)
    [line] = stores.audit.page(AuditFilter(), None, 10)
    assert line.event == FULL
    assert began - 1 < line.at_ms / 1000 < time.time() + 1


def test_text_that_a_database_cannot_hold_does_not_stop_an_event(stores: Stores):
    stores.audit.write(Event("a\0b", "user:\ud800", Origin("\0", "\udfff")))
    [line] = stores.audit.page(AuditFilter(), None, 10)
    assert line.event.name == "a\ufffdb"


@pytest.mark.parametrize("field", ["name", "outcome", "user_id", "client_id", "resource"])
def test_events_are_filtered_by_whom_and_what_they_are_about(stores: Stores, field: str):
    stores.audit.write(FULL)
    stores.audit.write(Event("other", "system"))
    wanted = AuditFilter(**{field: getattr(FULL, field)})
    assert [line.event for line in stores.audit.page(wanted, None, 10)] == [FULL]


@pytest.mark.parametrize("which", [{"outcome": "rare"}, {"resource": "rare"}, {"name": "n", "outcome": "rare"}])
def test_a_page_of_what_no_index_leads_to_looks_through_so_many_and_goes_on(
    stores: Stores, which: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audit, "LOOKED_THROUGH", 3)
    for position in range(10):
        rare = "rare" if position in {0, 1, 8} else "usual"
        event = Event("n", "system", outcome=rare, resource=rare, detail={"position": position})
        stores.audit.write(event)
        stores.audit.write(Event("other", "system"))
    wanted, after = AuditFilter(**which), None
    pages: list[list[int]] = []
    while not pages or after:
        page = stores.audit.page(wanted, after, 2)
        pages.append([line.event.detail["position"] for line in page])
        after = page.after
    assert [position for lines in pages for position in lines] == [8, 1, 0]
    assert [] in pages, "nobody waits for a walk through all of them"


def test_the_events_of_a_grant_are_found_among_its_persons(scene: Scene):
    token = scene.first_token()
    [grant] = scene.stores.grants.for_user(scene.user_id)
    scene.refresh(token)
    scene.stores.audit.write(Event("of.another", "system", user_id=scene.user_id, grant_id="another"))
    events = scene.stores.audit.page(AuditFilter(grant_id=grant.id), None, 10)
    assert next(iter(events)).event.name == "token.refreshed"
    assert {line.event.grant_id for line in events} == {grant.id}


def test_the_trail_goes_on_page_by_page_with_the_newest_first(stores: Stores):
    for number in range(5):
        stores.audit.write(Event(f"event.{number}", "system"))
    first = stores.audit.page(AuditFilter(), None, 3)
    second = stores.audit.page(AuditFilter(), first.after, 3)
    names = [line.event.name for line in (*first, *second)]
    assert names == [f"event.{number}" for number in (4, 3, 2, 1, 0)]
    assert second.after is None


def test_an_event_is_there_only_if_its_change_is(stores: Stores):
    client = a_client()
    stores.clients.register(client, EVENT)
    with pytest.raises(IntegrityError):
        stores.clients.register(client, EVENT.about(name="client.registered.twice"))
    assert len(stores.audit.page(AuditFilter(), None, 10).lines) == 1


def test_every_change_writes_its_event(scene: Scene):
    stores = scene.stores
    before = len(stores.audit.page(AuditFilter(), None, 1000).lines)
    stores.resources.add(NOTES, EVENT)
    stores.resources.replace(NOTES, EVENT)
    stores.resources.set_suspended(NOTES.identifier, True, EVENT)
    scene.refresh(scene.first_token())  # three events: approved, redeemed, refreshed
    stores.users.rehash(scene.user_id, "$argon2id$", "hash", EVENT)
    stores.sessions.open(b"digest", scene.user_id, 60, "", EVENT)
    stores.sessions.end(b"digest", EVENT)
    stores.sessions.end_all(scene.user_id, EVENT)
    stores.access_tokens.revoke("jti", 1, EVENT)
    stores.clients.update(scene.client, EVENT)
    stores.clients.set_suspended(scene.client.client_id, False, EVENT)
    stores.grants.revoke_all(Whose(user_id=scene.user_id), EVENT)
    stores.users.set_disabled(scene.user_id, True, EVENT)
    stores.clients.delete(scene.client.client_id, EVENT)
    stores.resources.remove(NOTES.identifier, EVENT)
    assert len(stores.audit.page(AuditFilter(), None, 1000).lines) == before + 17


def test_the_overview_counts_what_lives(scene: Scene):
    scene.stores.resources.add(NOTES, EVENT)
    scene.approve()
    assert overview(scene.stores.database) == Overview(grants=1, clients=1, users=1, resources=1)
    scene.stores.users.set_disabled(scene.user_id, True, EVENT)
    assert overview(scene.stores.database) == Overview(grants=0, clients=1, users=0, resources=1)
