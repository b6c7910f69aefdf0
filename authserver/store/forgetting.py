"""Forgetting grants that ended, with the consents behind them, and clients that were deleted.

Nothing that anybody may present is left of either by then: what hangs on a grant goes first. A client that comes back
later is a new one to its person, and asked for as one (AZ-8); the audit trail goes on telling of both, by their ids.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, select
from sqlalchemy.orm import InstrumentedAttribute

from .clock import now
from .models import ClientPositionRow, ClientRow, CodeRow, ConsentRow, FamilyRow, GrantRow

ENDED_SECONDS = 90 * 24 * 3600  # for which lists tell of grants that ended
DELETED_SECONDS = 365 * 24 * 3600  # for which a deleted client's page says what became of it (CR-15)
PLACE = ("user_id", "client_id", "redirect_host", "resource")
HERE = tuple(getattr(ConsentRow, name) == bindparam(f"of_{name}") for name in PLACE)
# A decision under way holds the consent, and has a grant that only a later statement sees: so they are held first.
HELD = select(ConsentRow.decided_at).where(*HERE).with_for_update()
CONSENT = delete(ConsentRow).where(
    *HERE,
    ConsentRow.decided_at <= now - bindparam("ended_for"),
    ~exists().where(*(getattr(GrantRow, name) == bindparam(f"of_{name}") for name in PLACE)),
)


def ended_for(family_lifetime: int, grace: int) -> int:
    """For how many seconds an ended grant is kept at least: its last refresh token expires before, and is purged."""
    return max(ENDED_SECONDS, family_lifetime + grace)


def forget_grants(connection: Connection, limit: int, seconds: int) -> int:
    """Forget at most *limit* grants that ended *seconds* ago, those that ended first; returns how many.

    With them go the consents at places where there is no other grant: they last no longer than theirs (AZ-9).
    """
    ended = GrantRow.revoked_at <= now - seconds
    nothing_left = (_none(CodeRow.digest, CodeRow.grant_id), _none(FamilyRow.id, FamilyRow.grant_id))
    found = select(GrantRow.id).where(ended, *nothing_left).order_by(GrantRow.revoked_at).limit(limit)
    ids = connection.scalars(found.with_for_update(skip_locked=True)).all()
    if ids:
        gone = delete(GrantRow).where(GrantRow.id.in_(ids)).returning(*(getattr(GrantRow, name) for name in PLACE))
        places = sorted({tuple(place) for place in connection.execute(gone)})
        wanted = [{f"of_{name}": value for name, value in zip(PLACE, place, strict=True)} for place in places]
        for one in wanted:
            connection.execute(HELD, one)
        connection.execute(CONSENT, [{**one, "ended_for": seconds} for one in wanted])
    return len(ids)


def forget_clients(connection: Connection, limit: int, seconds: int) -> int:
    """Forget at most *limit* clients that were deleted *seconds* ago and of which nothing is left."""
    deleted = ClientRow.deleted_at <= now - max(seconds, DELETED_SECONDS)
    referring = (
        (GrantRow.id, GrantRow.client_id),
        (ConsentRow.user_id, ConsentRow.client_id),
        (ClientPositionRow.client_id, ClientPositionRow.client_id),
    )
    nothing_left = (_none(column, theirs, ClientRow.client_id) for column, theirs in referring)
    found = select(ClientRow.client_id).where(deleted, *nothing_left).order_by(ClientRow.deleted_at).limit(limit)
    ids = connection.scalars(found.with_for_update(skip_locked=True)).all()
    if ids:
        connection.execute(delete(ClientRow).where(ClientRow.client_id.in_(ids)))
    return len(ids)


def _none(
    column: InstrumentedAttribute[Any],
    referring: InstrumentedAttribute[Any],
    to: InstrumentedAttribute[Any] = GrantRow.id,
) -> ColumnElement[bool]:
    """That no row refers to this one: because of the offset PostgreSQL looks for each, and reads no whole table."""
    return ~select(column).where(referring == to).limit(1).offset(0).exists()
