"""Which account an identity opens, and who gets a new one."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from authserver.accounts.errors import AccountExists, IdentityRefused, NoAccount
from authserver.accounts.identities import Identities
from authserver.accounts.letters import Letters
from authserver.keys.sealing import OneRoot, Vault
from authserver.protocol.audit import Event, Origin
from authserver.protocol.credential import digest
from authserver.protocol.role import Role
from authserver.protocol.upstream.identity import Identity
from authserver.settings.upstream import Upstream
from authserver.store.audit import AuditFilter
from authserver.store.factors import Kind, NewFactor
from authserver.store.identities import IdentityTaken
from authserver.store.models import IdentityRow, LetterRow, Row, UserRow
from authserver.store.sessions import Staying
from authserver.store.stores import Stores
from authserver.store.user import User
from authserver.store.ways_in import LastWayIn, Ways
from tests.conformance.site import Site

ISSUER = "https://idp.example"
ORIGIN = Origin("192.0.2.7", "c0ffee")
EVENT = Event("test.done", "system", ORIGIN)
WAYS = Ways([ISSUER], passkeys=True)
ADA = Identity(ISSUER, "s-ada", "ada", "Ada L.", "ada@corp.example")
ROLES = {"roles": {"admins": "admin", "desk": "support"}}
Enter = Callable[..., User]


@pytest.fixture
def stores(site_with: Callable[..., Site]) -> Stores:
    return site_with().deployment.stores


@pytest.fixture
def enter(stores: Stores) -> Enter:
    """Lets an identity in, by a provider with the changes that it is called with."""

    def by(identity: Identity, **changes: object) -> User:
        return identities(stores).enter(upstream(**changes), identity, ORIGIN)

    return by


def identities(stores: Stores) -> Identities:
    letters = Letters("https://auth.example", Vault(OneRoot(b"k" * 32)), sends_mail=True)
    return Identities(stores.identities, stores.users, stores.audit, letters)


def upstream(**changes: object) -> Upstream:
    table = {"id": "corp", "name": "Corp", "issuer": ISSUER, "client_id": "us", "create_accounts": True}
    return Upstream.model_validate({**table, "trusted_domains": ["corp.example"], **changes})


def change(stores: Stores, name: str, **columns: object) -> None:
    with stores.database.transaction() as connection:
        connection.execute(update(UserRow).where(UserRow.username == name).values(**columns))


def count(stores: Stores, table: type[Row]) -> int:
    with stores.database.reading() as connection:
        return len(connection.execute(select(*table.__table__.columns)).all())


def test_an_identity_opens_the_same_account_whatever_is_said_of_it_later(stores: Stores, enter: Enter):
    first = enter(ADA)
    again = enter(Identity(ISSUER, "s-ada", "renamed", "Renamed", "other@corp.example"))
    assert again.id == first.id
    assert [line.name for line in stores.identities.of_user(first.id)] == ["other@corp.example"]
    assert (again.username, again.email) == ("ada@corp.example", "ada@corp.example")


def test_another_subject_is_somebody_else_even_by_the_same_name(stores: Stores, enter: Enter):
    people = [enter(Identity(ISSUER, f"s-{number}", "Octo Cat", "Octo")) for number in range(5)]
    names = [person.username for person in people]
    assert names[:3] == ["octocat@corp", "octocat-2@corp", "octocat-3@corp"]
    assert len(set(names)) == 5
    assert all(name.endswith("@corp") for name in names)
    assert {person.email for person in people} == {None}
    assert enter(Identity("https://other.example", "s-0", "Octo Cat")).id not in {person.id for person in people}


@pytest.mark.parametrize("login", ["", "root\u200b", "\u0440\u043e\u043e\u0442", "a" * 200, "root@corp.example"])
def test_nobody_becomes_somebody_else_by_calling_themselves_so(stores: Stores, enter: Enter, login: str):
    made = enter(Identity(ISSUER, "s-x", login))
    assert made.username.endswith("@corp")
    assert made.username.isascii()
    assert stores.users.by_name("root").id != made.id


def test_an_address_counts_for_nothing_in_a_domain_that_is_not_trusted(stores: Stores, enter: Enter):
    change(stores, "root", email="root@other.example", email_verified_at=1)
    made = enter(Identity(ISSUER, "s-1", "root", "Root", "root@other.example"))
    assert (made.username, made.email, made.role) == ("root@corp", None, Role.MEMBER)
    made = enter(Identity(ISSUER, "s-2", "eve", "Eve", "eve@sub.corp.example"))
    assert made.email is None


def test_a_proven_address_of_a_trusted_domain_opens_its_account(stores: Stores, enter: Enter):
    change(stores, "ada", email="ada@corp.example", email_verified_at=1)
    assert enter(ADA, create_accounts=False).username == "ada"
    lines = stores.audit.page(AuditFilter(name="identity.linked"), None, 5).lines
    assert [line.event.detail for line in lines] == [{"upstream": "corp"}]


@pytest.mark.parametrize("columns", [{"email": "ada@corp.example"}, {"username": "ada@corp.example"}])
@pytest.mark.parametrize("create", [True, False])
def test_an_account_with_an_address_that_was_never_proven_is_left_alone(
    stores: Stores, enter: Enter, columns: dict[str, str], create: bool
):
    change(stores, "ada", **columns)
    with pytest.raises(AccountExists):
        enter(ADA, create_accounts=create)
    assert (count(stores, IdentityRow), count(stores, UserRow)) == (0, 2)


def test_without_leave_to_make_accounts_nobody_gets_one(stores: Stores, enter: Enter):
    with pytest.raises(NoAccount):
        enter(ADA, create_accounts=False)
    assert (count(stores, IdentityRow), count(stores, UserRow)) == (0, 2)


def test_many_tabs_of_somebody_new_make_one_account(stores: Stores, enter: Enter):
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(enter(ADA).id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (8, 1)
    assert (count(stores, IdentityRow), count(stores, UserRow)) == (1, 3)


def test_a_new_account_and_its_identity_are_there_together_or_not_at_all(stores: Stores):
    stores.identities.create("one@corp", "One", Role.MEMBER, ADA, EVENT)
    with pytest.raises(IdentityTaken):
        stores.identities.create("two@corp", "Two", Role.MEMBER, ADA, EVENT)
    assert stores.users.by_name("two@corp") is None


class TestRoles:
    def test_the_highest_role_of_the_groups_is_given(self, enter: Enter):
        assert enter(Identity(ISSUER, "s-1", groups=("desk", "admins")), **ROLES).role is Role.ADMIN
        assert enter(Identity(ISSUER, "s-1", groups=("desk",)), **ROLES).role is Role.SUPPORT
        assert enter(Identity(ISSUER, "s-1"), **ROLES).role is Role.MEMBER

    def test_without_roles_in_the_settings_a_role_is_left_as_it_is(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        stores.users.set_role(made.id, Role.AUDITOR, Role.MEMBER, EVENT)
        assert enter(ADA).role is Role.AUDITOR

    def test_an_owner_stays_one_unless_a_group_makes_owners(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        stores.users.set_role(made.id, Role.OWNER, Role.MEMBER, EVENT)
        assert enter(ADA, **ROLES).role is Role.OWNER
        assert enter(ADA, roles={"owners": "owner"}).role is Role.MEMBER

    def test_the_last_owner_stays_one_whatever_the_groups_say(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        root = stores.users.by_name("root")
        stores.users.set_role(made.id, Role.OWNER, Role.MEMBER, EVENT)
        stores.users.set_role(root.id, Role.MEMBER, Role.OWNER, EVENT)
        assert enter(ADA, roles={"owners": "owner"}).role is Role.OWNER

    def test_a_change_of_role_is_in_the_trail(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        enter(Identity(ISSUER, "s-ada", groups=("desk",)), **ROLES)
        (line,) = stores.audit.page(AuditFilter(name="user.role_changed"), None, 5).lines
        assert (line.event.actor, line.event.user_id) == ("system", made.id)
        assert line.event.detail == {"upstream": "corp", "from": "member", "to": "support"}


class TestLinking:
    def test_it_is_told_by_mail_where_the_person_reads_it(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        assert count(stores, LetterRow) == 0
        identities(stores).link(upstream(), Identity(ISSUER, "s-2"), made, ORIGIN)
        identities(stores).link(upstream(), Identity(ISSUER, "s-2"), made, ORIGIN)
        assert count(stores, LetterRow) == 1, "the second time nothing is linked"


class TestUnlinking:
    def test_the_last_way_in_stays(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        with pytest.raises(LastWayIn):
            stores.identities.unlink(made.id, ISSUER, "s-ada", WAYS, EVENT)
        identities(stores).link(upstream(), Identity(ISSUER, "s-2"), made, ORIGIN)
        assert stores.identities.unlink(made.id, ISSUER, "s-ada", WAYS, EVENT) is True
        with pytest.raises(LastWayIn):
            stores.identities.unlink(made.id, ISSUER, "s-2", WAYS, EVENT)
        assert [line.subject for line in stores.identities.of_user(made.id)] == ["s-2"]

    def test_what_is_not_used_here_any_more_is_no_way_in(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        identities(stores).link(upstream(), Identity("https://gone.example", "s-2"), made, ORIGIN)
        with pytest.raises(LastWayIn):
            stores.identities.unlink(made.id, ISSUER, "s-ada", WAYS, EVENT)
        assert stores.identities.unlink(made.id, "https://gone.example", "s-2", WAYS, EVENT) is True

    def test_a_passkey_that_counts_is_a_way_in_where_there_are_passkeys(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        stores.factors.add(made.id, NewFactor(Kind.APP, "App", b"sealed"), EVENT)
        stores.factors.begin(made.id, "begun", NewFactor(Kind.PASSKEY, "Key", b"key", credential_id=b"begun"))
        with pytest.raises(LastWayIn):
            stores.identities.unlink(made.id, ISSUER, "s-ada", WAYS, EVENT)
        stores.factors.add(made.id, NewFactor(Kind.PASSKEY, "Key", b"key", credential_id=b"added"), EVENT)
        with pytest.raises(LastWayIn):
            stores.identities.unlink(made.id, ISSUER, "s-ada", replace(WAYS, passkeys=False), EVENT)
        assert stores.identities.unlink(made.id, ISSUER, "s-ada", WAYS, EVENT) is True
        app, passkey = sorted(stores.factors.of_user(made.id), key=lambda each: each.kind, reverse=True)
        with pytest.raises(LastWayIn):
            stores.factors.remove(made.id, passkey.id, WAYS, EVENT)
        assert len(stores.factors.of_user(made.id)) == 2, "nothing is done"
        assert stores.factors.remove(made.id, app.id, WAYS, EVENT) is True

    def test_an_identity_and_a_passkey_that_are_taken_at_once_leave_one(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        stores.factors.add(made.id, NewFactor(Kind.PASSKEY, "Key", b"key", credential_id=b"added"), EVENT)
        (passkey,) = stores.factors.of_user(made.id)
        verbs = (
            lambda: stores.identities.unlink(made.id, ISSUER, "s-ada", WAYS, EVENT),
            lambda: stores.factors.remove(made.id, passkey.id, WAYS, EVENT),
        )

        def take(verb: Callable[[], bool]) -> None:
            with suppress(LastWayIn):
                verb()

        threads = [threading.Thread(target=take, args=(verb,)) for verb in verbs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(stores.identities.of_user(made.id)) + len(stores.factors.of_user(made.id)) == 1

    def test_no_browser_stays_signed_in_after_it(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        identities(stores).link(upstream(), Identity(ISSUER, "s-2"), made, ORIGIN)
        stays = Staying(digest("browser"), digest("secret"), 600)
        stores.sessions.open(digest("session"), made.id, 600, "", EVENT, staying=stays)
        assert stores.identities.unlink(made.id, ISSUER, "s-2", WAYS, EVENT) is True
        assert stores.remembered.of_user(made.id, 9) == ()
        assert stores.sessions.find(digest("session")), "sessions are for their person to end"

    def test_two_at_once_leave_one(self, stores: Stores, enter: Enter):
        made = enter(ADA)
        identities(stores).link(upstream(), Identity(ISSUER, "s-2"), made, ORIGIN)

        def unlink(subject: str) -> None:
            with suppress(LastWayIn):
                stores.identities.unlink(made.id, ISSUER, subject, WAYS, EVENT)

        threads = [threading.Thread(target=unlink, args=(subject,)) for subject in ("s-ada", "s-2")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(stores.identities.of_user(made.id)) == 1

    def test_nobody_unlinks_anothers(self, stores: Stores, enter: Enter):
        enter(ADA)
        root = stores.users.by_name("root")
        assert stores.identities.unlink(root.id, ISSUER, "s-ada", WAYS, EVENT) is False
        assert count(stores, IdentityRow) == 1


def test_a_linked_identity_is_not_linked_to_somebody_else(stores: Stores, enter: Enter):
    made, root = enter(ADA), stores.users.by_name("root")
    with pytest.raises(IdentityRefused):
        identities(stores).link(upstream(), ADA, root, ORIGIN)
    identities(stores).link(upstream(), ADA, made, ORIGIN)
    assert stores.identities.find(ISSUER, "s-ada").id == made.id
