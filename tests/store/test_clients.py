"""Clients, in the database and in the cache of each process."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import update

from authserver.protocol import credential
from authserver.protocol.client import AuthMethod, Client, ClientKind
from authserver.store.database import connect
from authserver.store.models import GrantRow
from authserver.store.stores import Stores

from .scene import EVENT, Scene, a_client, let_pass


@pytest.fixture
def client(stores: Stores) -> Client:
    client = a_client(
        kind=ClientKind.PREREGISTERED,
        auth_method=AuthMethod.SECRET_BASIC,
        secret_digest=credential.digest("secret"),
        registration_digest=credential.digest("registration"),
        metadata={"client_uri": "https://client.example", "contacts": ["a@client.example"]},
    )
    stores.clients.register(client, EVENT)
    return client


@pytest.fixture
def other_node(url: str):
    database = connect(Flask("other"), url)
    yield Stores.over(database)
    database.close()


@pytest.mark.requirement("CR-1", "CR-5")
def test_a_client_comes_back_as_it_was_registered(stores: Stores, client: Client):
    assert stores.clients.find(client.client_id) == client
    assert stores.clients.find_fresh(client.client_id) == client


@pytest.mark.requirement("CR-15")
def test_a_deleted_client_is_unknown_but_known_to_have_been(stores: Stores, client: Client):
    assert stores.clients.find(client.client_id)
    assert stores.clients.delete(client.client_id, EVENT) is True
    assert stores.clients.find(client.client_id) is None
    assert stores.clients.find_fresh(client.client_id) is None
    assert stores.clients.tombstoned(client.client_id) is True
    assert stores.clients.tombstoned("never registered") is False
    assert stores.clients.delete(client.client_id, EVENT) is False
    assert stores.clients.update(client, EVENT) is False
    assert stores.clients.set_suspended(client.client_id, True, EVENT) is False


@pytest.mark.requirement("CR-4")
def test_an_update_is_seen_at_once_and_leaves_what_is_not_the_clients_own(stores: Stores, client: Client):
    stores.clients.find(client.client_id)
    changed = a_client(client_id=client.client_id, kind=ClientKind.DYNAMIC, name="New name", created_at=1)
    assert stores.clients.update(changed, EVENT) is True
    found = stores.clients.find(client.client_id)
    assert found is not None
    assert (found.name, found.secret_digest, found.metadata) == ("New name", None, {})
    assert (found.kind, found.created_at) == (client.kind, client.created_at)


@pytest.mark.requirement("CR-4")
def test_of_two_updates_with_one_registration_token_the_second_finds_it_rotated(stores: Stores, client: Client):
    presented = credential.digest("registration")
    first = a_client(client_id=client.client_id, name="First", registration_digest=credential.digest("next"))
    second = a_client(client_id=client.client_id, name="Second")
    assert stores.clients.update(first, EVENT, registration=presented) is True
    assert stores.clients.update(second, EVENT, registration=presented) is False
    found = stores.clients.find(client.client_id)
    assert found is not None
    assert found.name == "First"


@pytest.mark.requirement("CR-4", "CR-12")
def test_an_update_that_saw_the_secret_before_a_rotation_changes_nothing(stores: Stores, client: Client):
    assert stores.clients.rotate_secret(client.client_id, credential.digest("another"), 60, EVENT) is True
    late = a_client(client_id=client.client_id, name="Late", secret_digest=client.secret_digest)
    assert stores.clients.update(late, EVENT, secret=client.secret_digest) is False
    found = stores.clients.find(client.client_id)
    assert found is not None
    assert (found.name, found.secret_digest) == (client.name, credential.digest("another"))
    assert found.previous_secret_digest == client.secret_digest
    stores.clients.delete(client.client_id, EVENT)
    assert stores.clients.rotate_secret(client.client_id, b"d" * 32, 0, EVENT) is False
    assert stores.clients.set_ceiling(client.client_id, "https://notes.example/mcp", ("x",), EVENT) is False


@pytest.mark.requirement("CR-12")
def test_what_a_client_no_longer_is_is_neither_replaced_nor_deleted(stores: Stores, client: Client):
    assert stores.clients.set_ceiling(client.client_id, "https://notes.example/mcp", ("x",), EVENT) is True
    assert stores.clients.update(replace(client, name="Late"), EVENT, before=client) is False
    assert stores.clients.delete(client.client_id, EVENT, before=client) is False
    current = stores.clients.find_fresh(client.client_id)
    assert current is not None
    assert (current.name, current.ceilings) == (client.name, {"https://notes.example/mcp": ("x",)})
    assert stores.clients.set_suspended(client.client_id, True, EVENT) is True
    renamed = replace(current, name="In time")
    assert stores.clients.update(renamed, EVENT, before=current) is True, "whether it may act is not replaced"
    assert stores.clients.delete(client.client_id, EVENT, before=renamed) is True
    assert stores.clients.update(current, EVENT, before=renamed) is False


@pytest.mark.requirement("EX-1")
def test_a_ceiling_is_set_for_one_resource_and_the_others_stay(stores: Stores, client: Client):
    for resource, scopes in (
        ("https://a.example", ("x", "y")),
        ("https://b.example", ("z",)),
        ("https://a.example", ()),
    ):
        assert stores.clients.set_ceiling(client.client_id, resource, scopes, EVENT) is True
    found = stores.clients.find(client.client_id)
    assert found is not None
    assert found.ceilings == {"https://b.example": ("z",)}


def test_a_suspended_client_is_found_as_suspended_until_it_may_again(stores: Stores, client: Client):
    for suspended in (True, False):
        stores.clients.set_suspended(client.client_id, suspended, EVENT)
        found = stores.clients.find(client.client_id)
        assert found is not None
        assert found.suspended is suspended


def test_a_client_registered_on_one_node_is_known_on_the_others_at_once(stores: Stores, other_node: Stores):
    client = a_client()
    assert other_node.clients.find(client.client_id) is None
    stores.clients.register(client, EVENT)
    assert other_node.clients.find(client.client_id) == client


def test_a_change_on_another_node_is_seen_when_the_epoch_is_read_again(stores: Stores, other_node: Stores, client):
    assert stores.clients.find(client.client_id)
    other_node.clients.delete(client.client_id, EVENT)
    assert stores.epoch.current(max_age=0) == other_node.epoch.current()
    assert stores.clients.find(client.client_id) is None


def test_a_registration_empties_no_cache(stores: Stores):
    before = stores.epoch.current(max_age=0)
    stores.clients.register(a_client(), EVENT)
    assert stores.epoch.current(max_age=0) == before


def test_a_client_that_is_known_is_not_read_again(stores: Stores, client: Client):
    first = stores.clients.find(client.client_id)
    assert stores.clients.find(client.client_id) is first


def test_the_list_counts_live_grants_and_leaves_deleted_clients_out(scene: Scene):
    stores = scene.stores
    scene.approve()
    scene.approve()
    deleted = a_client(created_at=scene.client.created_at + 2)
    stores.clients.register(deleted, EVENT)
    stores.clients.delete(deleted.client_id, EVENT)
    stores.clients.register(a_client(name="Newer", created_at=scene.client.created_at + 1), EVENT)
    assert [(line.client.name, line.live_grants) for line in stores.clients.page("", None, 10)] == [
        ("Newer", 0),
        ("Editor", 1),
    ]


def test_the_list_is_searched_by_name_and_id_and_goes_on_page_by_page(stores: Stores):
    clients = [a_client(name=f"App {number}") for number in range(5)]
    for client in clients:
        stores.clients.register(client, EVENT)
    first = stores.clients.page("app", None, 3)
    second = stores.clients.page("app", first.after, 3)
    assert (len(first.lines), len(second.lines)) == (3, 2)
    assert {line.client.client_id for line in (*first, *second)} == {client.client_id for client in clients}
    assert second.after is None
    assert [line.client for line in stores.clients.page(clients[2].client_id, None, 3)] == [clients[2]]


def test_deleting_a_client_ends_its_grants(scene: Scene):
    scene.approve()
    scene.stores.clients.delete(scene.client.client_id, EVENT)
    assert scene.stores.grants.for_user(scene.user_id) == ()


def test_the_last_use_is_kept_true_to_the_hour(scene: Scene):
    def last_use() -> int | None:
        return scene.stores.clients.page("", None, 1).lines[0].last_used_at

    scene.approve()
    let_pass(scene.stores.database, 3000)
    earlier = last_use()
    scene.approve()
    assert last_use() == earlier
    let_pass(scene.stores.database, 700)
    scene.approve()
    assert (last_use() or 0) > (earlier or 0)


@pytest.mark.requirement("CR-15")
def test_whoever_gets_the_id_of_a_deleted_client_gets_none_of_its_grants(stores: Stores, scene: Scene):
    scene.first_token()
    stores.clients.delete(scene.client.client_id, EVENT)
    with stores.database.transaction() as connection:  # as a decision at the very instant would leave it
        connection.execute(update(GrantRow).values(revoked_at=None))
    assert stores.clients.preregister(scene.client, EVENT)
    assert not [grant for grant in stores.grants.page("", None, 10) if grant.revoked_at is None]
