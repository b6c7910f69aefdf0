"""How grants, approvals and sessions end, by whomever: a person, an administrator, or the end of what they stand on."""

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, update

from .clock import now
from .grant_ends import close, expire_with_sessions
from .models import ConsentRow, GrantRow, HalfSignInRow, PendingGrantRow, RememberedRow, SessionRow

BEHIND = and_(
    ConsentRow.user_id == GrantRow.user_id,
    ConsentRow.client_id == GrantRow.client_id,
    ConsentRow.redirect_host == GrantRow.redirect_host,
    ConsentRow.resource == GrantRow.resource,
)
"""The consent that a grant came from."""

BATCH = 1000
"""Grants that end in one transaction."""


def end_grants(connection: Connection, which: ColumnElement[bool]) -> int:
    """End the live grants that *which* (a condition on `GrantRow`) tells, and return how many.

    With each end its refresh families and unredeemed codes, and what was remembered of its consent. As what the person
    knew the client stays there, so that one that has changed since stands out (AZ-8).
    """
    live = and_(which, GrantRow.revoked_at.is_(None))
    # Locked in one order by everyone, so that two who end the same grants do not wait for each other; and not so
    # strictly that a redemption, whose code is waited for below, would wait for the grant of its new family.
    locked = select(GrantRow.id).where(live).order_by(GrantRow.id).with_for_update(key_share=True)
    ended = connection.scalars(locked).all()
    if ended:
        connection.execute(update(ConsentRow).where(exists().where(live, BEHIND)).values(scopes=(), tools=None))
        close(connection, live)
    return len(ended)


def end_some_grants(connection: Connection, which: ColumnElement[bool], limit: int) -> int:
    """End at most *limit* of those, as `end_grants` does: so many that nobody waits long; returns how many.

    That is 0 only if there are none: those that others have ended meanwhile are none of ours.
    """
    some = select(GrantRow.id).where(which, GrantRow.revoked_at.is_(None)).limit(limit)
    while found := connection.scalars(some).all():
        if ended := end_grants(connection, GrantRow.id.in_(found)):
            return ended
    return 0


def end_requests(connection: Connection, which: ColumnElement[bool]) -> None:
    """Forget what people asked administrators for that *which* (a condition on `PendingGrantRow`) tells.

    So what was approved is in force no more: who comes back under the same name, to the same place, has nothing.
    """
    locked = select(PendingGrantRow.id).where(which).order_by(PendingGrantRow.id).with_for_update()
    if connection.scalars(locked).all():
        connection.execute(delete(PendingGrantRow).where(which))


def end_sessions(connection: Connection, user_id: str, *, and_grants: bool = True, but: bytes = b"") -> int:
    """End the sessions of a person, *but* the one of that digest, and return how many.

    With them goes what waits for a second factor or stays signed in. Browsers that stay come first: one that is just
    opening a session is waited for, and its session is found below. The grants that were to last as long as one of them
    end with it, unless their end is the caller's.
    """
    forget_browsers(connection, RememberedRow.user_id == user_id)
    connection.execute(delete(HalfSignInRow).where(HalfSignInRow.user_id == user_id))
    live = update(SessionRow).where(SessionRow.user_id == user_id, SessionRow.ended_at.is_(None))
    live = live.where(SessionRow.digest != but)
    ended = connection.execute(live.values(ended_at=now)).rowcount
    if and_grants:
        expire_with_sessions(connection, user_id)
    return ended


def forget_browsers(connection: Connection, which: ColumnElement[bool]) -> int:
    """Let no browser that *which* (a condition on `RememberedRow`) tells stay signed in, and return how many did."""
    # Locked in one order by everyone.
    live = and_(which, RememberedRow.ended_at.is_(None))
    locked = select(RememberedRow.digest).where(live).order_by(RememberedRow.digest).with_for_update(key_share=True)
    ended = connection.scalars(locked).all()
    if ended:
        connection.execute(update(RememberedRow).where(RememberedRow.digest.in_(ended)).values(ended_at=now))
    return len(ended)


def forget_browser(connection: Connection, digest: bytes, user_id: str) -> int:
    """Let that browser of a person stay signed in no longer, with an end to what it opened; returns 0 if it did not."""
    forgotten = forget_browsers(connection, RememberedRow.digest == digest)
    end_sessions_of(connection, digest, user_id)
    return forgotten


def end_sessions_of(connection: Connection, digest: bytes, user_id: str) -> None:
    """End what a browser that stays signed in has opened; found by the index over the sessions of its person."""
    live = update(SessionRow).where(SessionRow.user_id == user_id, SessionRow.ended_at.is_(None))
    connection.execute(live.where(SessionRow.remembered == digest).values(ended_at=now))
    expire_with_sessions(connection, user_id)
