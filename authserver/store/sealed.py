"""What is kept of seals: a row for each, found by its number or by the place where its batch ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from ..protocol.audit_seal import Digest, Place
from .models import SealRow


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal as it is kept: the ``signed`` statement, what the columns beside it say, and the word of its drop."""

    number: int
    last: Place
    rows: int
    from_ms: int
    to_ms: int
    sealed_at: int
    signed: str
    dropped: str | None


Word = Callable[[Seal, Digest], str | None]
STANDING = SealRow.dropped.is_(None)


def newest(connection: Connection, *which: ColumnElement[bool]) -> Seal | None:
    """The newest seal, or that of some."""
    found = connection.execute(select(SealRow).where(*which).order_by(SealRow.number.desc()).limit(1)).one_or_none()
    return _seal(found) if found else None


def oldest(connection: Connection, limit: int, *which: ColumnElement[bool]) -> list[Seal]:
    """The first *limit* seals of some, in the order of their numbers."""
    wanted = select(SealRow).where(*which).order_by(SealRow.number).limit(limit)
    return [_seal(row) for row in connection.execute(wanted)]


def last_before(connection: Connection, xid: int) -> Seal | None:
    """The seal whose batch is the last one to end before transaction *xid*."""
    ends = select(SealRow).where(SealRow.last_xid < xid).order_by(SealRow.last_xid.desc(), SealRow.last_id.desc())
    found = connection.execute(ends.limit(1)).one_or_none()
    return _seal(found) if found else None


def _seal(row: Any) -> Seal:  # noqa: ANN401 - its columns are those of SealRow
    last = Place(row.last_xid, row.last_id)
    return Seal(row.number, last, row.rows, row.from_ms, row.to_ms, row.sealed_at, row.statement, row.dropped)
