"""The table of roles."""

import pytest

from authserver.protocol.role import READING, Permission, Role, opening


def test_owners_and_admins_may_do_all_and_members_nothing():
    assert all(Role.OWNER.may(one) and Role.ADMIN.may(one) for one in Permission)
    assert not any(Role.MEMBER.may(one) for one in Permission)


def test_an_auditor_reads_everything_and_changes_nothing():
    assert {one for one in Permission if Role.AUDITOR.may(one)} == READING
    assert Permission.KEYS_READ in READING
    assert Permission.KEYS_ROTATE not in READING


def test_support_ends_a_grant_or_a_session_and_changes_nothing_else():
    changes = {one for one in Permission if Role.SUPPORT.may(one)} - READING
    assert changes == {Permission.GRANTS_REVOKE, Permission.SESSIONS_END}


@pytest.mark.parametrize("role", list(Role))
def test_only_owners_stand_over_owners_and_admins(role: Role):
    above = {other for other in Role if other.stands_over(role)}
    assert above == ({Role.OWNER} if role in {Role.OWNER, Role.ADMIN} else set(Role))


def test_it_is_told_which_roles_open_what():
    assert opening(Permission.AUDIT_READ) == (Role.OWNER, Role.ADMIN, Role.AUDITOR)
