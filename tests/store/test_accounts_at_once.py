"""Invitations and links that many follow at one instant: one of them has what it opens, and nobody half of it."""

from collections import Counter

import pytest
from sqlalchemy import func, select, update

from authserver.protocol import credential
from authserver.protocol.role import Role
from authserver.store.account_links import Purpose
from authserver.store.invitations import invitation
from authserver.store.letters import blank
from authserver.store.models import AccountLinkRow, InvitationRow, LetterRow, SessionRow, UserRow
from authserver.store.sessions import Staying
from authserver.store.stores import Stores
from authserver.store.users import EmailTaken, UserExists

from .crowd import SIZE, Crowd
from .scene import EVENT, Scene

SECRET = credential.digest("a secret")
ADDRESS = "bo@example.com"


def invite(stores: Stores, name: str = "bo", digest: bytes = SECRET) -> None:
    made = invitation(name, "Bo", Role.MEMBER, ADDRESS, mailed=True)
    stores.invitations.add(made, digest, 600, blank(ADDRESS), EVENT)


def count(stores: Stores, row: type) -> int:
    with stores.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(row)) or 0


def accept(scene: Scene, name: str, number: int) -> str:
    user = scene.stores.invitations.accept(SECRET, f"hash {number}", EVENT)
    return user.username if user else "nobody"


def invite_again(scene: Scene, name: str, number: int) -> str:
    invite(scene.stores, name, credential.digest(str(number)))
    return "invited"


def add_alike(scene: Scene, name: str, number: int) -> str:
    spelt = name if number % 2 else name.replace("a", "а")  # the second one is Cyrillic
    try:
        scene.stores.users.add(spelt, "Twin", "x", Role.MEMBER, EVENT)
    except UserExists:
        return "taken"
    return "added"


def reset(scene: Scene, name: str, number: int) -> str:
    return str(scene.stores.account_links.reset_password(SECRET, f"hash {number}", None, EVENT))


def open_or_reset(scene: Scene, name: str, number: int) -> str:
    if number == SIZE // 2:
        return reset(scene, name, number)
    staying = Staying(credential.digest(f"browser {number}"), SECRET, 600)
    session, seen = credential.digest(f"session {number}"), "$argon2id$"
    opened = scene.stores.sessions.open(session, scene.user_id, 600, "", EVENT, staying=staying, seen=seen)
    return "opened" if opened else "refused"


def take_address(scene: Scene, name: str, number: int) -> str:
    stores, digest = scene.stores, credential.digest(f"link {number}")
    user = stores.users.add(f"person-{number}", "Person", "x", Role.MEMBER, EVENT)
    stores.account_links.promise(digest, Purpose.EMAIL, user.id, blank(ADDRESS), 600, EVENT)
    try:
        return str(stores.account_links.confirm_email(digest, user, None, EVENT))
    except EmailTaken:
        return "taken"


def test_an_invitation_makes_one_account(stores: Stores, crowd: Crowd, url: str, scene: Scene):
    invite(stores)
    assert Counter(crowd.all_do(accept, url, scene, "bo"))["bo"] == 1
    assert (count(stores, UserRow), count(stores, InvitationRow)) == (2, 0)


def test_of_many_invitations_of_a_name_one_is_left(stores: Stores, crowd: Crowd, url: str, scene: Scene):
    assert set(crowd.all_do(invite_again, url, scene, "bo")) == {"invited"}
    assert count(stores, InvitationRow) == 1


def test_of_names_that_look_the_same_one_is_taken(crowd: Crowd, url: str, scene: Scene):
    said = Counter(crowd.all_do(add_alike, url, scene, "ana"))
    assert said["added"] == 1
    assert set(said) == {"added", "taken"}


def test_a_link_sets_one_password_and_ends_the_sessions(stores: Stores, crowd: Crowd, url: str, scene: Scene):
    with stores.database.transaction() as connection:
        connection.execute(update(UserRow).where(UserRow.id == scene.user_id).values(email=ADDRESS))
    stores.sessions.open(credential.digest("session"), scene.user_id, 600, "192.0.2.1", EVENT)
    stores.account_links.promise(SECRET, Purpose.RESET, scene.user_id, blank(ADDRESS), 600, EVENT)
    assert Counter(crowd.all_do(reset, url, scene, ""))["True"] == 1
    assert stores.sessions.find(credential.digest("session")) is None
    assert count(stores, AccountLinkRow) == 0


def test_nothing_that_the_old_password_opens_outlives_it(stores: Stores, crowd: Crowd, url: str, scene: Scene):
    stores.account_links.promise(SECRET, Purpose.RESET, scene.user_id, None, 600, EVENT)
    said = Counter(crowd.all_do(open_or_reset, url, scene, ""))
    assert said["True"] == 1
    assert said["opened"] + said["refused"] == SIZE - 1
    assert stores.sessions.of_user(scene.user_id, 99) == ()
    assert stores.remembered.of_user(scene.user_id, 99) == ()


def test_an_address_is_one_persons(stores: Stores, crowd: Crowd, url: str, scene: Scene):
    said = Counter(crowd.all_do(take_address, url, scene, ""))
    assert said["True"] == 1
    assert set(said) == {"True", "taken"}


def test_what_fails_half_way_leaves_all_as_it_was(stores: Stores, scene: Scene):
    stores.users.add("taken", "T", "x", Role.MEMBER, EVENT, email="other@example.com", verified=True)
    invite(stores)
    with stores.database.transaction() as connection:
        connection.execute(update(UserRow).where(UserRow.username == "taken").values(email=ADDRESS))
    before = [count(stores, row) for row in (UserRow, InvitationRow, LetterRow, SessionRow)]
    with pytest.raises(ValueError, match="mail address"):
        stores.invitations.accept(SECRET, "hash", EVENT)
    assert [count(stores, row) for row in (UserRow, InvitationRow, LetterRow, SessionRow)] == before


def test_an_account_whose_name_looked_like_an_older_one_before_that_mattered_stays(stores: Stores, scene: Scene):
    with stores.database.transaction() as connection:
        connection.execute(update(UserRow).where(UserRow.id == scene.user_id).values(likeness=None))
    found = stores.users.find(scene.user_id)
    assert found is not None
    with pytest.raises(ValueError, match="already"):
        stores.users.add(found.username, "Twin", "x", Role.MEMBER, EVENT)
    assert stores.users.by_name(found.username) == found
