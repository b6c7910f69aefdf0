"""Initial access tokens and shared registrations, under concurrency."""

import pytest

from authserver.protocol import credential
from authserver.store.stores import Stores

from .crowd import Crowd
from .scene import EVENT, Scene, a_client, let_pass

USES = 7
TICKET = credential.digest("ticket")


def register(scene: Scene, ticket: str, number: int) -> str | None:
    return scene.stores.clients.register(a_client(), EVENT, ticket=credential.digest(ticket))


def share(scene: Scene, fingerprint: str, number: int) -> str | None:
    return scene.stores.clients.register(a_client(), EVENT, fingerprint=credential.digest(fingerprint))


@pytest.mark.requirement("CR-2")
def test_parallel_registrations_never_exceed_a_tokens_count(scene: Scene, url: str, crowd: Crowd):
    scene.stores.initial_access_tokens.add(TICKET, "CI", USES, None, EVENT)
    results = crowd.all_do(register, url, scene, "ticket")
    made = [found for found in results if found]
    assert len(made) == len(set(made)) == USES
    assert all(scene.stores.clients.find_fresh(client_id) for client_id in made)
    (token,) = scene.stores.initial_access_tokens.all()
    assert (token.uses_left, token.is_good) == (0, False)


@pytest.mark.requirement("CR-2")
def test_parallel_identical_registrations_make_one_client(scene: Scene, url: str, crowd: Crowd):
    results = crowd.all_do(share, url, scene, "fingerprint")
    assert len(set(results)) == 1
    assert None not in results


@pytest.mark.requirement("CR-2")
def test_a_registration_that_fails_in_the_database_costs_no_use(stores: Stores):
    stores.initial_access_tokens.add(TICKET, "CI", 1, None, EVENT)
    client = a_client()
    stores.clients.register(client, EVENT)
    with pytest.raises(Exception, match=r"(?i)unique"):
        stores.clients.register(client, EVENT, ticket=TICKET)
    assert [token.uses_left for token in stores.initial_access_tokens.all()] == [1]


@pytest.mark.requirement("CR-2")
def test_an_expired_token_admits_nobody(stores: Stores):
    stores.initial_access_tokens.add(TICKET, "CI", None, 100, EVENT)
    assert stores.clients.register(a_client(), EVENT, ticket=TICKET)
    let_pass(stores.database, 101)
    assert stores.clients.register(a_client(), EVENT, ticket=TICKET) is None
    found = stores.initial_access_tokens.find(TICKET)
    assert found is not None
    assert (found.expired, found.is_good) == (True, False)


@pytest.mark.requirement("CR-2", "TK-6")
def test_a_token_nobody_made_admits_nobody(stores: Stores):
    assert stores.clients.register(a_client(), EVENT, ticket=credential.digest("guessed")) is None
    assert stores.initial_access_tokens.find(credential.digest("guessed")) is None


@pytest.mark.requirement("CR-15")
def test_whoever_comes_after_a_deleted_shared_client_makes_another(stores: Stores):
    first = stores.clients.register(a_client(), EVENT, fingerprint=TICKET)
    assert first
    stores.clients.delete(first, EVENT)
    assert stores.clients.register(a_client(), EVENT, fingerprint=TICKET) not in {None, first}


@pytest.mark.requirement("CR-3")
def test_whoever_shares_a_client_renews_it(stores: Stores):
    first = stores.clients.register(a_client(created_at=1000), EVENT, fingerprint=TICKET)
    assert stores.clients.register(a_client(created_at=2000), EVENT, fingerprint=TICKET) == first
    assert first
    found = stores.clients.find_fresh(first)
    assert found
    assert found.created_at == 2000
