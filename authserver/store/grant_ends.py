"""Grants that end by themselves: at the moment that their person chose, or with the browser session (AZ-8).

From that moment a grant gives nothing, whoever asks (`authority.holds`). Writing it down, which ends what hangs on the
grant on the status lists too, is the sweep's, and that of whatever ends the session.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, exists, select, update

from ..protocol.audit import Event
from ..protocol.grant_term import SECONDS, BrowserSession, SessionOver, Until
from .audit import record
from .authority import holds
from .clock import now
from .driver import Found
from .models import CodeRow, FamilyRow, GrantRow, SessionRow

OVER = and_(GrantRow.revoked_at.is_(None), GrantRow.ends_at <= now)
"""The condition on `GrantRow` that its end has come, and was not written down."""

HUNG_ON = exists().where(SessionRow.digest == GrantRow.session_digest, SessionRow.ended_at.is_(None))
EXPIRED = Event("grant.expired", "system")
LINES = select(GrantRow.id.label("grant_id"), GrantRow.user_id, GrantRow.client_id, GrantRow.resource)


def close(connection: Connection, grants: ColumnElement[bool]) -> None:
    """End live *grants* (a condition on `GrantRow`, which are locked), their unredeemed codes and their families."""
    these = select(GrantRow.id).where(grants)
    # First the codes: a redemption under way is waited for, and one that waits for this finds its code ended. So the
    # families of all that were redeemed are there when they are ended. Both in the order of what is redeemed or ended
    # together (decision 27), or each could wait for the other.
    codes = select(CodeRow.digest).where(CodeRow.grant_id.in_(these), CodeRow.redeemed_at.is_(None))
    codes = codes.order_by(CodeRow.digest).with_for_update()
    connection.execute(update(CodeRow).where(CodeRow.digest.in_(codes)).values(redeemed_at=now))
    families = select(FamilyRow.id).where(FamilyRow.grant_id.in_(these), FamilyRow.revoked_at.is_(None))
    families = families.order_by(FamilyRow.id).with_for_update(key_share=True)
    connection.execute(update(FamilyRow).where(FamilyRow.id.in_(families)).values(revoked_at=now))
    connection.execute(update(GrantRow).where(grants).values(revoked_at=now))


def expire(connection: Connection, which: ColumnElement[bool]) -> int:
    """End the live grants that *which* tells, each with its event; returns how many.

    What was remembered of consents stays: nothing of a decision that was to end is among it.
    """
    live = LINES.where(which, GrantRow.revoked_at.is_(None)).order_by(GrantRow.id)
    return _end(connection, connection.execute(live.with_for_update(key_share=True)).all())


def expire_with_sessions(connection: Connection, user_id: str) -> int:
    """End the grants of a person that were to last as long as a session that has ended; returns how many."""
    return expire(connection, and_(GrantRow.user_id == user_id, GrantRow.session_digest.is_not(None), ~HUNG_ON))


def expire_on_device(connection: Connection, device_digest: bytes) -> int:
    """End the grants on a device that were to last as long as a session there, whoever's; returns how many.

    For when another session begins there: a browser has one at a time, and as it is closed it loses one that lives on.
    """
    return expire(connection, and_(GrantRow.device_digest == device_digest, GrantRow.session_digest.is_not(None)))


def sweep(connection: Connection, limit: int) -> int:
    """End at most *limit* grants that are over, but for those that another is just ending; returns how many."""
    longest_over = LINES.where(OVER).order_by(GrantRow.ends_at).limit(limit)
    return _end(connection, connection.execute(longest_over.with_for_update(key_share=True, skip_locked=True)).all())


def _end(connection: Connection, grants: Sequence[Found]) -> int:
    if grants:
        close(connection, GrantRow.id.in_([grant.grant_id for grant in grants]))
    for grant in grants:
        record(connection, EXPIRED.about(**grant._asdict()))
    return len(grants)


def hold_session(connection: Connection, session: BrowserSession) -> None:
    """Raise `SessionOver` if *session* has ended; if not, it does not before the transaction of *connection* does.

    So nothing is allowed in a session that has ended meanwhile, and no grant hangs on one.
    """
    live = select(SessionRow.digest).where(SessionRow.digest == session.digest, SessionRow.ended_at.is_(None))
    if connection.execute(live.with_for_update(read=True)).first() is None:
        raise SessionOver


def term(until: Until, session: BrowserSession | None) -> dict[str, object]:
    """The columns of a grant that lasts *until* then; none where it stays. Raises `SessionOver` without one."""
    if until is Until.KEPT:
        return {}
    if until is not Until.SESSION:
        ends_at = now + SECONDS[until] if until in SECONDS else None
        return {"ends_at": ends_at, "session_digest": None}
    if session is None:
        raise SessionOver
    return {"ends_at": session.ends_at, "session_digest": session.digest}


def lengthen(connection: Connection, session: BrowserSession) -> None:
    """Let what hangs on *session* live as long as it does now: its person has just been seen."""
    theirs = select(GrantRow.id).where(GrantRow.session_digest == session.digest, holds(GrantRow))
    # Locked in one order, as by everyone who changes several.
    found = connection.scalars(theirs.order_by(GrantRow.id).with_for_update(key_share=True)).all()
    if found:
        connection.execute(update(GrantRow).where(GrantRow.id.in_(found)).values(ends_at=session.ends_at))
