"""Grants as somebody looks for them: by person, client, server and scope, and by what hangs on them."""

from typing import Any

import pytest

from authserver.protocol import credential
from authserver.store import grant_search
from authserver.store.grant_search import GrantFilter
from authserver.store.stores import Stores

from .scene import EVENT, RESOURCE, Scene, refresh_token


def approved(scene: Scene, *scopes: str, device: str) -> str:
    approval = scene.approval(*scopes, device_digest=credential.digest(device))
    code = scene.new_code(credential.mint(credential.Prefix.CODE))
    found = scene.stores.grants.approve(approval, code, EVENT)
    assert found is not None
    return found


def ids(stores: Stores, **wanted: Any) -> list[str]:
    return [line.id for line in stores.grant_search.page(GrantFilter(**wanted), None, 50)]


def test_grants_are_found_by_person_client_server_and_state(scene: Scene):
    stores = scene.stores
    first, second = (approved(scene, "notes:read", device=device) for device in "ab")
    stores.grants.revoke(first, EVENT)
    for wanted in ({"user_id": scene.user_id}, {"client_id": scene.client.client_id}, {"resource": RESOURCE}, {}):
        assert set(ids(stores, **wanted)) == {first, second}
        assert ids(stores, live=True, **wanted) == [second]
    for nobody in ({"user_id": "x"}, {"client_id": ""}, {"resource": "x"}):
        assert ids(stores, **nobody) == []


def test_a_scope_is_looked_for_by_its_whole_name(scene: Scene):
    readers = {approved(scene, "notes:read", device=device) for device in "abc"}
    writer = approved(scene, "notes:write", device="d")
    assert ids(scene.stores, scope="notes:write") == [writer]
    assert set(ids(scene.stores, scope="notes:read")) == readers
    assert ids(scene.stores, scope="notes:") == []


def test_a_page_looks_for_a_scope_in_so_many_grants_and_says_where_to_go_on(scene: Scene, monkeypatch):
    monkeypatch.setattr(grant_search, "LOOKED_AT", 3)
    all_of_them = [approved(scene, "notes:read", device=str(number)) for number in range(7)]
    rare = approved(scene, "notes:write", device="rare")
    seen: list[str] = []
    after, pages = None, 0
    while pages == 0 or after:
        page = scene.stores.grant_search.page(GrantFilter(scope="notes:write"), after, 2)
        seen, after, pages = [*seen, *(line.id for line in page)], page.after, pages + 1
    assert seen == [rare]
    assert pages == 3, "8 grants, looked at by threes"
    read: list[str] = []
    after = None
    while after or not read:
        page = scene.stores.grant_search.page(GrantFilter(scope="notes:read"), after, 2)
        read, after = [*read, *(line.id for line in page)], page.after
    assert sorted(read) == sorted(all_of_them)
    assert len(read) == len(set(read))


def test_the_families_of_a_grant_tell_when_they_began_and_were_used_last(scene: Scene):
    code = scene.approve()
    token = refresh_token(scene.redeem(code))
    grant_id = scene.stores.grant_search.of_code(credential.digest(code))
    (family,) = scene.stores.grant_search.families(grant_id)
    assert (family.grant_id, family.client_id, family.resource) == (grant_id, scene.client.client_id, RESOURCE)
    assert family.last_used_at >= family.created_at
    assert family.revoked_at is None
    assert scene.stores.grant_search.family(token.rpartition(".")[2]) == family
    scene.stores.refresh_tokens.revoke_family(family.id, EVENT)
    assert scene.stores.grant_search.family(family.id).revoked_at is not None


@pytest.mark.parametrize("unknown", ["", "x", "\0", "a" * 5000])
def test_what_is_not_there_is_not_found(stores: Stores, unknown: str):
    assert stores.grant_search.family(unknown) is None
    assert stores.grant_search.families(unknown) == ()
    assert stores.grant_search.of_code(credential.digest(unknown)) is None
    assert not stores.grant_search.revoked_alone(unknown)
