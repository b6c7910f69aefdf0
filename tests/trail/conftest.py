"""A trail of a database of its own, with keys that seal it."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from authserver.keys.keyring import Keyring
from authserver.keys.rotation import Rotation
from authserver.keys.sealing import OneRoot, Vault
from authserver.protocol.audit import Event, Origin
from authserver.protocol.audit_seal import START
from authserver.services.trail.sealer import Sealer
from authserver.services.trail.targets import Target
from authserver.services.trail.verification import Finding, Kind, Noted, Verification
from authserver.store import migrate
from authserver.store.alerts import Alert
from authserver.store.database import Database, connect
from authserver.store.stores import Stores
from tests.database import Databases
from tests.sealing import wait_until_finished
from tests.tampering import unguarded

KEK = os.urandom(32)
EVERYTHING = -1  # days that retention keeps: what is older than tomorrow goes
ORIGIN = Origin("192.0.2.7", "c0ffee")


@dataclass
class Trail:
    """What one process has to do with the trail."""

    url: str
    database: Database
    stores: Stores
    keyring: Keyring
    alerts: list[Alert] = field(default_factory=list)

    @classmethod
    def at(cls, url: str) -> "Trail":
        database = connect(Flask("trail"), url)
        stores = Stores.over(database)
        return cls(
            url, database, stores, Keyring(stores.keys, Vault(OneRoot(KEK)), lambda: stores.epoch.current(max_age=0))
        )

    def rotation(self) -> Rotation:
        return Rotation(self.stores.keys, Vault(OneRoot(KEK)), "ES256", token_lifetime=600, lead=0)

    def sealer(self, days: int = 0, targets: tuple[Target, ...] = ()) -> Sealer:
        return Sealer(self.stores.seals, self.stores.streams, self.keyring, self.alerts.extend, days, targets)

    def write(self, *names: str) -> None:
        for name in names:
            self.stores.audit.write(Event(name, "system", ORIGIN, detail={"note": name}))

    def write_large(self, name: str, size: int) -> None:
        """An event with so many bytes of detail."""
        self.stores.audit.write(Event(name, "system", ORIGIN, detail={"note": "x" * size}))

    def seal(self, *names: str) -> None:
        """One batch of events with these names."""
        self.write(*names)
        wait_until_finished(self.database)
        self.sealer().seal()

    def names(self) -> list[str]:
        """The names of what is sealed."""
        head = self.stores.seals.head()
        return [each.event.name for each in self.stores.trail.events(START, head.last)] if head else []

    def tamper(self, *statements: str) -> None:
        """What the owner of the database can do."""
        with self.database.transaction() as connection, unguarded(connection):
            for statement in statements:
                connection.execute(text(statement))

    def walk(self, noted: Noted | None = None) -> Verification:
        return Verification(self.stores.seals, self.stores.trail, self.stores.streams, self.keyring, noted)

    def wrong(self, noted: Noted | None = None) -> list[tuple[Kind, int]]:
        found: list[Finding] = list(self.walk(noted).findings())
        return [(finding.kind, finding.seal) for finding in found]


@pytest.fixture(scope="session")
def prepared(databases: Databases) -> Iterator[str]:
    """A database with keys, and their two or more events under the first seal; nobody is connected to it."""
    url = databases.create()
    migrate.upgrade(url)
    trail = Trail.at(url)
    trail.rotation().ensure()
    trail.seal()
    trail.database.close()
    yield url
    databases.drop(url)


@pytest.fixture
def trail(databases: Databases, prepared: str) -> Iterator[Trail]:
    url = databases.create(prepared)
    made = Trail.at(url)
    yield made
    made.database.close()
    databases.drop(url)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """The path of a Unix socket has about 100 bytes."""
    with tempfile.TemporaryDirectory(prefix="log-") as folder:
        yield Path(folder, "log")


@pytest.fixture
def sealed(trail: Trail) -> Trail:
    """Seal 1 covers the keys, then one batch of three events, then two of one."""
    trail.seal(*"abc")
    trail.seal("d")
    trail.seal("e")
    assert trail.wrong() == []
    return trail
