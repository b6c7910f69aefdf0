"""Second factors: passkeys and authenticator apps, and the recovery codes that stand in for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from ..protocol import credential
from ..protocol.audit import Event
from .audit import record
from .clock import now
from .database import Database
from .ending import forget_browsers
from .letters import Letter, post
from .models import FactorRow, RecoveryCodeRow, RememberedRow, UserRow
from .ways_in import Ways

UNFINISHED_SECONDS = 3600  # for which a secret that was shown waits for its first code


class Kind(StrEnum):
    """What kind of factor it is. The values are kept in databases."""

    APP = "totp"
    """An authenticator app: one-time codes by time (RFC 6238)."""
    PASSKEY = "passkey"
    """A key that signs for this site alone (WebAuthn)."""


class PasskeyExists(ValueError):
    """That passkey is somebody's already."""


@dataclass(frozen=True, slots=True)
class NewFactor:
    """What is to be kept of a factor; ``secret`` and ``counter`` as `models.factor.FactorRow` has them."""

    kind: Kind
    name: str
    secret: bytes
    counter: int = 0
    credential_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of a person; moments in Unix seconds."""

    id: str
    user_id: str
    kind: Kind
    name: str
    secret: bytes
    counter: int
    credential_id: bytes | None
    created_at: int
    last_used_at: int | None


class FactorStore:
    """Factors of people. One that is not confirmed is found by `unconfirmed` alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, user_id: str, factor_id: str, new: NewFactor) -> None:
        """Keep a factor that is not confirmed yet, in place of another one of its kind that is not."""
        unfinished = delete(FactorRow).where(FactorRow.user_id == user_id, FactorRow.confirmed_at.is_(None))
        with self._database.transaction() as connection:
            connection.execute(unfinished.where(FactorRow.kind == new.kind.value))
            connection.execute(insert(FactorRow).values(**_columns(user_id, factor_id, new)))

    def unconfirmed(self, user_id: str, kind: Kind) -> Factor | None:
        """The factor that *user_id* has begun with, within the last hour."""
        lately = FactorRow.created_at > now - UNFINISHED_SECONDS
        mine = (FactorRow.user_id == user_id) & (FactorRow.kind == kind.value) & lately
        return next(iter(self._factors(mine & FactorRow.confirmed_at.is_(None))), None)

    def confirm(self, factor_id: str, counter: int, event: Event, letter: Letter | None = None) -> bool:
        """Let a factor count from now on, *counter* being used, and tell its person by *letter*.

        False if it counts already, or is gone.
        """
        begun = update(FactorRow).where(FactorRow.id == factor_id, FactorRow.confirmed_at.is_(None))
        with self._database.transaction() as connection:
            if not connection.execute(begun.values(confirmed_at=now, counter=counter)).rowcount:
                return False
            post(connection, letter)
            record(connection, event)
        return True

    def add(self, user_id: str, new: NewFactor, event: Event, letter: Letter | None = None) -> None:
        """Keep a factor that counts at once, and tell its person by *letter*. Raises `PasskeyExists`."""
        columns = _columns(user_id, credential.identifier(), new)
        try:
            with self._database.transaction() as connection:
                connection.execute(insert(FactorRow).values(**columns, confirmed_at=now))
                post(connection, letter)
                record(connection, event)
        except IntegrityError:
            raise PasskeyExists("this passkey is in use already") from None

    def of_user(self, user_id: str) -> tuple[Factor, ...]:
        """All that a person has, oldest first."""
        return self._factors((FactorRow.user_id == user_id) & FactorRow.confirmed_at.is_not(None))

    def apps(self, after: str, limit: int) -> tuple[Factor, ...]:
        """Up to *limit* authenticator apps, whoever's they are, by their ids from behind *after* on."""
        behind = (FactorRow.kind == Kind.APP.value) & (FactorRow.id > after)
        return self._factors(behind, FactorRow.id, limit)

    def reseal(self, factor: Factor, secret: bytes) -> bool:
        """Keep *secret* for what *factor* has; False if it has that no more."""
        as_it_was = (FactorRow.id == factor.id, FactorRow.secret == factor.secret)
        with self._database.transaction() as connection:
            return connection.execute(update(FactorRow).where(*as_it_was).values(secret=secret)).rowcount == 1

    def by_credential(self, credential_id: bytes) -> Factor | None:
        """The passkey of that credential id."""
        return next(iter(self._factors(FactorRow.credential_id == credential_id)), None)

    def use(self, factor: Factor, counter: int, event: Event) -> bool:
        """Write down that *factor* proved its person, up to *counter*.

        False if it is gone, or *counter* was reached before: each code counts once, and a copy of a key is found out.
        Passkeys that never count stay at 0 (WebAuthn §6.1.1).
        """
        risen = FactorRow.counter < counter
        if factor.kind is Kind.PASSKEY and counter == 0:
            risen = or_(risen, FactorRow.counter == 0)
        used = update(FactorRow).where(FactorRow.id == factor.id, FactorRow.confirmed_at.is_not(None), risen)
        with self._database.transaction() as connection:
            if not connection.execute(used.values(counter=counter, last_used_at=now)).rowcount:
                return False
            record(connection, event)
        return True

    def remove(self, user_id: str, factor_id: str, ways: Ways, event: Event, letter: Letter | None = None) -> bool:
        """Forget a factor, and with the last one the recovery codes; *letter* tells. False if they have no such factor.

        No browser stays signed in by what may have been proved with it. Raises `LastWayIn`, with nothing done, if it
        was the last of the *ways* that they had.
        """
        with self._database.transaction() as connection:
            _lock(connection, user_id)
            gone = delete(FactorRow).where(FactorRow.id == factor_id, FactorRow.user_id == user_id)
            found = connection.execute(gone.returning(FactorRow.credential_id)).one_or_none()
            if found is None:
                return False
            if found.credential_id is not None:
                ways.keep_one(connection, user_id)
            if not connection.scalar(select(has_factor(user_id))):
                connection.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
            forget_browsers(connection, RememberedRow.user_id == user_id)
            post(connection, letter)
            record(connection, event)
        return True

    def remove_all(self, user_id: str, event: Event, letter: Letter | None = None) -> int:
        """Forget all factors and recovery codes of a person who has lost them; returns how many factors.

        No browser stays signed in. Of any that were there *letter* tells.
        """
        with self._database.transaction() as connection:
            _lock(connection, user_id)
            gone = connection.execute(delete(FactorRow).where(FactorRow.user_id == user_id)).rowcount
            connection.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
            forget_browsers(connection, RememberedRow.user_id == user_id)
            post(connection, letter if gone else None)
            record(connection, event.about(user_id=user_id, detail={**event.detail, "factors": gone}))
        return gone

    def _factors(
        self,
        which: ColumnElement[bool],
        by: InstrumentedAttribute[int] | InstrumentedAttribute[str] = FactorRow.created_at,
        limit: int | None = None,
    ) -> tuple[Factor, ...]:
        columns = [getattr(FactorRow, name) for name in Factor.__slots__]
        wanted = select(*columns).where(which).order_by(by, FactorRow.id).limit(limit)
        with self._database.reading() as connection:
            return tuple(Factor(**{**row._mapping, "kind": Kind(row.kind)}) for row in connection.execute(wanted))


class RecoveryCodeStore:
    """Recovery codes, by their digests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, user_id: str, digests: Iterable[bytes], event: Event, letter: Letter | None = None) -> None:
        """Let *digests* be the codes of a person; those until now open nothing any more, of which *letter* tells."""
        with self._database.transaction() as connection:
            _lock(connection, user_id)
            if connection.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id)).rowcount:
                post(connection, letter)
            connection.execute(insert(RecoveryCodeRow), [{"digest": each, "user_id": user_id} for each in digests])
            record(connection, event)

    def use(self, user_id: str, digest: bytes, event: Event, letter: Letter | None = None) -> bool:
        """Use a code up, and tell its person by *letter*.

        False if the person has none like that, or has used it: of two at once, one is right.
        """
        unused = update(RecoveryCodeRow).where(RecoveryCodeRow.digest == digest, RecoveryCodeRow.user_id == user_id)
        with self._database.transaction() as connection:
            if not connection.execute(unused.where(RecoveryCodeRow.used_at.is_(None)).values(used_at=now)).rowcount:
                return False
            post(connection, letter)
            record(connection, event)
        return True

    def left(self, user_id: str) -> int:
        """How many codes a person has not used."""
        unused = (RecoveryCodeRow.user_id == user_id) & RecoveryCodeRow.used_at.is_(None)
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(RecoveryCodeRow).where(unused)) or 0


def has_factor(user_id: InstrumentedAttribute[str] | str) -> ColumnElement[bool]:
    """Whether the person of *user_id* has a factor that counts.

    One is looked for, by index: of an ``EXISTS`` PostgreSQL may rather read the whole table.
    """
    counting = select(FactorRow.id).where(FactorRow.user_id == user_id, FactorRow.confirmed_at.is_not(None))
    return counting.limit(1).scalar_subquery().is_not(None)


def _lock(connection: Connection, user_id: str) -> None:
    """One change at a time, so that codes never stay behind without a factor."""
    connection.execute(select(UserRow.id).where(UserRow.id == user_id).with_for_update(key_share=True))


def _columns(user_id: str, factor_id: str, new: NewFactor) -> dict[str, object]:
    return {
        "id": factor_id,
        "user_id": user_id,
        "kind": new.kind.value,
        "name": new.name,
        "secret": new.secret,
        "credential_id": new.credential_id,
        "counter": new.counter,
        "created_at": now,
    }
