"""What clients said of themselves before: kept from the first change on, without secrets and not without end."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from authserver.protocol import credential
from authserver.protocol.audit import Event
from authserver.services.client_history import Difference, revisions
from authserver.store.client_versions import MOST_KEPT
from authserver.store.stores import Stores

from .scene import EVENT, a_client

CHANGE = Event("client.updated", "client:it")


def renamed(stores: Stores, client, name: str) -> None:
    assert stores.clients.update(replace(client, name=name), CHANGE)


def test_a_client_that_never_changed_has_no_versions(stores: Stores):
    client = a_client()
    stores.clients.register(client, EVENT)
    assert stores.client_versions.of(client.client_id) == ()
    assert stores.clients.update(replace(client, registration_digest=credential.digest("another")), CHANGE)
    assert stores.client_versions.of(client.client_id) == (), "a credential is nothing that it says of itself"


def test_the_first_change_keeps_what_was_before_it(stores: Stores):
    client = a_client(name="First", metadata={"client_uri": "https://one.example"})
    stores.clients.register(client, EVENT)
    changed = replace(client, name="Second", redirect_uris=("https://two.example/cb",), metadata={"contacts": ["a"]})
    assert stores.clients.update(changed, CHANGE)
    second, first = stores.client_versions.of(client.client_id)
    assert (first.number, first.at, first.event, first.says["name"]) == (1, client.created_at, "", "First")
    assert (second.number, second.event, second.actor) == (2, "client.updated", "client:it")
    (revision,) = revisions((second, first))
    assert set(revision.differences) == {
        Difference("name", ("First",), ("Second",)),
        Difference("redirect_uris", client.redirect_uris, ("https://two.example/cb",)),
        Difference("client_uri", ("https://one.example",), ()),
        Difference("contacts", (), ("a",)),
    }


def test_what_is_merely_in_another_order_is_told_as_that(stores: Stores):
    client = a_client(redirect_uris=("https://a.example/", "https://b.example/"))
    stores.clients.register(client, EVENT)
    stores.clients.update(replace(client, redirect_uris=client.redirect_uris[::-1]), CHANGE)
    (revision,) = revisions(stores.client_versions.of(client.client_id))
    assert revision.differences == (Difference("redirect_uris", (), ()),)


def test_no_version_has_a_secret_or_the_bytes_of_a_key(stores: Stores):
    key = {"kty": "EC", "crv": "P-256", "x": "public-x", "y": "public-y", "kid": "k"}
    client = a_client(secret_digest=credential.digest("mcps_x"), jwks={"keys": [key]})
    stores.clients.register(client, EVENT)
    stores.clients.update(replace(client, jwks={"keys": [{**key, "x": "other"}]}), CHANGE)
    versions = stores.client_versions.of(client.client_id)
    assert len(versions) == 2
    assert "public-x" not in str(versions)
    assert credential.digest("mcps_x").hex() not in str(versions)


def test_a_client_that_changes_without_end_fills_no_table(stores: Stores):
    client = a_client()
    stores.clients.register(client, EVENT)
    for number in range(MOST_KEPT + 5):
        renamed(stores, client, f"Name {number}")
    versions = stores.client_versions.of(client.client_id)
    assert len(versions) == MOST_KEPT
    assert versions[0].says["name"] == f"Name {MOST_KEPT + 4}"
    assert versions[-1].says["name"] == "Name 5"


def test_changes_at_the_same_time_come_one_by_one(stores: Stores):
    client = a_client()
    stores.clients.register(client, EVENT)
    with ThreadPoolExecutor(4) as nodes:
        list(nodes.map(lambda number: renamed(stores, client, f"Name {number}"), range(8)))
    versions = stores.client_versions.of(client.client_id)
    assert [version.number for version in versions] == list(range(9, 0, -1))


def test_whoever_gets_the_id_of_a_deleted_client_has_no_history(stores: Stores):
    client = a_client()
    stores.clients.preregister(client, EVENT)
    renamed(stores, client, "Changed")
    stores.clients.delete(client.client_id, EVENT)
    assert stores.clients.preregister(client, EVENT)
    assert stores.client_versions.of(client.client_id) == ()


def test_an_unused_client_goes_with_its_versions(stores: Stores):
    client = a_client()
    stores.clients.register(client, EVENT)
    renamed(stores, client, "Changed")
    assert stores.registrations.delete_unused(2**40, 10, EVENT) == 1
    assert stores.client_versions.of(client.client_id) == ()
