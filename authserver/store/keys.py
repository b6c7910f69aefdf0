"""Signing keys: implements `keys.ports.KeyStore`."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Update, and_, func, insert, or_, select, update

from ..keys.ports import NewKey, Purpose
from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .epoch import ConfigEpoch, bump
from .failures import repeatable
from .models import SigningKeyRow


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key pair at rest, its private part encrypted; times in Unix seconds, None for what is not decided yet."""

    kid: str
    alg: str
    purpose: str
    public_jwk: dict[str, Any]
    sealed_private: bytes
    created_at: int
    signs_from: int | None
    signs_until: int | None
    published_until: int | None
    withdrawn_at: int | None = None


class _Moved(Exception):
    """Somebody else has changed these keys meanwhile."""


class KeyStore:
    """Key pairs; every change is seen by all nodes within a second."""

    def __init__(self, database: Database, epoch: ConfigEpoch) -> None:
        """*epoch* tells the keyrings of other processes of a change."""
        self._database = database
        self._epoch = epoch

    @repeatable
    def clock(self) -> int:
        """The database's time (Unix seconds)."""
        with self._database.reading() as connection:
            return connection.execute(select(now)).scalar_one()

    @repeatable
    def all(self) -> tuple[StoredKey, ...]:
        """All key pairs, oldest first."""
        columns = [getattr(SigningKeyRow, name) for name in StoredKey.__slots__]
        oldest_first = select(*columns).order_by(SigningKeyRow.created_at, SigningKeyRow.kid)
        with self._database.reading() as connection:
            return tuple(StoredKey(*row) for row in connection.execute(oldest_first))

    def add(self, new: NewKey, event: Event) -> None:
        """Save a key pair, published from now on."""
        with self._database.transaction() as connection:
            _keep(connection, new, event)
        self._epoch.forget()

    def fill(self, new: NewKey, event: Event) -> bool:
        """The same where none for the same signs already, or is a standby as *new* would be; else False."""
        alike = (SigningKeyRow.alg == new.alg, SigningKeyRow.purpose == new.purpose)
        standby = SigningKeyRow.signs_from.is_(None) == (new.signs_from is None)
        there = select(SigningKeyRow.kid).where(*alike, SigningKeyRow.signs_until.is_(None), standby)
        with suppress(_Moved), self._database.transaction() as connection:
            bump(connection)  # its row lets one at a time look
            if connection.execute(there).first():
                raise _Moved
            _keep(connection, new, event)
            self._epoch.forget()
            return True
        return False

    def rotate(self, *, retired: str | None, promoted: str, at: int, published_until: int, event: Event) -> bool:
        """In one transaction: *promoted* signs from *at*, *retired* no longer; it is published a while more.

        False, with nothing done, if *promoted* is no standby any more, or *retired* signs no more: somebody else has
        rotated or withdrawn them, and what was withdrawn is never published again.
        """
        standby = update(SigningKeyRow).where(SigningKeyRow.kid == promoted, SigningKeyRow.signs_from.is_(None))
        signing = update(SigningKeyRow).where(SigningKeyRow.kid == retired, SigningKeyRow.signs_until.is_(None))
        with suppress(_Moved), self._database.transaction() as connection:
            _change_one(connection, standby.values(signs_from=at))
            if retired is not None:
                _change_one(connection, signing.values(signs_until=at, published_until=published_until))
            bump(connection)
            record(connection, event)
            self._epoch.forget()
            return True
        return False

    def reseal(self, kid: str, was: bytes, sealed: bytes) -> bool:
        """Keep a private half that is *was* as *sealed*; False if it is *was* no more."""
        as_it_was = (SigningKeyRow.kid == kid, SigningKeyRow.sealed_private == was)
        with self._database.transaction() as connection:
            change = update(SigningKeyRow).where(*as_it_was).values(sealed_private=sealed)
            return connection.execute(change).rowcount == 1

    def withdraw(self, kids: Sequence[str], event: Event, *, promoted: str | None = None, at: int = 0) -> int:
        """End the key pairs of *kids*: none signs and none is published any more. Returns how many that ended.

        With *promoted* in one transaction another signs, from *at*; 0, with nothing done, if it cannot any more.
        """
        published = or_(SigningKeyRow.published_until.is_(None), SigningKeyRow.published_until > now)
        # Seals are verified by a key of the trail for ever, so it can be forged with after it has retired too.
        vouches = and_(SigningKeyRow.purpose == Purpose.AUDIT, SigningKeyRow.withdrawn_at.is_(None))
        ending = and_(or_(published, vouches), SigningKeyRow.kid.in_(kids))
        # Long ago, so that it does not depend on any node's clock.
        ended = {"signs_from": func.coalesce(SigningKeyRow.signs_from, 0), "signs_until": 0, "published_until": 0}
        ending_now = update(SigningKeyRow).where(ending).values(**ended, withdrawn_at=now).returning(SigningKeyRow.kid)
        withdrawn: Sequence[str] = ()
        with suppress(_Moved), self._database.transaction() as connection:
            if promoted is not None:
                living = update(SigningKeyRow).where(SigningKeyRow.kid == promoted, SigningKeyRow.signs_until.is_(None))
                _change_one(connection, living.values(signs_from=at))
            withdrawn = connection.scalars(ending_now).all()
            if not withdrawn:
                raise _Moved
            bump(connection)
            told = {"withdrawn": len(withdrawn), "kids": sorted(withdrawn)}
            record(connection, event.about(detail={**event.detail, **told}))
        self._epoch.forget()
        return len(withdrawn)


def _keep(connection: Connection, new: NewKey, event: Event) -> None:
    columns = {name: getattr(new, name) for name in NewKey.__slots__}
    connection.execute(insert(SigningKeyRow).values(**columns, created_at=now))
    bump(connection)
    record(connection, event)


def _change_one(connection: Connection, change: Update) -> None:
    if connection.execute(change).rowcount != 1:
        raise _Moved
