"""Roles of people: given over what was seen, and never so that no owner is left."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from authserver.protocol.role import Role
from authserver.store import migrate
from authserver.store.audit import AuditFilter
from authserver.store.engine import create
from authserver.store.stores import Stores
from authserver.store.user import User
from authserver.store.users import LastOwner

from .scene import EVENT


def person(stores: Stores, name: str, role: Role) -> User:
    return stores.users.add(name, name.title(), "a hash", role, EVENT)


def role_of(stores: Stores, user: User) -> Role:
    found = stores.users.find(user.id)
    assert found is not None
    return found.role


def test_a_role_is_given_over_the_one_that_was_seen(stores: Stores):
    bob = person(stores, "bob", Role.MEMBER)
    assert stores.users.set_role(bob.id, Role.SUPPORT, Role.MEMBER, EVENT)
    assert not stores.users.set_role(bob.id, Role.AUDITOR, Role.MEMBER, EVENT), "somebody else was faster"
    assert role_of(stores, bob) is Role.SUPPORT
    assert not stores.users.set_role("nobody", Role.AUDITOR, Role.MEMBER, EVENT)
    first, *_ = stores.audit.page(AuditFilter(user_id=bob.id), None, 9)
    assert first.event.detail == {"from": "member", "to": "support"}


def test_the_last_owner_keeps_the_role_and_is_not_disabled(stores: Stores):
    ann, ben = person(stores, "ann", Role.OWNER), person(stores, "ben", Role.OWNER)
    assert stores.users.set_disabled(ben.id, True, EVENT)
    with pytest.raises(LastOwner):
        stores.users.set_role(ann.id, Role.ADMIN, Role.OWNER, EVENT)
    with pytest.raises(LastOwner):
        stores.users.set_disabled(ann.id, True, EVENT)
    assert role_of(stores, ann) is Role.OWNER
    assert stores.users.set_role(ben.id, Role.MEMBER, Role.OWNER, EVENT), "who is locked out does not count"
    assert stores.users.set_role(ben.id, Role.OWNER, Role.MEMBER, EVENT)
    assert stores.users.set_disabled(ben.id, False, EVENT)
    assert stores.users.set_role(ann.id, Role.ADMIN, Role.OWNER, EVENT)


def test_of_owners_who_end_each_others_ownership_at_once_one_is_left(stores: Stores):
    owners = [person(stores, f"owner-{number}", Role.OWNER) for number in range(6)]

    def end(number: int) -> bool:
        one = owners[number % 6]
        try:
            if number % 2:
                return stores.users.set_disabled(one.id, True, EVENT)
            return stores.users.set_role(one.id, Role.MEMBER, Role.OWNER, EVENT)
        except LastOwner:
            return False

    with ThreadPoolExecutor(6) as crowd:
        assert sum(crowd.map(end, range(6))) == 5
    left = [one for one in map(stores.users.find, [one.id for one in owners]) if one and not one.disabled]
    assert [one.role for one in left if one.role is Role.OWNER] == [Role.OWNER]


def test_whoever_was_an_administrator_is_an_owner_now(fresh_database_url: str):
    migrate.upgrade(fresh_database_url, "0006")
    engine = create(fresh_database_url)
    insert = (
        "INSERT INTO users (id, username, display_name, password_hash, role, created_at) "
        "VALUES (:name, :name, 'N', 'x', :role, 1)"
    )
    with engine.begin() as connection:
        for name, role in (("root", "admin"), ("ada", "user")):
            connection.execute(text(insert), {"name": name, "role": role})
    migrate.upgrade(fresh_database_url)
    with engine.begin() as connection:
        assert dict(connection.execute(text("SELECT id, role FROM users")).all()) == {"root": "owner", "ada": "member"}
        connection.execute(text(insert), {"name": "sam", "role": "support"})
    migrate.downgrade(fresh_database_url, "0006")
    with engine.begin() as connection:
        found = {row.id: row.role for row in connection.execute(text("SELECT id, role FROM users"))}
    engine.dispose()
    assert found == {"root": "admin", "ada": "user", "sam": "user"}, "support had no console"
