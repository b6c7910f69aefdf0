"""Whoever allows again what they have allowed already: one code more, and nothing else (AZ-9)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from authserver.protocol import credential
from authserver.protocol.authorization_code import CodeSpent
from authserver.protocol.grant_term import GrantOver
from authserver.protocol.tool_permission import Permission, Permissions
from authserver.protocol.way import Way
from authserver.services.mass_revocation import revoke_all
from authserver.store.approval import CLIENT_USE_SECONDS, Approval
from authserver.store.audit import record
from authserver.store.grants import Whose
from authserver.store.models import AuditRow, ClientRow, CodeRow, ConsentRow, GrantRow
from authserver.store.standing import Place

from .crowd import SIZE, Crowd
from .scene import EVENT, HOST, RESOURCE, Scene, let_pass
from .test_plans import noted

NOW = {"updated_at", "decided_at"}
TOOLS: Permissions = {"list_notes": Permission("seen", (Way(),)), "write_note": Permission("seen", ())}


def rows(scene: Scene, table: type[GrantRow] | type[ConsentRow]) -> list[dict[str, object]]:
    """All of *table*, but for the moments at which somebody decided."""
    statement = select(table.__table__)
    with scene.stores.database.reading() as connection:
        found = [dict(row) for row in connection.execute(statement).mappings()]
    return [{name: value for name, value in row.items() if name not in NOW} for row in found]


def allow(scene: Scene, approval: Approval, code: str) -> str | None:
    return scene.stores.grants.approve(approval, scene.new_code(code, scopes=approval.approved), EVENT)


def once_more(scene: Scene, grant_id: str | None, **changes: object) -> Approval:
    """The decision of somebody who was shown that grant, and changes nothing of it but *changes*."""
    return replace(scene.approval("notes:read", "notes:write"), **{"kept": grant_id, **changes})  # type: ignore[arg-type]


def count(scene: Scene, table: type[CodeRow] | type[AuditRow]) -> int:
    with scene.stores.database.reading() as connection:
        return len(connection.execute(select(table)).all())


@pytest.fixture
def grant_id(scene: Scene) -> str | None:
    return allow(scene, scene.approval("notes:read", "notes:write"), "first")


@pytest.mark.requirement("AZ-9")
def test_a_code_is_all_that_it_comes_to(scene: Scene, grant_id: str) -> None:
    before = rows(scene, GrantRow), rows(scene, ConsentRow), count(scene, CodeRow), count(scene, AuditRow)
    assert allow(scene, once_more(scene, grant_id), "again") == grant_id
    assert (rows(scene, GrantRow), rows(scene, ConsentRow)) == before[:2]
    assert (count(scene, CodeRow), count(scene, AuditRow)) == (before[2] + 1, before[3] + 1)
    assert set(scene.redeem("again").authority.scopes) == {"notes:read", "notes:write"}


@pytest.mark.requirement("AZ-9")
def test_decisions_about_tools_stay_as_they_are(scene: Scene) -> None:
    first = allow(scene, replace(scene.approval("notes:read"), permissions=TOOLS), "first")
    before = rows(scene, GrantRow), rows(scene, ConsentRow)
    assert (
        allow(scene, replace(scene.approval("notes:read"), kept=first, permissions=TOOLS, unasked=TOOLS), "again")
        == first
    )
    assert (rows(scene, GrantRow), rows(scene, ConsentRow)) == before
    narrower = {**TOOLS, "list_notes": Permission("seen", ())}
    allow(scene, replace(scene.approval("notes:read"), kept=first, permissions=narrower, unasked=TOOLS), "narrower")
    assert rows(scene, GrantRow)[0]["tools"] != before[0][0]["tools"]
    # Who saw what was before does not bring it back by what they did not touch.
    allow(scene, replace(scene.approval("notes:read"), kept=first, permissions={}, unasked=TOOLS), "late")
    assert rows(scene, GrantRow)[0]["tools"] != before[0][0]["tools"]


@pytest.mark.requirement("AZ-9")
@pytest.mark.parametrize(
    "changes",
    [{"approved": ("notes:read", "notes:delete")}, {"client_name": "Another"}, {"client_identity": b"another"}],
)
def test_what_is_new_is_written_down(scene: Scene, grant_id: str, changes: dict[str, object]) -> None:
    before = rows(scene, ConsentRow)
    assert allow(scene, once_more(scene, grant_id, **changes), "again") == grant_id
    assert rows(scene, ConsentRow) != before


@pytest.mark.requirement("AZ-9")
def test_what_was_forgotten_is_remembered_again(scene: Scene, grant_id: str) -> None:
    with scene.stores.database.transaction() as connection:
        connection.execute(update(ConsentRow).values(scopes=()))
    allow(scene, once_more(scene, grant_id), "again")
    assert set(rows(scene, ConsentRow)[0]["scopes"]) == {"notes:read", "notes:write"}  # type: ignore[call-overload]


@pytest.mark.requirement("AZ-7")
def test_the_same_code_is_the_same_decision(scene: Scene, grant_id: str) -> None:
    allow(scene, once_more(scene, grant_id), "again")
    before = count(scene, AuditRow)
    assert allow(scene, once_more(scene, grant_id), "again") == grant_id
    assert count(scene, AuditRow) == before
    scene.redeem("again")
    with pytest.raises(CodeSpent):
        allow(scene, once_more(scene, grant_id), "again")


def test_a_client_that_may_not_act_gets_nothing(scene: Scene, grant_id: str) -> None:
    with scene.stores.database.transaction() as connection:
        connection.execute(update(ClientRow).values(suspended_at=1))
    assert allow(scene, once_more(scene, grant_id), "again") is None
    assert count(scene, CodeRow) == 1


def test_the_client_was_used(scene: Scene, grant_id: str) -> None:
    used = select(ClientRow.last_used_at).where(ClientRow.client_id == scene.client.client_id)
    with scene.stores.database.transaction() as connection:
        connection.execute(update(ClientRow).values(last_used_at=1))
    allow(scene, once_more(scene, grant_id), "again")
    with scene.stores.database.reading() as connection:
        assert connection.execute(used).scalar_one() > 1


def allow_kept_while_it_ends(scene: Scene, grant_id: str, number: int) -> str | None:
    """One ends the grant; the others allow again what they were shown, and are asked anew once it has ended."""
    if number == SIZE // 2:
        scene.stores.grants.revoke_all(Whose(user_id=scene.user_id), EVENT)
        return None
    code = credential.mint(credential.Prefix.CODE)
    try:
        allow(scene, once_more(scene, grant_id), code)
    except GrantOver:
        return None
    return code


@pytest.mark.requirement("TK-10")
def test_no_code_of_a_grant_that_ended_meanwhile_gives_tokens(
    crowd: Crowd, url: str, scene: Scene, grant_id: str
) -> None:
    answers = crowd.all_do(allow_kept_while_it_ends, url, scene, grant_id)
    with scene.stores.database.reading() as connection:
        live = connection.execute(select(CodeRow.digest).where(CodeRow.redeemed_at.is_(None))).all()
    assert {type(one) for one in answers} <= {str, type(None)}, answers
    assert live == []


@pytest.mark.requirement("AZ-9")
def test_what_nobody_is_asked_about_has_to_stand_still(scene: Scene, grant_id: str) -> None:
    elsewhere = {"device_digest": credential.digest("another device"), "silent": True}
    assert allow(scene, scene.approval("notes:read", "notes:write", **elsewhere), "there") not in (None, grant_id)
    scene.stores.grants.withdraw(str(grant_id), ("notes:write",), EVENT)
    before = rows(scene, GrantRow), rows(scene, ConsentRow), count(scene, CodeRow), count(scene, AuditRow)
    third = {"device_digest": credential.digest("a third device"), "silent": True}
    for silent in (
        once_more(scene, grant_id, silent=True),
        scene.approval("notes:read", "notes:write", **third),
    ):
        with pytest.raises(GrantOver):
            allow(scene, silent, "again")
    assert (rows(scene, GrantRow), rows(scene, ConsentRow)) == before[:2]
    assert (count(scene, CodeRow), count(scene, AuditRow)) == before[2:]
    assert allow(scene, scene.approval("notes:read", **third), "less") is not None
    assert allow(scene, once_more(scene, grant_id), "asked") == grant_id, "who was asked may allow it again"


@pytest.mark.requirement("AZ-9")
def test_the_grant_alone_is_enough_where_nobody_is_asked(scene: Scene, grant_id: str) -> None:
    with scene.stores.database.transaction() as connection:
        connection.execute(update(ConsentRow).values(scopes=()))
    before = rows(scene, GrantRow), rows(scene, ConsentRow)
    with noted(scene.stores.database) as statements:
        assert allow(scene, once_more(scene, grant_id, silent=True), "again") == grant_id
    assert (rows(scene, GrantRow), rows(scene, ConsentRow)) == before
    if scene.stores.database.dialect == "postgresql":
        assert len(statements) == 1


@pytest.mark.requirement("AZ-9", "TK-10")
def test_what_is_just_allowed_by_what_ends_ends_with_it(scene: Scene, grant_id: str, monkeypatch) -> None:
    """Another device is led back unasked, at the instant in which the person ends all that they have allowed."""
    elsewhere = scene.approval("notes:read", device_digest=credential.digest("another device"), silent=True)
    writing, ended, audited = threading.Event(), threading.Event(), record

    def slowly(connection, event):
        if event.name == EVENT.name:
            writing.set()
            ended.wait(1)  # for the other to come as far as it can
        audited(connection, event)

    monkeypatch.setattr("authserver.store.grants.record", slowly)
    with ThreadPoolExecutor(1) as threads:
        allowing = threads.submit(allow, scene, elsewhere, "there")
        assert writing.wait(10)
        revoke_all(scene.stores.grants, Whose(user_id=scene.user_id), EVENT.about(name="grants.revoked"), 10)
        ended.set()
        assert allowing.result(10) not in (None, grant_id)
    assert scene.stores.grants.for_user(scene.user_id) == ()


@pytest.mark.requirement("AZ-9")
def test_a_tool_that_was_taken_back_is_not_allowed_again_unasked(scene: Scene) -> None:
    asked = replace(scene.approval("notes:read", "notes:write"), permissions=TOOLS)
    first = allow(scene, asked, "first")
    there = replace(asked, device_digest=credential.digest("another device"), silent=True)
    kept = replace(asked, kept=first, unasked=TOOLS, silent=True)
    assert allow(scene, there, "there") is not None, "all of it stands"
    scene.stores.grants.withdraw(str(first), (), EVENT, ("list_notes",))
    before = rows(scene, GrantRow), rows(scene, ConsentRow), count(scene, CodeRow)
    for silent in (kept, replace(there, device_digest=credential.digest("a third device"))):
        with pytest.raises(GrantOver):
            allow(scene, silent, "again")
    assert (rows(scene, GrantRow), rows(scene, ConsentRow), count(scene, CodeRow)) == before


@pytest.mark.requirement("AZ-9", "AZ-14")
def test_what_nobody_is_asked_about_gives_no_other_device_back_what_was_taken_from_it(
    scene: Scene, grant_id: str
) -> None:
    elsewhere = credential.digest("another device")
    other = allow(scene, scene.approval("notes:read", "notes:write", device_digest=elsewhere), "there")
    scene.stores.grants.withdraw(str(other), ("notes:write",), EVENT)
    assert allow(scene, once_more(scene, grant_id, silent=True), "here") == grant_id, "here it stands"
    standing = scene.stores.grants.standing(scene.user_id, Place(scene.client.client_id, HOST, RESOURCE, elsewhere))
    assert standing.granted == {"notes:read"}
    assert standing.consented == {"notes:read"}
    with pytest.raises(GrantOver):
        allow(scene, scene.approval("notes:read", "notes:write", device_digest=elsewhere, silent=True), "back")


@pytest.mark.requirement("AZ-9")
def test_nobody_waits_for_whoever_notes_that_the_client_is_used(scene: Scene, grant_id: str | None) -> None:
    """Who has a grant and waits for its client, and who has the client and waits for the grant, would be stuck."""
    database = scene.stores.database
    if database.dialect != "postgresql":
        pytest.skip("on SQLite no two write at the same time")
    client_id = scene.client.client_id
    let_pass(database, 2 * CLIENT_USE_SECONDS)
    before = scene.stores.clients.last_used(client_id)
    with database.transaction() as connection, ThreadPoolExecutor(1) as one:
        connection.execute(
            select(ClientRow.name).where(ClientRow.client_id == client_id).with_for_update(key_share=True)
        )
        assert one.submit(allow, scene, once_more(scene, grant_id), "again").result(5) == grant_id
        assert one.submit(allow, scene, scene.approval("notes:read"), "loud").result(5) == grant_id
    assert scene.stores.clients.last_used(client_id) == before
    assert allow(scene, once_more(scene, grant_id, approved=("notes:read",)), "later") == grant_id
    assert scene.stores.clients.last_used(client_id) > before
