"""A process that dies between any two statements leaves no half of an account, a link or a session behind."""

import os
import signal
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from authserver.accounts.identities import Identities
from authserver.accounts.letters import Letters
from authserver.keys.sealing import OneRoot, Vault
from authserver.protocol import credential
from authserver.protocol.role import Role
from authserver.protocol.upstream.identity import Identity
from authserver.settings.upstream import Upstream
from authserver.store.account_links import Purpose
from authserver.store.database import Database, connect
from authserver.store.invitations import invitation
from authserver.store.letters import blank
from authserver.store.models import (
    AccountLinkRow,
    IdentityRow,
    InvitationRow,
    RememberedRow,
    SessionRow,
    UserRow,
)
from authserver.store.sessions import Staying
from authserver.store.stores import Stores
from tests.forked import PROCESSES

from .conftest import empty
from .scene import EVENT

SECRET, ADDRESS, MOST = credential.digest("a secret"), "ann@corp.example", 60
ANN = Identity("https://idp.example", "s-ann", "ann", "Ann", ADDRESS)
CORP = Upstream.model_validate(
    {
        "id": "corp",
        "name": "Corp",
        "issuer": ANN.issuer,
        "client_id": "us",
        "create_accounts": True,
        "trusted_domains": ["corp.example"],
    }
)
ROWS = (UserRow, IdentityRow, InvitationRow, AccountLinkRow, SessionRow, RememberedRow)
Deed = Callable[[Stores], object]

LETTERS = Letters("https://auth.example", Vault(OneRoot(b"k" * 32)), sends_mail=False)


def come_from_a_provider(stores: Stores) -> None:
    Identities(stores.identities, stores.users, stores.audit, LETTERS).enter(CORP, ANN, EVENT.origin)


def link_a_provider(stores: Stores) -> None:
    ann = stores.users.by_name("ann")
    assert ann
    Identities(stores.identities, stores.users, stores.audit, LETTERS).link(CORP, ANN, ann, EVENT.origin)


def accept_an_invitation(stores: Stores) -> None:
    assert stores.invitations.accept(SECRET, "hash", EVENT) or stores.users.by_name("bo")


def set_a_new_password(stores: Stores) -> None:
    stores.account_links.reset_password(SECRET, "another hash", None, EVENT)


def sign_in_to_stay(stores: Stores) -> None:
    ann = stores.users.by_name("ann")
    assert ann
    stays = Staying(credential.digest("browser"), SECRET, 600)
    stores.sessions.open(SECRET, ann.id, 600, "192.0.2.1", EVENT, staying=stays)


DEEDS = (come_from_a_provider, link_a_provider, accept_an_invitation, set_a_new_password, sign_in_to_stay)


def prepare(stores: Stores, deed: Deed) -> None:
    """What is there before: Ann, unless it makes her, an invitation of Bo, and a link for a new password of Ann."""
    stores.invitations.add(
        invitation("bo", "Bo", Role.MEMBER, "bo@corp.example", mailed=True), SECRET, 600, None, EVENT
    )
    if deed is not come_from_a_provider:
        ann = stores.users.add("ann", "Ann", "hash", Role.MEMBER, EVENT, email=ADDRESS, verified=True)
        stores.account_links.promise(SECRET, Purpose.RESET, ann.id, blank(ADDRESS), 600, EVENT)


def state(database: Database) -> tuple[int, ...]:
    """How many rows there are of each kind, and the passwords."""
    with database.reading() as connection:
        counts = tuple(connection.scalar(select(func.count()).select_from(row)) or 0 for row in ROWS)
        changed = UserRow.password_hash == "another hash"
        return (*counts, connection.scalar(select(func.count()).where(changed)) or 0)


def live(url: str, deed: Deed, number: int) -> None:
    """Do it in this process, and die after so many statements."""
    database, done = connect(Flask("killed"), url), [0]

    def count(connection: object, cursor: object, statement: str, *others: object) -> None:
        done[0] += 1
        if done[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.engine, "after_cursor_execute", count)
    deed(Stores.over(database))
    os._exit(0)


def died(url: str, deed: Deed, number: int) -> bool:
    """Whether a process that did it died before its end."""
    process = PROCESSES.Process(target=live, args=(url, deed, number))
    process.start()
    process.join(60)
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


@pytest.mark.parametrize("deed", DEEDS)
def test_it_is_done_or_not_done_wherever_the_process_dies_and_can_be_done_again(
    stores: Stores, database: Database, url: str, deed: Deed
):
    prepare(stores, deed)
    before = state(database)
    deed(stores)
    after = state(database)
    assert after != before
    for number in range(1, MOST):
        empty(database)
        prepare(stores, deed)
        alive = not died(url, deed, number)
        assert state(database) in {before, after}, f"after {number} statements"
        if alive:
            break
        if state(database) == before:
            deed(stores)
        assert state(database) == after
    else:
        pytest.fail("it never came to an end")
