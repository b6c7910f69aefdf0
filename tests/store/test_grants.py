"""Grants: what adds up, what is remembered, and what ends."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from authserver.protocol import credential
from authserver.protocol.access_token import TokenId
from authserver.protocol.errors import InvalidGrant
from authserver.store.ending import end_some_grants
from authserver.store.grants import GrantListing, Whose
from authserver.store.models import AuditRow
from authserver.store.standing import Place, Standing

from .scene import EVENT, HOST, NOTES, RESOURCE, Scene, a_client, let_pass
from .test_forgetting import somebody_waits

PHONE = credential.digest("another device")


def standing(scene: Scene, **changes: object) -> Standing:
    at = {"device_digest": scene.device, "redirect_host": HOST, "resource": RESOURCE, **changes}
    return scene.stores.grants.standing(scene.user_id, Place(scene.client.client_id, **at))  # type: ignore[arg-type]


def allow(scene: Scene, *scopes: str, **changes: object) -> str:
    approval = scene.approval(*scopes, **changes)
    code = scene.new_code(credential.mint(credential.Prefix.CODE))
    return scene.stores.grants.approve(approval, code, EVENT)


def own(scene: Scene) -> tuple[GrantListing, ...]:
    return scene.stores.grants.for_user(scene.user_id)


def test_nothing_stands_before_the_first_decision(scene: Scene):
    assert standing(scene) == Standing(
        None, frozenset(), frozenset(), seen_before=False, client_name=None, client_identity=None
    )


@pytest.mark.requirement("AZ-14")
def test_a_new_authorization_on_the_same_device_widens_the_grant(scene: Scene):
    first = allow(scene, "notes:read")
    assert allow(scene, "notes:write") == first
    assert standing(scene).granted == {"notes:read", "notes:write"}
    assert [grant.scopes for grant in own(scene)] == [("notes:read", "notes:write")]


@pytest.mark.requirement("AZ-14")
def test_a_new_authorization_ends_no_family_that_there_was(scene: Scene):
    token = scene.first_token()
    scene.redeem(scene.approve())
    assert scene.refresh(token)


@pytest.mark.requirement("AZ-14")
@pytest.mark.parametrize(
    "elsewhere",
    [{"device_digest": PHONE}, {"redirect_host": "localhost"}, {"resource": "https://other.example/mcp"}],
)
def test_another_device_redirect_host_or_resource_is_another_grant(scene: Scene, elsewhere):
    here, there = allow(scene, "notes:read"), allow(scene, "notes:write", **elsewhere)
    assert here != there
    assert standing(scene).granted == {"notes:read"}
    assert standing(scene, **elsewhere).granted == {"notes:write"}


@pytest.mark.requirement("AZ-9")
def test_consent_is_remembered_across_devices_but_not_across_hosts_or_resources(scene: Scene):
    allow(scene, "notes:read")
    on_phone = standing(scene, device_digest=PHONE)
    assert on_phone.granted == frozenset()
    assert on_phone.consented == {"notes:read"}
    assert on_phone.seen_before
    assert standing(scene, redirect_host="localhost").consented == frozenset()
    assert standing(scene, resource="https://other.example/mcp").consented == frozenset()


@pytest.mark.requirement("AZ-8", "AZ-9")
def test_a_scope_that_was_unticked_leaves_grant_and_consent(scene: Scene):
    allow(scene, "notes:read", "notes:write", "notes:delete")
    allow(scene, "notes:read", withdrawn=("notes:write", "notes:delete"))
    assert standing(scene).granted == {"notes:read"}
    assert standing(scene).consented == {"notes:read"}


def test_a_revoked_grant_ends_with_tokens_and_consent_and_keeps_its_row(scene: Scene):
    outcome = scene.redeem(scene.approve())
    [grant] = own(scene)

    assert scene.stores.grants.revoke(grant.id, EVENT) is True

    name, identity = scene.client.name, scene.client.identity
    assert standing(scene) == Standing(None, frozenset(), frozenset(), True, name, identity)
    assert own(scene) == ()
    assert scene.stores.access_tokens.authority(TokenId.new(outcome.authority.family_id)) is None
    [listed] = scene.stores.grants.page("", None, 10)
    assert listed.revoked_at is not None
    assert scene.stores.grants.revoke(grant.id, EVENT) is False


@pytest.mark.requirement("AZ-14")
def test_revoking_on_one_device_leaves_the_other_devices_grant(scene: Scene):
    here, there = allow(scene, "notes:read"), allow(scene, "notes:read", device_digest=PHONE)
    scene.stores.grants.revoke(here, EVENT)
    assert [grant.id for grant in own(scene)] == [there]


def test_after_a_revocation_a_new_decision_makes_a_new_grant_without_the_old_scopes(scene: Scene):
    old = allow(scene, "notes:read", "notes:write")
    scene.stores.grants.revoke(old, EVENT)
    assert allow(scene, "notes:read") != old
    assert standing(scene).granted == {"notes:read"}


def test_all_grants_of_a_person_or_to_a_client_end_together(scene: Scene):
    other = a_client(name="Other")
    scene.stores.clients.register(other, EVENT)
    allow(scene, "notes:read")
    allow(scene, "notes:read", device_digest=PHONE)
    allow(scene, "notes:read", client_id=other.client_id)

    assert scene.stores.grants.revoke_all(Whose(client_id=scene.client.client_id), EVENT) == 2
    assert [grant.client_id for grant in own(scene)] == [other.client_id]
    assert scene.stores.grants.revoke_all(Whose(user_id=scene.user_id), EVENT) == 1
    assert own(scene) == ()
    assert standing(scene).consented == frozenset()


def test_a_grant_is_listed_with_the_names_that_people_know_and_its_last_use(scene: Scene):
    began = time.monotonic()
    token = scene.first_token()
    [grant] = own(scene)
    assert (grant.username, grant.display_name, grant.client_name) == ("alice", "Alice A.", "Editor")
    assert grant.last_used_at is not None
    assert 0 <= grant.last_used_at - grant.created_at <= time.monotonic() - began + 1

    let_pass(scene.stores.database, 100)
    scene.refresh(token)
    [grant] = own(scene)
    assert grant.last_used_at is not None
    assert 100 <= grant.last_used_at - grant.created_at <= 100 + time.monotonic() - began + 1


def test_a_grant_that_nobody_used_has_no_last_use(scene: Scene):
    allow(scene, "notes:read")
    assert own(scene)[0].last_used_at is None


def test_the_list_is_searched_by_person_client_and_resource(scene: Scene):
    scene.stores.resources.add(NOTES, EVENT)
    allow(scene, "notes:read")
    for part in ("ALI", "ce a.", "edit", "i", "notes.example", scene.client.client_id):
        assert len(scene.stores.grants.page(part, None, 10).lines) == 1
    for other in ("bob bob", "%", "lic_", "ediit", "z", scene.client.client_id[1:]):
        assert scene.stores.grants.page(other, None, 10).lines == ()


def test_the_grants_of_a_deleted_client_are_found_by_its_id(scene: Scene):
    allow(scene, "notes:read")
    scene.stores.clients.delete(scene.client.client_id, EVENT)
    assert len(scene.stores.grants.page(scene.client.client_id, None, 10).lines) == 1
    assert len(scene.stores.grants.of_client(scene.client.client_id, 10).lines) == 1
    assert scene.stores.grants.page("edit", None, 10).lines == ()


def test_the_list_goes_on_page_by_page_with_the_newest_first(scene: Scene):
    made = []
    for number in range(5):
        made.append(allow(scene, "notes:read", device_digest=credential.digest(str(number))))
        let_pass(scene.stores.database, 1)
    seen: list[str] = []
    after = None
    for size in (2, 2, 1):
        page = scene.stores.grants.page("", after, 2)
        assert len(page.lines) == size
        seen += [grant.id for grant in page]
        after = page.after
    assert after is None
    assert seen == made[::-1]


def test_a_decision_and_its_end_are_audited(scene: Scene):
    grant_id = allow(scene, "notes:read")
    scene.stores.grants.revoke(grant_id, EVENT.about(name="grant.revoked"))
    with scene.stores.database.reading() as connection:
        revoked = connection.execute(select(AuditRow).where(AuditRow.name == "grant.revoked")).one()
    assert (revoked.grant_id, revoked.user_id, revoked.resource) == (grant_id, scene.user_id, RESOURCE)


def test_a_decision_notes_that_its_client_was_used(scene: Scene):
    [listed] = scene.stores.clients.page("", None, 10)
    assert listed.last_used_at is None
    allow(scene, "notes:read")
    [listed] = scene.stores.clients.page("", None, 10)
    assert listed.last_used_at is not None
    assert listed.live_grants == 1


def test_a_decision_that_cannot_be_written_whole_leaves_nothing(scene: Scene):
    allow(scene, "notes:read")
    with pytest.raises(Exception, match=r"(?i)null"):
        scene.stores.grants.approve(scene.approval("notes:write"), scene.new_code("a code", challenge=None), EVENT)
    assert standing(scene).granted == {"notes:read"}


def test_a_code_of_a_revoked_grant_is_not_revived_by_a_new_grant(scene: Scene):
    code = scene.approve()
    scene.stores.grants.revoke(own(scene)[0].id, EVENT)
    scene.approve()
    with pytest.raises(InvalidGrant):
        scene.redeem(code)


def test_of_two_who_end_all_at_once_each_goes_on_until_none_is_left(scene: Scene):
    database = scene.stores.database
    if database.dialect != "postgresql":
        pytest.skip("on SQLite one ends after the other")
    everything = Whose(user_id=scene.user_id)
    for number in range(3):
        allow(scene, "notes:read", device_digest=bytes([number]) * 32)
    with ThreadPoolExecutor(1) as one:
        with database.transaction() as connection:
            assert end_some_grants(connection, everything.live, 2) == 2
            other = one.submit(scene.stores.grants.revoke_all, everything, EVENT, limit=2)
            while not somebody_waits(database):
                assert not other.done()
        assert other.result(60) == 1
    assert scene.stores.grants.count_live(everything, 9) == 0
