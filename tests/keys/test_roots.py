"""One root secret per deployment: made once, kept under a key-encryption key that can be another one tomorrow."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from flask import Flask

from authserver.keys import roots
from authserver.keys.command import CommandKey
from authserver.keys.roots import RootSecrets
from authserver.keys.rotation import Rotation
from authserver.keys.sealing import OneRoot, SealError, Vault
from authserver.keys.wrapping import KeyEncryptionKey, LocalKey
from authserver.protocol.audit import Event
from authserver.store import migrate
from authserver.store.database import Database, connect
from authserver.store.stores import Stores

OLD, NEW = (LocalKey(os.urandom(32)) for _ in range(2))
EVENT = Event("test.prepared", "system")


@dataclass
class Process:
    """One process over the database, with the key-encryption keys that its settings name."""

    stores: Stores
    roots: RootSecrets
    vault: Vault

    @classmethod
    def knowing(cls, database: Database, *keks: KeyEncryptionKey, max_age: float = 0) -> "Process":
        stores = Stores.over(database)
        roots = RootSecrets(stores.roots, stores.keys, keks, lambda: stores.epoch.current(max_age))
        return cls(stores, roots, Vault(roots))

    def rotation(self) -> Rotation:
        return Rotation(self.stores.keys, self.vault, "ES256", token_lifetime=600, lead=0)


@dataclass
class Token:
    """A key that somebody else holds, and that takes its time: `asked` and, when it may, `answering`."""

    key: LocalKey
    asked: threading.Event = field(default_factory=threading.Event)
    answering: threading.Event = field(default_factory=threading.Event)
    is_down: bool = False

    @property
    def name(self) -> str:
        return self.key.name

    def wrap(self, secret: bytes) -> bytes:
        return self.key.wrap(secret)

    def unwrap(self, wrapped: bytes) -> bytes:
        self.asked.set()
        assert self.answering.wait(20)
        if self.is_down:
            raise SealError("the token does not answer")
        return self.key.unwrap(wrapped)


@pytest.fixture
def token() -> Token:
    found = Token(OLD)
    found.answering.set()
    return found


@pytest.fixture
def database(fresh_database_url: str) -> Iterator[Database]:
    migrate.upgrade(fresh_database_url)
    found = connect(Flask("here"), fresh_database_url)
    yield found
    found.close()


@pytest.mark.requirement("TK-12")
def test_all_that_a_deployment_has_sealed_and_derived_of_its_key_stays_valid(database):
    before = Vault(OneRoot(OLD.secret))
    Rotation(Stores.over(database).keys, before, "ES256", token_lifetime=600, lead=0).ensure()
    after = Process.knowing(database, NEW, OLD)
    assert after.vault.derive("cookies") == before.derive("cookies")
    assert after.vault.open(before.seal(b"secret", "x"), "x") == b"secret"
    assert before.open(after.vault.seal(b"secret", "x"), "x") == b"secret"
    assert [root.kek for root in after.stores.roots.all()] == [NEW.name]
    key = after.stores.keys.all()[0]
    assert after.vault.open(key.sealed_private, key.kid)


@pytest.mark.requirement("TK-12")
def test_of_a_new_deployment_the_key_alone_gives_nothing(database):
    made = Process.knowing(database, OLD)
    assert made.vault.derive("cookies") != Vault(OneRoot(OLD.secret)).derive("cookies")
    (kept,) = made.stores.roots.all()
    assert made.roots()[0] not in kept.wrapped


@pytest.mark.requirement("TK-12")
def test_processes_that_begin_at_once_have_one_root_secret(database):
    found: list[bytes] = []
    begin = threading.Barrier(4)

    def run() -> None:
        process = Process.knowing(database, OLD)
        begin.wait()
        found.append(process.vault.derive("cookies"))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


@pytest.mark.requirement("TK-12")
def test_the_key_is_replaced_node_by_node_and_each_reads_what_each_seals(database):
    still, already = Process.knowing(database, OLD), Process.knowing(database, NEW, OLD)
    sealed = still.vault.seal(b"secret", "x")
    assert already.vault.open(sealed, "x") == b"secret"
    assert already.roots.rewrap(EVENT) == 1
    for process in (still, already, Process.knowing(database, NEW)):
        assert process.vault.open(sealed, "x") == b"secret"
        assert process.vault.derive("cookies") == still.vault.derive("cookies")
    assert Process.knowing(database, NEW, OLD).roots.rewrap(EVENT) == 1  # again does no harm
    with pytest.raises(SealError, match=f"'{NEW.name}'; known here: '{OLD.name}'"):
        Process.knowing(database, OLD).vault.derive("cookies")


def test_a_key_that_did_not_seal_the_signing_keys_is_told_before_anything_is_changed(database):
    Rotation(Stores.over(database).keys, Vault(OneRoot(OLD.secret)), "ES256", token_lifetime=600, lead=0).ensure()
    wrong = Process.knowing(database, NEW)
    with pytest.raises(SealError, match="AUTHSERVER_KEY_ENCRYPTION_KEY"):
        wrong.vault.derive("cookies")
    assert wrong.stores.roots.all() == ()


@pytest.mark.requirement("TK-12")
def test_after_a_leak_a_new_root_secret_seals_and_derives_and_the_former_still_opens(database):
    here, there = Process.knowing(database, OLD), Process.knowing(database, OLD)
    here.rotation().ensure()
    leaked = here.roots()[0]
    sealed, derived, numbers = (
        here.vault.seal(b"old", "x"), here.vault.derive("access tokens"), here.vault.derive_for_life("status lists"),
    )  # fmt: skip
    assert here.roots.renew(EVENT) == 2
    for process in (here, there):
        assert process.vault.open(sealed, "x") == b"old"
        assert process.vault.derive("access tokens") != derived
        assert process.vault.derive_for_life("status lists") == numbers
    assert here.vault.derive("access tokens") == there.vault.derive("access tokens")
    with pytest.raises(SealError):
        Vault(OneRoot(leaked)).open(here.vault.seal(b"new", "x"), "x")
    count = len(here.stores.keys.all())
    assert there.rotation().reseal() == count
    assert here.rotation().reseal() == 0
    for key in here.stores.keys.all():
        assert here.vault.open(key.sealed_private, key.kid)
        with pytest.raises(SealError):
            Vault(OneRoot(leaked)).open(key.sealed_private, key.kid)


@pytest.mark.requirement("TK-12")
def test_what_is_sealed_under_a_root_secret_of_this_moment_opens_on_a_node_that_has_not_noticed(database):
    here, there = Process.knowing(database, OLD), Process.knowing(database, OLD, max_age=3600)
    there.vault.derive("cookies")
    here.roots.renew(EVENT)
    assert there.vault.open(here.vault.seal(b"new", "x"), "x") == b"new"


@pytest.mark.requirement("TK-12")
def test_while_one_opens_a_new_root_secret_others_go_on_and_nothing_is_sealed_under_the_former(database, token):
    here, there = Process.knowing(database, OLD), Process.knowing(database, token)
    before = there.vault.derive("cookies")
    token.answering.clear()
    token.asked.clear()
    here.roots.renew(EVENT)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(there.vault.derive, "cookies")
        assert token.asked.wait(20)
        assert there.vault.derive("cookies") == before
        sealing = pool.submit(there.vault.seal, b"secret", "x")
        assert there.vault.derive("cookies") == before
        assert not first.done()
        token.answering.set()
        assert first.result() == here.vault.derive("cookies") == there.vault.derive("cookies")
        assert here.vault.is_newest(sealing.result(), "x")


@pytest.mark.requirement("TK-12")
def test_a_root_secret_that_may_have_leaked_serves_nobody_while_the_new_one_cannot_be_opened(
    database, token, monkeypatch
):
    monkeypatch.setattr(roots, "AGAIN_SECONDS", 0)
    here, there = Process.knowing(database, OLD), Process.knowing(database, token)
    there.vault.derive("cookies")
    here.roots.renew(EVENT)
    token.is_down = True
    with pytest.raises(SealError, match="does not answer"):
        there.vault.derive("cookies")
    token.answering.clear()
    token.asked.clear()
    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(there.vault.derive, "cookies")]
        assert token.asked.wait(20)
        tries.append(pool.submit(there.vault.derive, "cookies"))
        token.answering.set()
        for each in tries:
            with pytest.raises(SealError, match="does not answer"):
                each.result()
    token.is_down = False
    assert there.vault.derive("cookies") == here.vault.derive("cookies")


@pytest.mark.requirement("TK-12")
def test_what_could_not_be_opened_is_not_asked_for_by_each_request(database, token, monkeypatch):
    """It can take a token long to fail, and all others wait for who asked."""
    here, there = Process.knowing(database, OLD), Process.knowing(database, token)
    there.vault.derive("cookies")
    here.roots.renew(EVENT)
    asked: list[bytes] = []

    def fail(_: Token, wrapped: bytes) -> bytes:
        asked.append(wrapped)
        raise SealError("the token does not answer")

    monkeypatch.setattr(Token, "unwrap", fail)
    for _ in range(5):
        with pytest.raises(SealError, match="does not answer"):
            there.vault.derive("cookies")
    assert len(asked) == 1
    assert not there.roots.are_open


@pytest.mark.requirement("TK-12")
def test_nothing_is_sealed_under_a_root_secret_before_the_newest_by_who_has_not_noticed_it(database):
    here, there = Process.knowing(database, OLD), Process.knowing(database, OLD, max_age=3600)
    for process in (here, there):
        process.vault.derive("cookies")
    here.roots.renew(EVENT)
    assert here.vault.is_newest(there.vault.seal(b"new", "x"), "x")


@pytest.mark.requirement("TK-12")
def test_a_root_secret_that_is_made_while_all_are_wrapped_is_wrapped_too(database, monkeypatch):
    here, there = Process.knowing(database, NEW, OLD), Process.knowing(database, OLD)
    there.vault.derive("cookies")
    opened = RootSecrets.__call__

    def late(roots: RootSecrets, *, again: bool = False) -> tuple[bytes, ...]:
        found = opened(roots, again=again)
        if again and len(found) == 1:
            there.roots._add(2, os.urandom(32), EVENT)
        return found

    monkeypatch.setattr(RootSecrets, "__call__", late)
    assert here.roots.rewrap(EVENT) == 2
    assert {root.kek for root in here.stores.roots.all()} == {NEW.name}


@pytest.mark.parametrize("holder", [LocalKey(b"k" * 32), OneRoot(b"k" * 32), CommandKey(("/kms", "kkkk"))])
def test_what_is_secret_of_a_key_is_in_no_representation_of_it(holder):
    assert "kkkk" not in repr(holder)
